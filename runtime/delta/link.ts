// Both ends of a stream of codes over a line that may lose payloads: a step that is not the next one, or not whole, is not gone on from; the receiver asks
// for a key frame instead, so that no error stays (specs/delta-activation.md §9). Framing, checksums and turns are the line's.
import { type Changes, type CoderOptions, DeltaCoder } from "./codes.ts";
import { decodePayload, encodeChanges, encodeKey, KEY, type Payload } from "./payload.ts";

const STEPS = 65536;

export interface SenderOptions extends CoderOptions {
  readonly layer: number;
  /** Most bytes of a payload. */
  readonly room: number;
}

export class DeltaSender {
  readonly coder: DeltaCoder;
  private step = 0;
  private key = true;

  constructor(
    n: number,
    private readonly options: SenderOptions,
  ) {
    this.coder = new DeltaCoder(n, options);
  }

  /** The next step is to be a key frame: the receiver asked for it. */
  wantKey(): void {
    this.key = true;
  }

  /** Payloads of the signal x f32 [n]; the first step is a key frame. */
  send(x: Float32Array): Uint8Array[] {
    const changes: Changes = this.coder.encode(x);
    const from = { ...this.options, step: this.step };
    const payloads = this.key ? encodeKey(this.coder.sent, from) : encodeChanges(changes, from);
    this.key = false;
    this.step = (this.step + 1) % STEPS;
    return payloads;
  }
}

export class DeltaReceiver {
  /** Codes as of the last whole step [n]. */
  readonly codes: Int16Array;
  /** Has it the codes of the sender's last step, or is it waiting for a key frame? */
  inStep = false;
  /** Steps that came whole. */
  steps = 0;
  private step = 0;
  private part = 0;
  private open: Payload["kind"] | undefined;
  private readonly pending: [index: number, value: number][] = [];

  constructor(
    n: number,
    private readonly layer: number,
  ) {
    this.codes = new Int16Array(n);
  }

  /**
   * Takes a payload; true if a key frame is wanted. Codes change with the last part of a step. Throws what `decodePayload` throws for one that is
   * malformed, which is then as if it had not come.
   */
  receive(bytes: Uint8Array): boolean {
    const p = decodePayload(bytes, this.codes.length);
    if (p.layer !== this.layer) return !this.inStep;
    if (!this.follows(p)) {
      this.inStep = false;
      this.open = undefined;
      return true;
    }
    if (p.part === 0) this.pending.length = 0;
    this.open = p.kind;
    this.part = p.part + 1;
    this.step = p.step;
    p.indices.forEach((index, i) => {
      this.pending.push([index, p.values[i]]);
    });
    if (this.part === p.parts) this.commit(p);
    return false;
  }

  private follows(p: Payload): boolean {
    if (p.part > 0) return this.open === p.kind && p.step === this.step && p.part === this.part;
    return p.kind === KEY || (this.inStep && this.open === undefined && p.step === (this.step + 1) % STEPS);
  }

  private commit({ kind }: Payload): void {
    if (kind === KEY) this.codes.fill(0);
    for (const [index, value] of this.pending) this.codes[index] += value;
    this.open = undefined;
    this.inStep = true;
    this.steps++;
  }
}
