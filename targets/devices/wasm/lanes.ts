// Lanes over one memory: an instance of a module on this thread, workers for the rest, and the control block they share (control.ts).
// What the records mean is their module's business: programs and the tools' linear algebra run on it.
import type { Host, Lane } from "../../hosts/host.ts";
import { CONTROL, LANE_BYTES } from "./control.ts";
import { instantiate, poison } from "./core.ts";

/** Turns of spinning before a lane sleeps, about 25-50 µs: longer than a unit, as a wake costs 40-100 µs. */
const SPIN = 50_000;

export interface LanesOptions {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Address of the control block. */
  readonly control: number;
  readonly lanes: number;
  /** Is the memory shared? */
  readonly shared: boolean;
  /** Told once for each lane that trapped; the lanes are of no use from then on. */
  readonly onTrap: (message: string) => void;
}

export class Lanes {
  private readonly core: ReturnType<typeof instantiate>;
  private readonly words: Uint32Array;
  private readonly workers: Lane[] = [];
  private step = 0;

  constructor(
    host: Host,
    private readonly o: LanesOptions,
  ) {
    this.core = instantiate(o.module, o.memory);
    this.words = new Uint32Array(o.memory.buffer, o.control, CONTROL.LANE / 4 + (o.lanes * LANE_BYTES) / 4);
    this.words[CONTROL.SPIN / 4] = SPIN;
    // A claim takes ceil(left / (1.5 · lanes)) units; the divisor is kept in halves.
    this.words[CONTROL.DIVISOR / 4] = 3 * o.lanes;
    this.words[CONTROL.TICKET / 4] = 0xffffffff;
    this.words[CONTROL.TICKET / 4 + 1] = 0x00ffffff >>> 0;
    const { module, memory, control } = o;
    for (let lane = 1; lane < o.lanes; lane++) this.workers.push(host.spawnLane({ module, memory, control, lane }, o.onTrap));
  }

  /** Runs `count` records from address `records` on, on this lane only or on all. */
  run(records: number, count: number, alone: boolean): void {
    this.words[CONTROL.PLAN / 4] = records;
    this.words[CONTROL.COUNT / 4] = count;
    try {
      if (alone) this.core.alone(this.o.control);
      else this.walkTogether();
    } catch (e) {
      // The other lanes sleep, or wait for this one: they would for ever.
      if (this.o.shared) poison(this.o.memory, this.o.control);
      this.o.onTrap(String(e));
    }
  }

  private walkTogether(): void {
    const { memory, control } = this.o;
    this.step = (this.step + 1) & 0xffffff;
    const ticket = control + CONTROL.TICKET;
    Atomics.store(new BigUint64Array(memory.buffer, ticket, 1), 0, BigInt(this.step) << 40n);
    if (Atomics.load(this.words, CONTROL.SLEEPERS / 4)) Atomics.notify(new Int32Array(memory.buffer, ticket, 1), 0);
    this.core.walk(control, 0, 0);
    // POISON is stored before FINISHED: a lane may have left on the one before the other is there.
    if (Atomics.load(this.words, CONTROL.POISON / 4)) this.o.onTrap("a worker trapped");
  }

  /** Addresses of the records that lanes have in hand: after a trap, of those that trapped. */
  inHand(): number[] {
    return Array.from({ length: this.o.lanes }, (_, lane) => this.words[(CONTROL.LANE + lane * LANE_BYTES) / 4]).filter((at) => at !== 0);
  }

  terminate(): void {
    for (const worker of this.workers) worker.terminate();
    this.workers.length = 0;
  }
}
