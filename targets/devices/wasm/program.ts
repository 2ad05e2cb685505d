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
import type { Host } from "../../hosts/host.ts";
import { CONTROL_BYTES } from "./control.ts";
import { encodeRecord, RECORD_BYTES } from "./encode.ts";
import { Governor } from "./governor.ts";
import { Lanes } from "./lanes.ts";

const PAGE = 65536;
const CONTROL_AT = PAGE;
const CELLS_AT = CONTROL_AT + roundup(CONTROL_BYTES, 128);
const CELLS_BYTES = 1024;
const RECORDS_AT = CELLS_AT + CELLS_BYTES;
const MAX_BYTES = 65536 * PAGE;

export interface WasmCore {
  readonly module: WebAssembly.Module;
  readonly kernels: readonly string[];
  readonly shared: boolean;
  readonly lanes: number;
  /** Tests these kernels once more; returns those that fail. */
  prove?(kernels: ReadonlySet<string>): string[];
}

/** Executions after which the engine has optimised what a model runs: another machine code, which is proven too. */
const WARM = 100;

interface Encoded {
  readonly plan: Plan;
  readonly at: number;
}

export class WasmProgram implements Program {
  readonly memoryBytes: number;
  private readonly memory: WebAssembly.Memory;
  private readonly base: number;
  private readonly plans = new Map<string, Encoded>();
  private readonly cells = new Map<number, number>();
  private readonly lanes: Lanes;
  private readonly words: Uint32Array;
  private readonly governor: Governor;
  private executions = 0;
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
    this.governor = new Governor(wasm.lanes);
    let at = RECORDS_AT;
    for (const plan of plans) {
      this.plans.set(plan.name, { plan, at });
      plan.steps.forEach((s, i) => {
        this.encode(plan, s, at + i * RECORD_BYTES);
      });
      at += plan.steps.length * RECORD_BYTES;
    }
    const { module, shared, lanes } = wasm;
    this.lanes = new Lanes(host, { module, memory: this.memory, control: CONTROL_AT, lanes, shared, onTrap: (m) => this.fail(m) });
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

  /** `length` bytes from the beginning of any tensor of a plan, for a device that computes beside this one. */
  bytes(plan: string, tensor: string, length: number): Uint8Array {
    const encoded = this.plans.get(plan);
    if (!encoded) throw new SkintError("graph.invalid", `there is no plan ${plan}`, { what: plan });
    return new Uint8Array(this.memory.buffer, this.checked(encoded.plan, tensor), length);
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
    const key = `${name}:${this.words[slotAt("T") / 4]}:${from}:${end}`;
    const lanes = this.governor.next(key);
    const start = this.host.now();
    this.lanes.run(encoded.at + from * RECORD_BYTES, end - from, lanes === 1);
    if (this.failure) throw this.failure;
    this.governor.done(key, lanes, this.host.now() - start);
    this.executions++;
    if (this.executions === WARM) this.proveWarm();
  }

  private proveWarm(): void {
    const used = new Set([...this.plans.values()].flatMap(({ plan }) => plan.steps.map((s) => s.kernel)));
    const failed = this.wasm.prove?.(used) ?? [];
    if (failed.length === 0) return;
    this.failure = new SkintError(
      "device.disproved",
      `the engine broke ${failed.join(", ")} when it optimised the core, so that what this model said may be wrong; load it again: another build will be taken, or give --isa simd`,
      { what: failed[0] },
    );
    throw this.failure;
  }

  /** Names the steps that were in hand; the first report counts. */
  private fail(message: string): void {
    const inHand = this.lanes.inHand().flatMap((at) =>
      [...this.plans.values()].flatMap(({ plan, at: first }) => {
        const s = plan.steps[(at - first) / RECORD_BYTES];
        return at >= first && s ? [`${s.name} (${s.kernel})`] : [];
      }),
    );
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
    this.lanes.terminate();
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
