// The session worker: holds the model, runs lane 0, answers the page (protocol.ts).
import { SkintError } from "../../../runtime/errors.ts";
import { loadModel, type Model } from "../../../runtime/session/model.ts";
import type { Session } from "../../../runtime/session/session.ts";
import { openWasm } from "../../devices/wasm/device.ts";
import type { LaneInit } from "../host.ts";
import { type BrowserHost, createHost } from "./host.ts";
import { openModel } from "./open.ts";
import { type CallName, type Calls, type LoadRequest, type ModelFacts, plainError, type ToPage, type ToWorker, WINDOW } from "./protocol.ts";

/** Least time between two messages with events, ms: a page cannot show them faster, and each takes time from a lane on a small device. */
const FRAME_MS = 16;

/** One call from the page while it runs. */
class Call {
  private readonly controller = new AbortController();
  /** Events that wait for the next message. */
  private held: unknown[] = [];
  private sent = Number.NEGATIVE_INFINITY;
  private credit = WINDOW;
  private left = false;
  private wake = () => {};

  constructor(readonly id: number) {}

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  event(event: unknown): void {
    this.held.push(event);
    if (performance.now() - this.sent >= FRAME_MS) this.flush();
  }

  flush(): void {
    if (this.held.length === 0) return;
    send({ type: "events", id: this.id, events: this.held });
    this.held = [];
    this.sent = performance.now();
  }

  progress = (done: number, total: number): void => this.event({ done, total });

  abort(): void {
    this.controller.abort();
    this.wake();
  }

  leave(): void {
    this.left = true;
    this.wake();
  }

  more(count: number): void {
    this.credit += count;
    this.wake();
  }

  /** Waits until the reader has room for one more event; false when it wants no more. */
  async room(): Promise<boolean> {
    if (this.credit === 0) this.flush();
    while (this.credit === 0 && !this.left && !this.signal.aborted)
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    this.credit--;
    return !this.left;
  }
}

const calls = new Map<number, Call>();
const sessions = new Map<number, Session>();
/** What listens to each lane. */
const lanes = new Map<number, (message: string) => void>();
let loaded: Model | undefined;

function send(message: ToPage, transfer: Transferable[] = []): void {
  self.postMessage(message, { transfer });
}

function model(): Model {
  if (!loaded) throw new SkintError("session.failed", "no model is loaded in this worker; load one first");
  return loaded;
}

function session(id: number): Session {
  const s = sessions.get(id) ?? model().session();
  sessions.set(id, s);
  return s;
}

const ANSWERS: { readonly [N in CallName]: (args: Calls[N]["args"], call: Call) => Promise<Calls[N]["end"]> | Calls[N]["end"] } = {
  load,
  encode: ({ text, opened }) => (opened ? model().session().encode(text) : tokenizer().encode(text)),
  decode: ({ ids, special }) => tokenizer().decode(ids, special),
  score: ({ tokens, options }, call) => model().score(tokens, { ...options, signal: call.signal, onProgress: call.progress }),
  feed: async ({ session: id, tokens }, { signal }) => ({ logits: (await session(id).feed(tokens, signal)).slice(), length: session(id).length }),
  append: async ({ session: id, tokens }, { signal }) => ({ logits: (await session(id).append(tokens, signal)).slice(), length: session(id).length }),
  saveState: ({ session: id }) => session(id).state.save(),
  async loadState({ session: id, bytes }) {
    await session(id).state.load(bytes);
    return session(id).length;
  },
  forkState({ session: id, fork }) {
    sessions.set(fork, session(id).state.fork());
    return undefined;
  },
  reset({ session: id }) {
    session(id).reset();
    return undefined;
  },
  generate,
};

function tokenizer() {
  const t = model().tokenizer;
  if (!t) throw new SkintError("model.tokenizer", "the model carries no tokenizer; give token ids instead of text");
  return t;
}

/** Has the page start a lane. */
function startLane(init: LaneInit, onSay: (message: string) => void): () => void {
  const lane = lanes.size + 1;
  lanes.set(lane, onSay);
  send({ type: "lane", lane, init });
  return () => send({ type: "endLane", lane });
}

async function load({ location, core, cache, options }: LoadRequest, call: Call): Promise<ModelFacts> {
  const host = createHost(startLane, core);
  const threads = host.canSpawn ? options.threads : Math.min(options.threads ?? 1, 1);
  const device = await openWasm(host, { isa: options.isa, threads }).catch(refused);
  const environment = { device, sha256: host.sha256, now: host.now };
  const opened = await openModel(location, cache, (source) => loadModel(source, environment, { ...options, signal: call.signal, onProgress: call.progress }), call.signal);
  loaded = opened.model;
  await host.lanesJoined();
  const { cache: state, notes } = opened;
  return { ...factsOf(opened.model), build: device.build, lanes: device.lanes, whySingle: whySingle(host, device.lanes, device.build, threads), cache: state, notes };
}

/** Adds to an engine's refusal to compile what a page can do about it. */
function refused(cause: Error): never {
  if (!/content security/i.test(cause.message)) throw cause;
  const advice = "allow WebAssembly in the Content-Security-Policy that browser-worker.js is served with: script-src 'self' 'wasm-unsafe-eval'";
  throw new SkintError("device.unavailable", `the page's policy forbids to compile the core; ${advice} (${cause.message})`, {}, { cause });
}

function whySingle(host: BrowserHost, lanes: number, build: string, threads: number | undefined): string | undefined {
  if (lanes > 1) return undefined;
  return host.whySingle ?? (threads === 1 ? "one thread was asked for" : `the build ${build} has no threads`);
}

function factsOf(m: Model): Omit<ModelFacts, "build" | "lanes" | "whySingle" | "cache" | "notes"> {
  const { name, card, recipe, hash, bos, engine, tokenizer: t } = m;
  return {
    ...{ name, card, recipe, hash, bos },
    tokenizer: t && { vocabSize: t.vocabSize, bos: t.bos, eos: t.eos },
    vocab: engine.graph.vocab,
    context: engine.options.context,
    memoryBytes: engine.program.memoryBytes,
  };
}

async function generate({ session: id, prompt, options }: Calls["generate"]["args"], call: Call): Promise<Calls["generate"]["end"]> {
  const s = session(id);
  const pieces = s.generate(prompt, { ...options, signal: call.signal });
  while (await call.room()) {
    const { value, done } = await pieces.next();
    if (done) return { stats: value, length: s.length };
    call.event(value);
  }
  await pieces.return(s.stats);
  return { stats: s.stats, length: s.length };
}

/** Buffers of a result that need not be copied: arrays of our own making. */
function transferOf(value: unknown): Transferable[] {
  const arrays = [value, (value as { logits?: unknown } | undefined)?.logits].filter((a) => ArrayBuffer.isView(a));
  return arrays.map((a) => a.buffer).filter((b): b is ArrayBuffer => b instanceof ArrayBuffer);
}

async function answer({ id, name, args }: Extract<ToWorker, { type: "call" }>): Promise<void> {
  const call = new Call(id);
  calls.set(id, call);
  try {
    const value = await (ANSWERS[name] as (args: unknown, call: Call) => unknown)(args, call);
    call.flush();
    send({ type: "end", id, value }, transferOf(value));
  } catch (e) {
    call.flush();
    send({ type: "end", id, error: plainError(e) });
  } finally {
    calls.delete(id);
  }
}

function close(): void {
  for (const call of calls.values()) call.abort();
  loaded?.close();
  send({ type: "closed" });
}

self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  if (data.type === "call") void answer(data);
  else if (data.type === "forget") sessions.delete(data.session);
  else if (data.type === "lane") lanes.get(data.lane)?.(data.says);
  else if (data.type === "close") close();
  else if (data.type === "more") calls.get(data.id)?.more(data.count);
  else calls.get(data.id)?.[data.type]();
};
send({ type: "ready" });
