// The device in software: bytes in, bytes out, the same as the Verilated core's (rtl/command.v, frame_rx.v). It has no time: what is asked for is
// done at once, so that no frame ever finds both buffers full.
import { crc32 } from "../link/crc.ts";
import { encodeFrame, FRAME_TYPES, type Frame, FrameParser, MAX_PAYLOAD, VERSION } from "../link/frame.ts";
import { encodeHello, type Hello, MEMORIES, type Memory, mostWords, NO_SESSION, OPS, STATUS, WINDOW, WORD_BYTES } from "../link/protocol.ts";
import { type Memories, type Run, runLayers } from "./engine.ts";

export interface TwinOptions {
  readonly board: string;
  readonly build: string;
  readonly khz: number;
  /** Address bits of the memories. A design with one memory for everything has `weights` only, and takes it for the others too. */
  readonly weights: number;
  readonly activations?: number;
  readonly parameters?: number;
  /** What the engine computes; default: the linear engine's layers. */
  readonly run?: (memories: Memories, first: number, count: number) => Run;
  /** Multiply-adds a clock with int8 and with int4 weights. Default: the engine's. */
  readonly lanes?: readonly [number, number];
  /** Bytes of the largest payload. Default: MAX_PAYLOAD. */
  readonly maxPayload?: number;
  /** Requests that may be unanswered, a power of two. Default: WINDOW. */
  readonly window?: number;
}

type Answer = { readonly status: number; readonly payload: Uint8Array };

const NAMES = Object.keys(MEMORIES) as Memory[];
const MALFORMED: Answer = { status: STATUS.malformed, payload: new Uint8Array(0) };
const done = (payload: Uint8Array = new Uint8Array(0)): Answer => ({ status: STATUS.ok, payload });

export class TwinDevice {
  readonly hello: Hello;
  readonly memories: Memories;
  private readonly runs: NonNullable<TwinOptions["run"]>;
  private parser: FrameParser;
  private kept: (Frame | undefined)[] = [];
  private live = false;
  private expected = 0;
  private cycles = 0;
  private good = 0;
  private bad = 0;

  constructor(o: TwinOptions) {
    const wordsOf = (bits: number | undefined) => (bits === undefined ? 0 : 2 ** bits);
    const words = { weights: wordsOf(o.weights), activations: wordsOf(o.activations), parameters: wordsOf(o.parameters) };
    const { board, build, khz, lanes: [lanes8, lanes4] = [8, 16], maxPayload = MAX_PAYLOAD, window = WINDOW } = o;
    this.hello = { version: VERSION, window, maxPayload, board, build, words, lanes8, lanes4, khz };
    this.parser = this.newParser();
    const weights = new Uint8Array(WORD_BYTES * words.weights);
    const memory = (name: Memory) => (words[name] ? new Uint8Array(WORD_BYTES * words[name]) : weights);
    this.memories = { weights, activations: memory("activations"), parameters: memory("parameters") };
    this.runs = o.run ?? runLayers;
  }

  /** The answers to these bytes. */
  feed(bytes: Uint8Array): Uint8Array {
    const out: number[] = [];
    for (const b of bytes) {
      const parsed = this.parser.push(b);
      if (!parsed) continue;
      if ("frame" in parsed) this.good = (this.good + 1) & 0xffff;
      else this.bad = (this.bad + 1) & 0xffff;
      out.push(...encodeFrame("frame" in parsed ? this.answer(parsed.frame) : this.nak(parsed.damaged.op)));
    }
    return Uint8Array.from(out);
  }

  /** The line was silent for longer than QUIET_CHARACTERS. */
  quiet(): void {
    this.parser.quiet();
  }

  private newParser(): FrameParser {
    return new FrameParser([FRAME_TYPES.request], this.hello.maxPayload);
  }

  /** Is a part of something here that is no frame yet? */
  get within(): boolean {
    return this.parser.within;
  }

  /** Memories keep what is in them. */
  reset(): void {
    this.parser = this.newParser();
    this.kept = [];
    this.live = false;
    this.expected = 0;
    this.cycles = 0;
    this.good = 0;
    this.bad = 0;
  }

  private nak(op: number): Frame {
    return { type: FRAME_TYPES.nak, op, seq: this.expected, flags: this.live ? 0 : NO_SESSION, payload: new Uint8Array(0) };
  }

  private answer(frame: Frame): Frame {
    const { op, seq } = frame;
    if (op === OPS.hello) {
      this.live = true;
      this.kept = [];
      this.expected = seq;
    } else {
      const kept = this.kept[seq % this.hello.window];
      const behind = (this.expected - seq) & 0xff;
      if (this.live && kept?.seq === seq && behind >= 1 && behind <= this.hello.window) return kept;
      if (!this.live || seq !== this.expected) return this.nak(op);
    }
    this.expected = (seq + 1) & 0xff;
    const { status, payload } = this.perform(op, frame.payload);
    const all = new Uint8Array(4 + payload.length);
    new DataView(all.buffer).setUint32(0, this.cycles, true);
    all.set(payload, 4);
    const reply = { type: FRAME_TYPES.reply, op, seq, flags: status, payload: all };
    this.kept[seq % this.hello.window] = reply;
    return reply;
  }

  private perform(op: number, payload: Uint8Array): Answer {
    const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    switch (op) {
      case OPS.hello:
        return done(encodeHello(this.hello, 0).subarray(4));
      case OPS.write:
        return this.write(payload);
      case OPS.status:
        return done(new Uint8Array(Uint16Array.of(this.good, this.bad, 0).buffer));
    }
    if (payload.length !== 6 || op > OPS.run) return MALFORMED;
    const address = view.getUint16(2, true);
    const count = view.getUint16(4, true);
    if (op === OPS.run) return this.run(address, count);
    const name = NAMES[payload[0]];
    if (!name || (op === OPS.read && count > mostWords(this.hello))) return MALFORMED;
    const words = this.words(name, address, count);
    if (op === OPS.read) return done(words);
    return done(new Uint8Array(Uint32Array.of(crc32(words)).buffer));
  }

  private write(payload: Uint8Array): Answer {
    const name = NAMES[payload[0]];
    if (payload.length < 4 + WORD_BYTES || payload.length % WORD_BYTES !== 4 || !name) return MALFORMED;
    const memory = this.memories[name];
    const at = WORD_BYTES * (payload[2] | (payload[3] << 8));
    for (let i = 4; i < payload.length; i++) memory[(at + i - 4) % memory.length] = payload[i];
    return done();
  }

  private words(name: Memory, address: number, count: number): Uint8Array {
    const memory = this.memories[name];
    return Uint8Array.from({ length: WORD_BYTES * count }, (_, i) => memory[(WORD_BYTES * address + i) % memory.length]);
  }

  private run(first: number, count: number): Answer {
    const { cycles, bad } = this.runs(this.memories, first, count & 0xff);
    this.cycles = cycles;
    return { status: bad ? STATUS.badLayer : STATUS.ok, payload: new Uint8Array(0) };
  }
}
