// The host's side of the protocol: requests in order, at most a window of them unanswered; what is not answered is sent again, and the device
// does nothing twice. Payloads shrink while the line is noisy and grow again when it is not.
import { SkintError, throwIfAborted } from "../../../../runtime/errors.ts";
import { encodeFrame, FRAME_TYPES, type Frame, FrameParser } from "./frame.ts";
import type { Line } from "./line.ts";
import { encodeRange, encodeWrite, type Hello, MEMORIES, type Memory, mostWords, NO_SESSION, OPS, parseHello, STATUS, WORD_BYTES } from "./protocol.ts";

export interface Request {
  readonly op: number;
  readonly payload: Uint8Array;
}

interface Sent extends Request {
  readonly seq: number;
  readonly bytes: Uint8Array;
  reply?: Uint8Array;
}

export interface Traffic {
  /** Bytes on the line. */
  readonly sent: number;
  readonly received: number;
  readonly requests: number;
  /** Requests that were sent again. */
  readonly repeats: number;
}

export interface SessionOptions {
  readonly signal?: AbortSignal;
  /** Longest wait for an answer, in ms. Default 250. The first wait is short and grows where answers turn out to come later. */
  readonly patience?: number;
}

/** Smaller payloads would get through, and the device does not know yet what it will get. */
class Stuck extends Error {}

/** The device was reset: its memories may be as they were, but it knows no session. */
export class DeviceReset extends SkintError {}

/** Waits, one after the other, in which nothing at all came, before a line is given up. */
const SILENT = 30;
/** The same of tries that brought something, but no answer. */
const TRIES = 400;
/** Bytes without an answer among them after which requests are sent again: more than two replies and what is lost between. */
const BABBLE = 4096;
/** Bytes from before the session that are read and forgotten; what still comes is noise between frames. */
const CHATTER = 1 << 16;
/** First wait for an answer, in ms. */
const HASTE = 15;
/** Tries after which a payload that could be smaller is made so. */
const STUCK = 4;
/** Answers without trouble before payloads grow again. */
const CALM = 24;
const EMPTY = new Uint8Array(0);

export class Session {
  readonly hello: Hello;
  private readonly parser = new FrameParser([FRAME_TYPES.reply, FRAME_TYPES.nak]);
  /** Words that a request may have now, and at most. */
  private words: number;
  private readonly most: number;
  private calm = 0;
  private wait = HASTE;
  /** Something was sent again because nothing came. */
  private hasty = false;
  private counts = { sent: 0, received: 0, requests: 0, repeats: 0 };
  /** Clocks of the last run, as the last reply said. */
  cycles = 0;

  private constructor(
    readonly line: Line,
    private seq: number,
    private readonly options: SessionOptions,
    hello?: Hello,
  ) {
    this.hello = hello as Hello;
    this.most = hello ? mostWords(hello) : 1;
    this.words = this.most;
  }

  /** Says HELLO. Throws `device.unavailable` if nothing answers, `device.wrong` if it is something else. */
  static async open(line: Line, options: SessionOptions = {}, seq = 0): Promise<Session> {
    for (let gone = 0, come = 1; come > 0 && gone < CHATTER; gone += come) {
      throwIfAborted(options.signal, "opening the line");
      come = (await line.read(0)).length;
    }
    const first = new Session(line, seq, options);
    const payload = (await first.all([{ op: OPS.hello, payload: EMPTY }]))[0];
    const session = new Session(line, first.seq, options, parseHello(payload));
    session.counts = first.counts;
    return session;
  }

  /** Says HELLO again, to a device that forgot. */
  async reopen(): Promise<void> {
    await this.all([{ op: OPS.hello, payload: EMPTY }]);
  }

  get traffic(): Traffic {
    return { ...this.counts };
  }

  /** Share of bytes that were damaged or lost, estimated from the requests that had to be sent again. */
  get errorRate(): number {
    const { requests, repeats, sent, received } = this.counts;
    const each = (sent + received) / Math.max(1, requests + repeats);
    return 1 - (requests / Math.max(1, requests + repeats)) ** (1 / Math.max(1, each));
  }

  /** Words of 8 bytes to an address, in words. */
  async write(memory: Memory, address: number, bytes: Uint8Array, onProgress?: (done: number, total: number) => void): Promise<void> {
    const part = (at: number, count: number) => bytes.subarray(WORD_BYTES * at, WORD_BYTES * (at + count));
    await this.bulk(
      bytes.length / WORD_BYTES,
      (at, count) => ({ op: OPS.write, payload: encodeWrite(MEMORIES[memory], address + at, part(at, count)) }),
      (at, count) => onProgress?.(WORD_BYTES * (at + count), bytes.length),
    );
  }

  /** Words of 8 bytes from an address, in words. */
  async read(memory: Memory, address: number, words: number): Promise<Uint8Array> {
    const out = new Uint8Array(WORD_BYTES * words);
    await this.bulk(
      words,
      (at, count) => ({ op: OPS.read, payload: encodeRange(MEMORIES[memory], address + at, count) }),
      (at, _, reply) => out.set(reply, WORD_BYTES * at),
    );
    return out;
  }

  /** Words in pieces that the line can carry. A piece that does not get through is given up with its session, and asked for anew in smaller ones. */
  private async bulk(words: number, make: (at: number, count: number) => Request, done: (at: number, count: number, reply: Uint8Array) => void): Promise<void> {
    let whole = 0;
    while (whole < words) {
      let asked = whole;
      const counts: number[] = [];
      const next = () => {
        if (asked >= words) return undefined;
        const count = Math.min(this.words, words - asked);
        counts.push(count);
        asked += count;
        return make(asked - count, count);
      };
      const answer = (_: Request, reply: Uint8Array) => {
        const count = counts.shift() as number;
        done(whole, count, reply);
        whole += count;
      };
      try {
        await this.exchange(next, answer, () => this.words < counts[0]);
      } catch (e) {
        if (!(e instanceof Stuck)) throw e;
        await this.reopen();
      }
    }
  }

  /** CRC-32 of words as the device has them. */
  async sum(memory: Memory, address: number, words: number): Promise<number> {
    const [reply] = await this.all([{ op: OPS.sum, payload: encodeRange(MEMORIES[memory], address, words) }]);
    return new DataView(reply.buffer, reply.byteOffset).getUint32(0, true);
  }

  /** Runs layers; returns clocks. */
  async run(first: number, count: number): Promise<number> {
    await this.all([{ op: OPS.run, payload: encodeRange(0, first, count) }]);
    return this.cycles;
  }

  /** Sends requests and returns the payloads of their replies, without the clocks; of HELLO with them. */
  async all(requests: readonly Request[]): Promise<Uint8Array[]> {
    let at = 0;
    const replies: Uint8Array[] = [];
    await this.exchange(
      () => requests[at++],
      (_, reply) => replies.push(reply),
    );
    return replies;
  }

  /** @param shrinks would the first unanswered request be smaller if it were made anew? */
  private async exchange(next: () => Request | undefined, done: (request: Request, reply: Uint8Array) => void, shrinks = () => false): Promise<void> {
    const open: Sent[] = [];
    const window = this.hello?.window ?? 1;
    let more = true;
    let vain = 0;
    let silent = 0;
    let babble = 0;
    for (;;) {
      throwIfAborted(this.options.signal, "talking to the device");
      while (more && open.length < window) {
        const request = next();
        if (!request) more = false;
        else open.push(await this.send(request));
      }
      if (open.length === 0) return;
      const bytes = await this.line.read(this.patience(silent));
      this.counts.received += bytes.length;
      if (bytes.length === 0) this.parser.quiet();
      silent = bytes.length === 0 ? silent + 1 : 0;
      babble += bytes.length;
      const again = this.take(bytes, open) || bytes.length === 0 || babble > BABBLE;
      if (again) babble = 0;
      while (open[0]?.reply) {
        const request = open.shift() as Sent;
        vain = 0;
        babble = 0;
        done(request, request.op === OPS.hello ? (request.reply as Uint8Array) : (request.reply as Uint8Array).subarray(4));
        this.grow();
      }
      if (!again) continue;
      if (silent > SILENT || ++vain > TRIES) throw this.giveUp(Math.max(silent, vain));
      if (vain > STUCK && shrinks()) throw new Stuck();
      this.hasty ||= bytes.length === 0;
      await this.repeat(open);
    }
  }

  private patience(silent: number): number {
    return Math.min(this.options.patience ?? 250, this.wait * 2 ** Math.min(silent, 8));
  }

  private async send({ op, payload }: Request): Promise<Sent> {
    const seq = this.seq;
    this.seq = (this.seq + 1) & 0xff;
    const bytes = encodeFrame({ type: FRAME_TYPES.request, op, seq, flags: 0, payload });
    this.counts.requests++;
    this.counts.sent += bytes.length;
    await this.line.write(bytes);
    return { op, payload, seq, bytes };
  }

  private async repeat(open: readonly Sent[]): Promise<void> {
    this.words = Math.max(1, this.words >> 1);
    this.calm = 0;
    for (const { bytes, reply } of open) {
      if (reply) continue;
      this.counts.repeats++;
      this.counts.sent += bytes.length;
      await this.line.write(bytes);
    }
  }

  private grow(): void {
    if (++this.calm < CALM || this.words === this.most) return;
    this.calm = 0;
    this.words = Math.min(this.most, 2 * this.words);
  }

  /** Gives replies to their requests; true if something has to be sent again at once. */
  private take(bytes: Uint8Array, open: readonly Sent[]): boolean {
    let again = false;
    for (const b of bytes) {
      const parsed = this.parser.push(b);
      if (!parsed) continue;
      if ("damaged" in parsed) again = true;
      else if (parsed.frame.type === FRAME_TYPES.nak) again = this.refused(parsed.frame, open) || again;
      else this.accept(parsed.frame, open);
    }
    return again && open.some((r) => !r.reply);
  }

  /** An answer came twice: had it only been waited for, nothing would have been sent again. */
  private slowDown(): void {
    if (!this.hasty) return;
    this.hasty = false;
    this.wait = Math.min(this.options.patience ?? 250, 2 * this.wait);
    this.words = Math.min(this.most, 2 * this.words);
  }

  private refused({ seq, flags }: Frame, open: readonly Sent[]): boolean {
    if (open[0]?.op === OPS.hello) return true;
    if (flags & NO_SESSION)
      throw new DeviceReset("device.lost", `${this.line.name} was reset and forgot the session; run the command again, and look at its supply if it happens again`, {
        what: this.line.name,
      });
    return open.some((r) => r.seq === seq);
  }

  private accept({ op, seq, flags, payload }: Frame, open: readonly Sent[]): void {
    const request = open.find((r) => r.seq === seq && r.op === op);
    if (!request || request.reply) this.slowDown();
    if (!request || request.reply || payload.length < 4) return;
    request.reply = payload;
    this.cycles = new DataView(payload.buffer, payload.byteOffset).getUint32(0, true);
    if (flags === STATUS.ok) return;
    const why = flags === STATUS.badLayer ? "a layer that is none" : "a request that is malformed";
    throw new SkintError("device.trap", `${this.line.name} refused ${why} (op ${op}); this is a bug of Skint: please report it with the model`, { what: this.line.name });
  }

  private giveUp(tries: number): SkintError {
    const what = { what: this.line.name };
    if (this.counts.received === 0)
      return new SkintError(
        "device.unavailable",
        `nothing answers on ${this.line.name}; check the cable, the baud rate, and that the board's image is loaded (skint flash build)`,
        what,
      );
    const percent = (100 * this.errorRate).toPrecision(2);
    return new SkintError(
      "device.noisy",
      `${this.line.name} answered none of ${tries} tries; about ${percent} % of bytes are damaged or lost: use a shorter cable or a lower baud rate, and check the ground`,
      what,
    );
  }
}
