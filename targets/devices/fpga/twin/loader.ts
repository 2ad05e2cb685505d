// Skint's resident loader in software: the same bytes as the Verilated one's (rtl/loader/). Behind it lies a flash on a serial bus, which it alone
// drives. Once it has started what was written, the bytes are the started device's.
import { joined } from "../link/arrivals.ts";
import { crc32 } from "../link/crc.ts";
import { encodeFrame, FRAME_TYPES, type Frame, FrameParser, MAX_PAYLOAD, VERSION } from "../link/frame.ts";
import { LOADER_OPS, MAX_DATA, words32 } from "../link/loader.ts";
import { encodeHello, type Hello, NO_SESSION, OPS, STATUS, WINDOW } from "../link/protocol.ts";

/** The bus, as far as the loader drives it. */
export interface FlashBus {
  select(): void;
  transfer(byte: number): number;
  deselect(): void;
}

export interface LoaderTwinOptions {
  readonly board: string;
  readonly build: string;
  readonly khz: number;
  readonly start: number;
  readonly end: number;
  readonly bus: FlashBus;
}

const PAGE = 256;
const SECTOR = 4096;
const EMPTY = new Uint8Array(0);
type Answer = readonly [status: number, payload: Uint8Array];
const MALFORMED: Answer = [STATUS.malformed, EMPTY];

export class LoaderTwin {
  /** It has handed over to what was written. */
  booted = false;
  /** It will, as soon as the line is quiet: its answer may have to be given again. */
  private leaving = false;
  private readonly hello: Hello;
  private parser = new FrameParser([FRAME_TYPES.request]);
  private kept: (Frame | undefined)[] = [];
  private live = false;
  private expected = 0;

  constructor(private readonly o: LoaderTwinOptions) {
    const words = { weights: 0, activations: 0, parameters: 0 };
    this.hello = { version: VERSION, window: WINDOW, maxPayload: MAX_PAYLOAD, board: o.board, build: o.build, words, lanes8: 0, lanes4: 0, khz: o.khz };
  }

  /** The answers to these bytes; those behind a start are nobody's here. */
  feed(bytes: Uint8Array): Uint8Array {
    const out: Uint8Array[] = [];
    for (const b of bytes) {
      const parsed = this.booted ? undefined : this.parser.push(b);
      if (parsed) out.push(encodeFrame("frame" in parsed ? this.answer(parsed.frame) : this.nak(parsed.damaged.op)));
    }
    return joined(out);
  }

  /** The line was silent for longer than LEAVE_CHARACTERS. */
  quiet(): void {
    this.parser.quiet();
    this.booted ||= this.leaving;
  }

  reset(): void {
    this.booted = false;
    this.leaving = false;
    this.parser = new FrameParser([FRAME_TYPES.request]);
    this.kept = [];
    this.live = false;
    this.expected = 0;
  }

  private nak(op: number): Frame {
    return { type: FRAME_TYPES.nak, op, seq: this.expected, flags: this.live ? 0 : NO_SESSION, payload: EMPTY };
  }

  private answer({ op, seq, payload }: Frame): Frame {
    if (op === OPS.hello) {
      this.live = true;
      this.kept = [];
      this.expected = seq;
    } else {
      const kept = this.kept[seq & 1];
      const behind = (this.expected - seq) & 0xff;
      if (this.live && kept?.seq === seq && (behind === 1 || behind === 2)) return kept;
      if (!this.live || seq !== this.expected) return this.nak(op);
    }
    this.expected = (seq + 1) & 0xff;
    const [status, said] = this.perform(op, payload);
    const all = new Uint8Array(4 + said.length);
    all.set(said, 4);
    const reply = { type: FRAME_TYPES.reply, op, seq, flags: status, payload: all };
    this.kept[seq & 1] = reply;
    return reply;
  }

  private perform(op: number, payload: Uint8Array): Answer {
    if (op === OPS.hello) return [STATUS.ok, encodeHello(this.hello, 0).subarray(4)];
    const { start, end } = this.o;
    if (op === LOADER_OPS.identify) return [STATUS.ok, Uint8Array.of(...this.bus([0x9f], 3), 0, ...words32(start, end))];
    const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    if (payload.length < 4) return MALFORMED;
    const at = view.getUint32(0, true);
    const rest = payload.length - 4;
    if (op === LOADER_OPS.erase && rest === 0) return this.write(at, SECTOR, SECTOR, [0x20]);
    if (op === LOADER_OPS.program && rest >= 1 && rest <= MAX_DATA) return this.write(at, rest, PAGE, [0x02], payload.subarray(4));
    if (op === LOADER_OPS.fetch && rest === 2 && at < 2 ** 24 && view.getUint16(4, true) <= MAX_DATA) return [STATUS.ok, this.bus([0x03, ...address(at)], view.getUint16(4, true))];
    if (op === LOADER_OPS.boot && rest === 4 && at <= end - start) return this.boot(at, view.getUint32(4, true));
    return MALFORMED;
  }

  /** In the region, and within one unit of the flash; a sector begins where a sector does. */
  private write(at: number, count: number, unit: number, command: readonly number[], data: Uint8Array = EMPTY): Answer {
    const { start, end } = this.o;
    if (at < start || at >= end || end - at < count || (at % unit) + count > unit) return MALFORMED;
    this.bus([0x06], 0);
    this.bus([...command, ...address(at), ...data], 0);
    while (this.bus([0x05], 1)[0] & 1);
    return [STATUS.ok, EMPTY];
  }

  private boot(length: number, crc: number): Answer {
    const sum = crc32(this.bus([0x03, ...address(this.o.start)], length));
    this.leaving = sum === crc;
    return [STATUS.ok, words32(sum)];
  }

  private bus(out: readonly number[], count: number): Uint8Array {
    const { bus } = this.o;
    bus.select();
    for (const b of out) bus.transfer(b);
    const got = new Uint8Array(count);
    for (let i = 0; i < count; i++) got[i] = bus.transfer(0);
    bus.deselect();
    return got;
  }
}

const address = (at: number) => [(at >> 16) & 255, (at >> 8) & 255, at & 255];
