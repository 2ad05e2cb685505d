// Signals over a serial line: a sensor sends what changed in each step, framed as everything else (frame.ts), and the far end has its codes. Frames are
// requests of op SIGNAL, each one payload of runtime/delta/payload.ts; the only reply asks for a key frame. Nothing is sent twice: a step that a noisy
// line lost is made good by the key frame, and the newest step is worth more than the lost one.
import { DeltaReceiver, DeltaSender, type SenderOptions } from "../../../../runtime/delta/link.ts";
import { encodeFrame, FRAME_TYPES, FrameParser, MAX_PAYLOAD } from "./frame.ts";
import type { Line } from "./line.ts";

/** Far from the ops of a device (protocol.ts): a line that has both never takes one for the other. */
const SIGNAL = 64;

const EMPTY = new Uint8Array(0);

export type SignalOptions = Omit<SenderOptions, "room" | "layer"> & {
  /** Which signal of several on one line, 0…255; default 0. */
  readonly layer?: number;
};

/** The sensor's end. */
export class SignalSender {
  private readonly sender: DeltaSender;
  private readonly replies = new FrameParser([FRAME_TYPES.reply]);
  private readonly layer: number;
  private seq = 0;

  /** @param n elements of a signal. Throws `usage` for options that no codes come of. */
  constructor(
    private readonly line: Line,
    n: number,
    options: SignalOptions,
  ) {
    this.layer = options.layer ?? 0;
    this.sender = new DeltaSender(n, { ...options, layer: this.layer, room: MAX_PAYLOAD });
  }

  /** Codes that the far end has when all arrived, i16 [n]. */
  get codes(): Int16Array {
    return this.sender.coder.sent;
  }

  /**
   * Sends what changed in the signal x f32 [n]; all of it in the first step and where the far end asked.
   * @returns bytes on the line. Throws `usage` for another length, `session.nan` for a number that is not finite, `device.lost` with the line.
   */
  async send(x: Float32Array): Promise<number> {
    for (const byte of await this.line.read(0)) {
      const parsed = this.replies.push(byte);
      if (parsed && "frame" in parsed && parsed.frame.op === SIGNAL && parsed.frame.flags === this.layer) this.sender.wantKey();
    }
    let sent = 0;
    for (const payload of this.sender.send(x)) {
      const bytes = encodeFrame({ type: FRAME_TYPES.request, op: SIGNAL, seq: this.seq, flags: this.layer, payload });
      this.seq = (this.seq + 1) & 255;
      await this.line.write(bytes);
      sent += bytes.length;
    }
    return sent;
  }
}

/** The end that has the model. */
export class SignalReceiver {
  private readonly receiver: DeltaReceiver;
  private readonly frames = new FrameParser([FRAME_TYPES.request]);
  private readonly layer: number;
  private arrived: Uint8Array = EMPTY;
  private at = 0;

  /** @param n elements of a signal; `layer`: which of several on one line, default 0 */
  constructor(
    private readonly line: Line,
    n: number,
    { layer = 0 }: { readonly layer?: number } = {},
  ) {
    this.layer = layer;
    this.receiver = new DeltaReceiver(n, layer);
  }

  /**
   * Codes of the next step that comes whole, i16 [n]; times the sender's `step` they are the signal. The array is written again by the next call.
   * @param ms silence that is waited for
   * @returns undefined if the line stayed silent. Throws `format.*` for a payload about another signal, `device.lost` with the line.
   */
  async next(ms: number): Promise<Int16Array | undefined> {
    for (;;) {
      while (this.at < this.arrived.length) if (await this.take(this.arrived[this.at++])) return this.receiver.codes;
      this.arrived = await this.line.read(ms);
      this.at = 0;
      if (this.arrived.length > 0) continue;
      this.frames.quiet();
      return undefined;
    }
  }

  /** Does this byte end a step? */
  private async take(byte: number): Promise<boolean> {
    const parsed = this.frames.push(byte);
    if (!parsed || !("frame" in parsed) || parsed.frame.op !== SIGNAL || parsed.frame.flags !== this.layer) return false;
    const before = this.receiver.steps;
    if (this.receiver.receive(parsed.frame.payload))
      await this.line.write(encodeFrame({ type: FRAME_TYPES.reply, op: SIGNAL, seq: parsed.frame.seq, flags: this.layer, payload: EMPTY }));
    return this.receiver.steps > before;
  }
}
