// Signals as codes and what changed in them (specs/delta-activation.md §§2-6): code = x / step, rounded half to even and clamped; an event is sent where a
// code is further than `hold` from the one that was sent last, which it replaces. Whole numbers against what was sent, never against the frame before: a
// sum of events is the code that was sent, for ever, and slow motion is not lost. With hold 0 (rule `quant`) the signal is at most step / 2 from what was
// sent, with another (rule `hysteresis`) at most (hold + 1/2) · step.
import { SkintError } from "../errors.ts";
import { roundEven } from "../num/round.ts";

export interface CoderOptions {
  /** Finite, above 0. */
  readonly step: number;
  /** Codes that a change must exceed; default 0. */
  readonly hold?: number;
  /** Codes are of so many bits, 2…16, symmetric; default 8: -127…127. */
  readonly bits?: number;
}

/** What changed in a step: ascending indices, and by how much each code did. */
export interface Changes {
  readonly indices: Uint32Array;
  readonly deltas: Int32Array;
}

export class DeltaCoder {
  /** Codes that were sent last [n]; zeros before the first. */
  readonly sent: Int16Array;
  /** Elements so far that were beyond the range of codes. */
  clamped = 0;
  private readonly hold: number;
  private readonly most: number;
  private readonly step: number;

  /** @param n elements of a signal. Throws `usage` for options that no codes come of. */
  constructor(n: number, { step, hold = 0, bits = 8 }: CoderOptions) {
    if (!(Number.isFinite(step) && step > 0)) throw new SkintError("usage", `the step is ${step}; give a finite number above 0`, { what: "step" });
    if (!Number.isInteger(hold) || hold < 0) throw new SkintError("usage", `hold is ${hold}; give a whole number of codes, 0 for none`, { what: "hold" });
    if (!Number.isInteger(bits) || bits < 2 || bits > 16) throw new SkintError("usage", `codes of ${bits} bits; give 2 to 16`, { what: "bits" });
    this.sent = new Int16Array(n);
    this.step = step;
    this.hold = hold;
    this.most = 2 ** (bits - 1) - 1;
  }

  /** What changed with the signal x f32 [n]. Throws `usage` for another length and `session.nan` for a number that is not finite; nothing has changed then. */
  encode(x: Float32Array): Changes {
    if (x.length !== this.sent.length) throw new SkintError("usage", `a signal of ${x.length} came, ${this.sent.length} were expected; reset the stream for another size`);
    const bad = x.findIndex((v) => !Number.isFinite(v));
    if (bad >= 0) throw new SkintError("session.nan", `element ${bad} of the signal is ${x[bad]}`, { what: "signal" });
    const indices: number[] = [];
    const deltas: number[] = [];
    x.forEach((v, i) => {
      const code = roundEven(v / this.step);
      const kept = Math.max(-this.most, Math.min(this.most, code));
      if (kept !== code) this.clamped++;
      const delta = kept - this.sent[i];
      if (Math.abs(delta) <= this.hold) return;
      indices.push(i);
      deltas.push(delta);
      this.sent[i] = kept;
    });
    return { indices: Uint32Array.from(indices), deltas: Int32Array.from(deltas) };
  }

  /** Forgets what was sent: the next step sends all that is not zero. */
  reset(): void {
    this.sent.fill(0);
  }
}
