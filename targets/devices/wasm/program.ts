// Plans and tensors in one WebAssembly memory, and the walk over them. Addresses:
//   [0, 64 KiB) static data of the core · control block · slots and row cells · encoded plans · tensors of the memory map
import { SkintError } from "../../../runtime/errors.ts";
import { byteLength, rowStride } from "../../../runtime/graph/formats.ts";
import { SLOTS, type Slot } from "../../../runtime/graph/types.ts";
import { roundup } from "../../../runtime/num/int.ts";
import { OPS } from "../../../runtime/ops/catalogue.gen.ts";
import type { Meter, Program } from "../../../runtime/plan/device.ts";
import { type MemoryMap, offsetOf } from "../../../runtime/plan/memory.ts";
import type { Plan, Step } from "../../../runtime/plan/types.ts";
import type { Host, Lane } from "../../hosts/host.ts";
import { CONTROL, CONTROL_BYTES, LANE_BYTES } from "./control.ts";
import { type CoreExports, instantiate, poison } from "./core.ts";
import { encodeRecord, RECORD_BYTES } from "./encode.ts";
import { Governor } from "./governor.ts";

const PAGE = 65536;
const CONTROL_AT = PAGE;
const CELLS_AT = CONTROL_AT + roundup(CONTROL_BYTES, 128);
const CELLS_BYTES = 1024;
const RECORDS_AT = CELLS_AT + CELLS_BYTES;
const MAX_BYTES = 65536 * PAGE;
/** Turns of spinning before a lane sleeps, about 25-50 µs: longer than a unit, as a wake costs 40-100 µs. */
const SPIN = 50_000;

export interface WasmCore {
  readonly module: WebAssembly.Module;
  readonly kernels: readonly string[];
  readonly shared: boolean;
  readonly lanes: number;
}

interface Encoded {
  readonly plan: Plan;
  readonly at: number;
}

export class WasmProgram implements Program {
  readonly memoryBytes: number;
  private readonly memory: WebAssembly.Memory;
  private readonly core: CoreExports;
  private readonly base: number;
  private readonly plans = new Map<string, Encoded>();
  private readonly cells = new Map<number, number>();
  private readonly lanes: Lane[] = [];
  private readonly words: Uint32Array;
  private readonly governor: Governor;
  private executions = 0;
  private step = 0;
  private failure: SkintError | undefined;

  constructor(
    private readonly host: Host,
    private readonly wasm: WasmCore,
    private readonly map: MemoryMap,
    plans: readonly Plan[],
  ) {
    const records = plans.reduce((sum, p) => sum + p.steps.length * RECORD_BYTES, 0);
    this.base = roundup(RECORDS_AT + records, 64);
    this.memoryBytes = roundup(this.base + map.bytes, PAGE);
    this.memory = createMemory(this.memoryBytes, wasm.shared);
    this.words = new Uint32Array(this.memory.buffer, 0, RECORDS_AT / 4);
    this.core = instantiate(wasm.module, this.memory);
    this.governor = new Governor(wasm.lanes);
    let at = RECORDS_AT;
    for (const plan of plans) {
      this.plans.set(plan.name, { plan, at });
      plan.steps.forEach((s, i) => {
        this.encode(plan, s, at + i * RECORD_BYTES);
      });
      at += plan.steps.length * RECORD_BYTES;
    }
    this.words[(CONTROL_AT + CONTROL.SPIN) / 4] = SPIN;
    // A claim takes ceil(left / (1.5 · lanes)) units; the divisor is kept in halves.
    this.words[(CONTROL_AT + CONTROL.DIVISOR) / 4] = 3 * wasm.lanes;
    this.words[(CONTROL_AT + CONTROL.TICKET) / 4] = 0xffffffff;
    this.words[(CONTROL_AT + CONTROL.TICKET) / 4 + 1] = 0x00ffffff >>> 0;
    for (let lane = 1; lane < wasm.lanes; lane++) this.lanes.push(host.spawnLane({ module: wasm.module, memory: this.memory, control: CONTROL_AT, lane }, (m) => this.fail(m)));
  }

  private encode(plan: Plan, s: Step, at: number): void {
    const address = (name: string | undefined) => (name === undefined ? 0 : this.checked(plan, name));
    encodeRecord(new DataView(this.memory.buffer), at, OPS[s.op], {
      kernel: this.wasm.kernels.indexOf(s.kernel),
      units: s.units,
      address: (field) => (field === "rows" ? this.rowsCell(s) : s.slots[field] ? slotAt(s.slots[field]) : address(s.tensors[field])),
      stride: (field) => {
        const t = s.tensors[field] === undefined ? undefined : plan.tensors.get(s.tensors[field]);
        return t ? rowStride(t.view ? (plan.tensors.get(t.view.of) ?? t) : t) : 0;
      },
      value: (field) => s.attrs[field],
    });
  }

  /** Absolute address of a tensor; u32 arithmetic in the core wraps silently, so it is proven here that all its bytes are in memory. */
  private checked(plan: Plan, name: string): number {
    const t = plan.tensors.get(name);
    const whole = plan.tensors.get(t?.view?.of ?? name);
    if (!t || !whole) throw new SkintError("graph.invalid", `plan ${plan.name} names tensor ${name}, which it does not define`, { what: name });
    const start = this.base + offsetOf(this.map, plan, whole.name);
    const end = start + byteLength(whole, plan.symbols);
    if (!(start >= this.base && end <= this.memoryBytes))
      throw new SkintError("plan.memory", `tensor ${name} would lie at bytes ${start} to ${end} of ${this.memoryBytes}; this is a bug in the memory map: please report the model`, {
        what: name,
      });
    return start + 4 * (t.view?.offset ?? 0);
  }

  private rowsCell(s: Step): number {
    if (s.rows === "T" || s.rows === "L") return slotAt(s.rows);
    if (typeof s.rows !== "number") throw new SkintError("graph.invalid", `step ${s.name} runs over ${s.rows} rows`, { what: s.name });
    let at = this.cells.get(s.rows);
    if (at === undefined) {
      at = CELLS_AT + 4 * (SLOTS.length + this.cells.size);
      this.cells.set(s.rows, at);
      this.words[at / 4] = s.rows;
    }
    return at;
  }

  view(tensor: string): Uint8Array<ArrayBufferLike> {
    const r = this.map.tensors.get(tensor);
    if (!r) throw new SkintError("graph.invalid", `tensor ${tensor} has no place of its own in device memory`, { what: tensor });
    return new Uint8Array(this.memory.buffer, this.base + r.offset, r.bytes);
  }

  setSlot(slot: Slot, value: number): void {
    this.words[slotAt(slot) / 4] = value;
  }

  execute(name: string, from = 0, to?: number): void {
    if (this.failure) throw this.failure;
    const encoded = this.plans.get(name);
    if (!encoded) throw new SkintError("graph.invalid", `there is no plan ${name}`, { what: name });
    const end = to ?? encoded.plan.steps.length;
    if (end <= from) return;
    this.words[(CONTROL_AT + CONTROL.PLAN) / 4] = encoded.at + from * RECORD_BYTES;
    this.words[(CONTROL_AT + CONTROL.COUNT) / 4] = end - from;
    const key = `${name}:${this.words[slotAt("T") / 4]}:${from}`;
    const lanes = this.governor.next(key);
    const start = this.host.now();
    if (lanes === 1) this.walkAlone();
    else this.walkTogether();
    this.governor.done(key, lanes, this.host.now() - start);
    this.executions++;
  }

  private walkAlone(): void {
    try {
      this.core.alone(CONTROL_AT);
    } catch (e) {
      // The other lanes sleep: they would for ever.
      if (this.wasm.shared) poison(this.memory, CONTROL_AT);
      this.fail(String(e));
    }
    if (this.failure) throw this.failure;
  }

  private walkTogether(): void {
    this.step = (this.step + 1) & 0xffffff;
    const ticket = CONTROL_AT + CONTROL.TICKET;
    const tickets = new BigUint64Array(this.memory.buffer, ticket, 1);
    Atomics.store(tickets, 0, BigInt(this.step) << 40n);
    if (Atomics.load(this.words, (CONTROL_AT + CONTROL.SLEEPERS) / 4)) Atomics.notify(new Int32Array(this.memory.buffer, ticket, 1), 0);
    try {
      this.core.walk(CONTROL_AT, 0, 0);
    } catch (e) {
      poison(this.memory, CONTROL_AT);
      this.fail(String(e));
    }
    // POISON is stored before FINISHED: a lane may have left on the one before the other is there.
    if (Atomics.load(this.words, (CONTROL_AT + CONTROL.POISON) / 4)) this.fail("a worker trapped");
    if (this.failure) throw this.failure;
  }

  /** Names the steps that were in hand; the first report counts. */
  private fail(message: string): void {
    const inHand: string[] = [];
    for (let lane = 0; lane < this.wasm.lanes; lane++) {
      const at = this.words[(CONTROL_AT + CONTROL.LANE + lane * LANE_BYTES) / 4];
      for (const { plan, at: first } of this.plans.values()) {
        const s = plan.steps[(at - first) / RECORD_BYTES];
        if (at >= first && s) inHand.push(`${s.name} (${s.kernel})`);
      }
    }
    this.failure ??= new SkintError(
      "device.trap",
      `the core trapped (${message}) with ${inHand.join(", ") || "no step"} in hand; weights are intact, the session's state is not: load the model again and report the model and step`,
      {
        what: inHand[0],
      },
    );
  }

  meter(): Meter {
    return { executions: this.executions, oneLane: this.governor.oneLane };
  }

  close(): void {
    for (const lane of this.lanes) lane.terminate();
    this.lanes.length = 0;
    this.failure ??= new SkintError("session.failed", "the model was closed; load it again to use it");
  }
}

function slotAt(slot: Slot): number {
  return CELLS_AT + 4 * SLOTS.indexOf(slot);
}

function createMemory(bytes: number, shared: boolean): WebAssembly.Memory {
  const mib = (n: number) => `${Math.ceil(n / 2 ** 20)} MiB`;
  if (bytes > MAX_BYTES)
    throw new SkintError("plan.memory", `the model needs ${mib(bytes)} of memory, WebAssembly can address ${mib(MAX_BYTES)}; choose a smaller scheme or a shorter --context`);
  try {
    return new WebAssembly.Memory({ initial: bytes / PAGE, maximum: bytes / PAGE, shared });
  } catch (e) {
    throw new SkintError("plan.memory", `the engine refused ${mib(bytes)} of memory; choose a smaller scheme or a shorter --context, or free memory`, {}, { cause: e });
  }
}
