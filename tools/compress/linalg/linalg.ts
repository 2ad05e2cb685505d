// Linear algebra for compression, on all processors: matrices in one WebAssembly memory and the kernels of assembly/linalg over them.
// Matrices are row-major f64. Memory is a stack: what was made last is given back first. Any number of lanes gives the same bits.
import { readFileSync } from "node:fs";
import { SkintError } from "../../../runtime/errors.ts";
import { roundup } from "../../../runtime/num/int.ts";
import { RECORD_WORDS } from "../../../runtime/ops/define.ts";
import { CONTROL_BYTES } from "../../../targets/devices/wasm/control.ts";
import { fingerprint, instantiate } from "../../../targets/devices/wasm/core.ts";
import { RECORD_BYTES } from "../../../targets/devices/wasm/encode.ts";
import { Lanes } from "../../../targets/devices/wasm/lanes.ts";
import type { Host } from "../../../targets/hosts/host.ts";
import { built, host as node } from "../../../targets/hosts/node/host.ts";
import { KERNELS } from "./catalogue.gen.ts";

export type KernelName = (typeof KERNELS)[number];

/** Rows and columns of f64 from address `at` on; `stride` elements from a row to the next. */
export interface Matrix {
  readonly at: number;
  readonly rows: number;
  readonly cols: number;
  readonly stride: number;
}

/** One record (assembly/linalg/task.ts): a kernel over addresses a, b, c, sizes and strides. Fields that a kernel does not read may be absent. */
export interface Task {
  readonly kernel: KernelName;
  readonly units: number;
  readonly a: number;
  readonly b?: number;
  readonly c?: number;
  readonly m?: number;
  readonly n?: number;
  readonly k?: number;
  readonly lda?: number;
  readonly ldb?: number;
  readonly ldc?: number;
  readonly flags?: number;
  readonly alpha?: number;
}

const WORDS = ["a", "b", "c", "m", "n", "k", "lda", "ldb", "ldc", "flags"] as const;
const ALPHA_AT = 8 + 4 * WORDS.length;

const PAGE = 65536;
const MAX_PAGES = 65536;
const CONTROL_AT = PAGE;
const RECORDS_AT = CONTROL_AT + roundup(CONTROL_BYTES, 128);
/** Records that are run by one call. */
const BATCH = 1024;
const DATA_AT = RECORDS_AT + BATCH * RECORD_BYTES;
const FIRST_PAGES = 64;

/** More lanes than this are not taken unasked. */
const DEFAULT_LANES = 16;

export class Linalg {
  private readonly memory: WebAssembly.Memory;
  private readonly lanes: Lanes;
  private top = DATA_AT;
  private trap: string | undefined;

  constructor(
    module: WebAssembly.Module,
    readonly threads: number,
    host: Host = node,
  ) {
    this.memory = new WebAssembly.Memory({ initial: FIRST_PAGES, maximum: MAX_PAGES, shared: true });
    this.lanes = new Lanes(host, { module, memory: this.memory, control: CONTROL_AT, lanes: threads, shared: true, onTrap: (m) => this.fail(m) });
  }

  /** Starts the lanes; `close` when done. Throws `device.unavailable` if the module was not built. */
  static async open(threads = Math.min(node.parallelism, DEFAULT_LANES)): Promise<Linalg> {
    const module = await WebAssembly.compile(readFileSync(built("linalg.wasm")));
    const la = new Linalg(module, threads);
    if (instantiate(module, la.memory).fingerprint() >>> 0 === fingerprint(KERNELS, RECORD_WORDS)) return la;
    la.close();
    throw new SkintError("device.unavailable", "linalg.wasm is of another version than this program; run npm run build", { what: "linalg.wasm" });
  }

  private fail(message: string): void {
    this.trap ??= message;
  }

  /** Place for `bytes` bytes, on a multiple of 64; what stands there is not cleared. Throws `plan.memory`. */
  private place(bytes: number, what: string): number {
    const at = roundup(this.top, 64);
    const end = at + bytes;
    const have = this.memory.buffer.byteLength;
    try {
      if (end > have) this.memory.grow(Math.ceil((end - have) / PAGE));
    } catch (cause) {
      throw new SkintError("plan.memory", `linear algebra needs ${Math.ceil(end / 2 ** 20)} MiB for ${what}, which the engine refused (4096 MiB at most)`, {}, { cause });
    }
    this.top = end;
    return at;
  }

  /** A matrix of zeros. */
  matrix(rows: number, cols: number): Matrix {
    const m = { at: this.place(8 * rows * cols, `a matrix of ${rows} × ${cols}`), rows, cols, stride: cols };
    this.view(m).fill(0);
    return m;
  }

  /** A matrix with these values, row after row. */
  from(values: ArrayLike<number>, rows: number, cols: number): Matrix {
    const m = { at: this.place(8 * rows * cols, `a matrix of ${rows} × ${cols}`), rows, cols, stride: cols };
    this.view(m).set(values);
    return m;
  }

  /** Room for f32. */
  floats(length: number): { readonly at: number; readonly values: Float32Array } {
    const at = this.place(4 * length, `${length} floats`);
    return { at, values: new Float32Array(this.memory.buffer, at, length) };
  }

  /** The values of a matrix whose rows lie without gaps. */
  view(m: Matrix): Float64Array {
    return new Float64Array(this.memory.buffer, m.at, m.rows * m.stride);
  }

  word(at: number): Uint32Array {
    return new Uint32Array(this.memory.buffer, at, 1);
  }

  /** Where the stack stands; hand it to `release` to give back all that was made since. */
  mark(): number {
    return this.top;
  }

  release(mark: number): void {
    this.top = mark;
  }

  /** Runs f and gives back all that it made. f is not asynchronous. */
  scope<T>(f: () => T): T {
    const mark = this.top;
    try {
      return f();
    } finally {
      this.top = mark;
    }
  }

  /** Runs records in order, each over all lanes. Throws `device.trap`. */
  run(tasks: readonly Task[]): void {
    for (let from = 0; from < tasks.length; from += BATCH) this.runBatch(tasks.slice(from, from + BATCH));
  }

  private runBatch(tasks: readonly Task[]): void {
    const view = new DataView(this.memory.buffer, RECORDS_AT);
    // An executor's step is over when all units of its last record are done; a record without units would never be.
    const real = tasks.filter((t) => t.units > 0);
    if (real.length === 0) return;
    real.forEach((t, i) => {
      const at = i * RECORD_BYTES;
      view.setUint32(at, KERNELS.indexOf(t.kernel), true);
      view.setUint32(at + 4, t.units, true);
      WORDS.forEach((word, w) => {
        view.setUint32(at + 8 + 4 * w, t[word] ?? 0, true);
      });
      view.setFloat64(at + ALPHA_AT, t.alpha ?? 1, true);
    });
    // Never alone, which would join a record's units into one: here a unit is a panel or a tile of its own.
    if (this.trap === undefined) this.lanes.run(RECORDS_AT, real.length, false);
    if (this.trap !== undefined) throw new SkintError("device.trap", `linear algebra trapped (${this.trap}); run the command again, and report it if it happens again`);
  }

  close(): void {
    this.lanes.terminate();
    this.trap ??= "it was closed";
  }
}
