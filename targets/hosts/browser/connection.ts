// The page's end of the protocol: calls with ids, their events, their ends; and what becomes of them when the worker dies or is closed.
import { SkintError, throwIfAborted } from "../../../runtime/errors.ts";
import type { LaneInit } from "../host.ts";
import { type CallName, type Calls, revive, type ToPage, type ToWorker, WINDOW } from "./protocol.ts";

/** How long a worker may take to end by itself: more than a step, and than a turn of its event loop. */
const CLOSE_MS = 1000;

interface Pending {
  readonly onEvent?: (event: unknown) => void;
  readonly onEnd: (value: unknown) => void;
  readonly onError: (error: Error) => void;
}

export interface CallOptions<N extends CallName> {
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: Calls[N]["event"]) => void;
}

/** Events of a call, to be read one by one. */
export interface Stream<N extends CallName> {
  /** The next event; undefined when the call has ended. Throws what the call ended with. */
  next(): Promise<Calls[N]["event"] | undefined>;
  /** Ends the call if it runs, and waits for its end, which is undefined after an error. */
  leave(): Promise<Calls[N]["end"] | undefined>;
}

export class Connection {
  private readonly pending = new Map<number, Pending>();
  private readonly waiting: ToWorker[] = [];
  private lastId = 0;
  private ready = false;
  private failure: SkintError | undefined;

  private readonly lanes = new Map<number, Worker>();

  constructor(
    private readonly worker: Worker,
    private readonly newLane: () => Worker,
  ) {
    worker.onmessage = ({ data }: MessageEvent<ToPage>) => this.receive(data);
    worker.onerror = (e) => {
      e.preventDefault();
      this.lose(e.message);
    };
  }

  call<N extends CallName>(name: N, args: Calls[N]["args"], options: CallOptions<N> = {}): Promise<Calls[N]["end"]> {
    return this.start(name, args, options).end;
  }

  stream<N extends CallName>(name: N, args: Calls[N]["args"], signal?: AbortSignal): Stream<N> {
    const events: Calls[N]["event"][] = [];
    let read = 0;
    let wake = () => {};
    const { id, end } = this.start(name, args, {
      signal,
      onEvent(event) {
        events.push(event);
        wake();
      },
    });
    let over = false;
    const finish = () => {
      over = true;
      wake();
    };
    end.then(finish, finish);
    return {
      next: async () => {
        while (events.length === 0 && !over)
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        if (events.length === 0) {
          await end;
          return undefined;
        }
        if (++read % (WINDOW / 4) === 0) this.send({ type: "more", id, count: WINDOW / 4 });
        return events.shift();
      },
      leave: () => {
        if (!over) this.send({ type: "leave", id });
        return end.catch(() => undefined);
      },
    };
  }

  private start<N extends CallName>(name: N, args: Calls[N]["args"], { signal, onEvent }: CallOptions<N>): { id: number; end: Promise<Calls[N]["end"]> } {
    const id = ++this.lastId;
    const abort = () => this.send({ type: "abort", id });
    const end = new Promise<Calls[N]["end"]>((resolve, reject) => {
      if (this.failure) throw this.failure;
      throwIfAborted(signal, name);
      const onError = (e: Error) => {
        if (e instanceof SkintError && e.code === "aborted" && signal?.aborted) e.cause = signal.reason;
        reject(e);
      };
      this.pending.set(id, { onEvent: onEvent as Pending["onEvent"], onEnd: resolve as Pending["onEnd"], onError });
      this.send({ type: "call", id, name, args } as ToWorker);
      signal?.addEventListener("abort", abort);
    });
    const done = () => signal?.removeEventListener("abort", abort);
    end.then(done, done);
    return { id, end };
  }

  /** Messages wait for the worker to be ready. */
  send(message: ToWorker): void {
    if (this.failure) return;
    if (!this.ready) this.waiting.push(message);
    else this.post(message);
  }

  private receive(message: ToPage): void {
    if (message.type === "events") for (const event of message.events) this.pending.get(message.id)?.onEvent?.(event);
    else if (message.type === "end") this.finish(message);
    else if (message.type === "lane") this.startLane(message.lane, message.init);
    else if (message.type === "endLane") this.endLane(message.lane);
    else if (message.type === "closed") this.terminate();
    else {
      this.ready = true;
      for (const m of this.waiting.splice(0)) this.post(m);
    }
  }

  private finish({ id, value, error }: Extract<ToPage, { type: "end" }>): void {
    const pending = this.pending.get(id);
    this.pending.delete(id);
    if (error) pending?.onError(revive(error));
    else pending?.onEnd(value);
  }

  private startLane(lane: number, init: LaneInit): void {
    const says = (message: string) => this.send({ type: "lane", lane, says: message });
    try {
      const worker = this.newLane();
      this.lanes.set(lane, worker);
      worker.onmessage = ({ data }: MessageEvent<string>) => says(data);
      worker.onerror = (e) => {
        e.preventDefault();
        says(e.message || "its script cannot be loaded or run");
      };
      worker.postMessage(init);
    } catch (e) {
      says(String(e));
    }
  }

  private endLane(lane: number): void {
    this.lanes.get(lane)?.terminate();
    this.lanes.delete(lane);
  }

  private terminate(): void {
    for (const lane of this.lanes.keys()) this.endLane(lane);
    this.worker.terminate();
  }

  /** What cannot be cloned ends its own call only. */
  private post(message: ToWorker): void {
    try {
      this.worker.postMessage(message);
    } catch (cause) {
      if (message.type !== "call") throw cause;
      const error = new SkintError("usage", `the arguments of ${message.name} cannot be handed to a worker (${cause}); give plain data`, {}, { cause });
      this.pending.get(message.id)?.onError(error);
      this.pending.delete(message.id);
    }
  }

  private lose(message: string | undefined): void {
    this.end(
      this.ready
        ? new SkintError("session.failed", `the session worker ended (${message}); load the model again, and report this if it comes back`)
        : new SkintError(
            "device.unavailable",
            `the session worker did not start (${message || "its script cannot be loaded"}); serve browser-worker.js from the page's origin, allow it in Content-Security-Policy (worker-src 'self'), or say where it is with the option urls.worker`,
          ),
    );
  }

  private end(failure: SkintError): void {
    if (this.failure) return;
    this.failure = failure;
    // It ends its lanes first; one that does not answer is ended with them.
    this.worker.postMessage({ type: "close" } satisfies ToWorker);
    setTimeout(() => this.terminate(), this.ready ? CLOSE_MS : 0);
    for (const { onError } of this.pending.values()) onError(failure);
    this.pending.clear();
  }

  close(): void {
    this.end(new SkintError("session.failed", "the model was closed; load it again to use it"));
  }
}
