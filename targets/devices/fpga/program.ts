// A plan run on two devices: linears whose weights lie on the FPGA there, everything else in WebAssembly, segment by segment. What goes over is int8
// rows there and sums back; the floats are done on this side, in the order that every device keeps.

import { ACTS } from "../../../runtime/act/catalogue.gen.ts";
import { SkintError } from "../../../runtime/errors.ts";
import { byteLength, rowStride } from "../../../runtime/graph/formats.ts";
import type { Slot } from "../../../runtime/graph/types.ts";
import { parseLinearVariant } from "../../../runtime/ops/linear/variant.ts";
import type { Meter, Program } from "../../../runtime/plan/device.ts";
import type { Plan, Step } from "../../../runtime/plan/types.ts";
import { SCHEMES } from "../../../runtime/quant/catalogue.gen.ts";
import type { WasmProgram } from "../wasm/program.ts";
import { DeviceReset, type Session, type Traffic } from "./link/session.ts";
import { load, multiply, outputs, type Placed, Placer, type Section, scalesOf, sectionsOf } from "./resident.ts";

export interface FpgaMeter extends Meter {
  /** Clocks of the engine, and the multiply-adds it did in them. */
  readonly cycles: number;
  readonly macs: number;
  readonly link: Traffic;
  /** Wall time spent on the line and the engine together. */
  readonly linkMs: number;
}

export interface FpgaHooks {
  readonly now: () => number;
  readonly onLoad?: (done: number, total: number) => void;
}

interface Loaded {
  readonly placed: Placed;
  readonly scales: Float32Array;
}

/** Resets in a row after which a device is given up. */
const RESETS = 3;

export class FpgaProgram implements Program {
  /** Linears on the FPGA, by the name of their weights. */
  readonly placed = new Map<string, Placed>();
  private readonly plans: ReadonlyMap<string, Plan>;
  private readonly rows: Record<Slot, number> = { T: 0, pos: 0, L: 0 };
  private loaded: Map<string, Loaded> | undefined;
  private sections: Section[] = [];
  private counts = { cycles: 0, macs: 0, linkMs: 0 };

  constructor(
    private readonly inner: WasmProgram,
    private readonly session: Session,
    plans: readonly Plan[],
    private readonly hooks: FpgaHooks,
  ) {
    this.plans = new Map(plans.map((p) => [p.name, p]));
    const placer = new Placer(session.hello);
    for (const step of plans[0].steps) {
      if (step.op !== "linear" || this.placed.has(step.tensors.w)) continue;
      const placed = placer.place({ variant: step.variant, n: step.attrs.n, k: step.attrs.k });
      if (placed) this.placed.set(step.tensors.w, placed);
    }
  }

  /** What its linears are on: an FPGA, or an MCU by the name it says. */
  get device(): string {
    return this.session.hello.lanes8 ? "FPGA" : this.session.hello.board;
  }

  get memoryBytes(): number {
    return this.inner.memoryBytes;
  }

  view(tensor: string): Uint8Array<ArrayBufferLike> {
    return this.inner.view(tensor);
  }

  setSlot(slot: Slot, value: number): void {
    this.rows[slot] = value;
    this.inner.setSlot(slot, value);
  }

  /** Throws `device.lost`, `device.noisy` where the line fails; the program can be used again when it works again. */
  async execute(name: string, from = 0, to?: number): Promise<void> {
    const plan = this.plans.get(name);
    if (!plan) throw new SkintError("graph.invalid", `there is no plan ${name}`, { what: name });
    const end = to ?? plan.steps.length;
    let start = from;
    for (let i = from; i < end; i++) {
      const placed = this.placedOf(plan.steps[i]);
      if (!placed) continue;
      this.inner.execute(name, start, i);
      await this.linear(plan, plan.steps[i], placed);
      start = i + 1;
    }
    this.inner.execute(name, start, end);
  }

  /** A plan may join linears that another does not; the FPGA has those of the first one. */
  placedOf({ op, tensors, attrs, variant }: Step): Placed | undefined {
    const placed = op === "linear" ? this.placed.get(tensors.w) : undefined;
    return placed && placed.n === attrs.n && placed.variant === variant ? placed : undefined;
  }

  private async linear(plan: Plan, step: Step, placed: Placed): Promise<void> {
    const start = this.hooks.now();
    const { scales } = (await this.load(plan)).get(step.tensors.w) as Loaded;
    const rows = typeof step.rows === "number" ? step.rows : this.rows[step.rows as Slot];
    const f32 = (field: string) => (step.tensors[field] === undefined ? undefined : this.floats(plan, step.tensors[field]));
    const x = this.bytes(plan, step.tensors.x);
    const format = ACTS[parseLinearVariant(step.variant).act];
    const stride = { x: format.bytes(placed.k), y: strideOf(plan, step.tensors.y), residual: strideOf(plan, step.tensors.residual) };
    const [y, bias, residual] = [f32("y") as Float32Array, f32("bias"), f32("residual")];
    for (let t = 0; t < rows; t++) {
      const { codes, scale } = format.decode(x.subarray(t * stride.x, (t + 1) * stride.x), placed.k);
      const { sums, cycles } = await this.again(() => multiply(this.session, placed, Int8Array.from(codes)));
      const row = outputs(placed, sums, scales, scale);
      for (let r = 0; r < placed.n; r++) {
        let v = row[r];
        if (bias) v = Math.fround(v + bias[r]);
        if (residual) v = Math.fround(v + residual[t * stride.residual + r]);
        y[t * stride.y + r] = v;
      }
      this.counts.cycles += cycles;
      this.counts.macs += placed.n * placed.k;
    }
    this.counts.linkMs += this.hooks.now() - start;
  }

  /** Brings the weights over, once: the model's are in memory when it runs for the first time. */
  private async load(plan: Plan): Promise<Map<string, Loaded>> {
    if (this.loaded) return this.loaded;
    const loaded = new Map<string, Loaded>();
    this.sections = [];
    for (const [w, placed] of this.placed) {
      const packed = this.inner.bytes(plan.name, w, SCHEMES[parseLinearVariant(placed.variant).scheme.name].bytes(placed.n, placed.k));
      this.sections.push(...sectionsOf(placed, packed));
      loaded.set(w, { placed, scales: scalesOf(placed, packed) });
    }
    await this.again(() => load(this.session, this.sections, this.hooks.onLoad));
    this.loaded = loaded;
    return loaded;
  }

  /** Does it once more if the device was reset: its memories are looked at, and what is gone is written anew. */
  private async again<T>(what: () => Promise<T>): Promise<T> {
    for (let resets = 0; ; resets++)
      try {
        if (resets) {
          await this.session.reopen();
          await load(this.session, this.sections);
        }
        return await what();
      } catch (e) {
        if (!(e instanceof DeviceReset) || resets === RESETS) throw e;
      }
  }

  private bytes(plan: Plan, tensor: string): Uint8Array {
    const t = plan.tensors.get(tensor);
    const whole = plan.tensors.get(t?.view?.of ?? tensor);
    if (!whole) throw new SkintError("graph.invalid", `plan ${plan.name} has no tensor ${tensor}`, { what: tensor });
    return this.inner.bytes(plan.name, tensor, byteLength(whole, plan.symbols) - 4 * (t?.view?.offset ?? 0));
  }

  private floats(plan: Plan, tensor: string): Float32Array {
    const b = this.bytes(plan, tensor);
    return new Float32Array(b.buffer, b.byteOffset, b.length / 4);
  }

  meter(): FpgaMeter {
    return { ...this.inner.meter(), ...this.counts, link: this.session.traffic };
  }

  close(): void {
    this.inner.close();
    void this.session.line.close();
  }
}

/** Elements between two rows of a tensor of f32. */
function strideOf(plan: Plan, name: string | undefined): number {
  const t = name === undefined ? undefined : plan.tensors.get(name);
  return t ? rowStride(t.view ? (plan.tensors.get(t.view.of) ?? t) : t) : 0;
}
