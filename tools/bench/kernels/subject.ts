// One linear variant (a weight scheme with an activation format) at one shape, on a device as the product runs it: a graph of nothing but
// linears is lowered to plans, the plans are walked by the device's executor. Copies of W lie one behind the other, so that a walk
// over all of them reads from memory, not from a cache.
import { ACTS } from "../../../runtime/act/catalogue.gen.ts";
import { SkintError } from "../../../runtime/errors.ts";
import { byteLength, rowStride } from "../../../runtime/graph/formats.ts";
import type { Graph, TensorDef } from "../../../runtime/graph/types.ts";
import { roundup } from "../../../runtime/num/int.ts";
import { createRandom } from "../../../runtime/num/random.ts";
import type { OperandArray } from "../../../runtime/ops/define.ts";
import { linearVariant, parseLinearVariant } from "../../../runtime/ops/linear/variant.ts";
import { REFERENCES } from "../../../runtime/ops/references.gen.ts";
import type { Program } from "../../../runtime/plan/device.ts";
import { lower } from "../../../runtime/plan/lower.ts";
import { memoryMap } from "../../../runtime/plan/memory.ts";
import type { Plan } from "../../../runtime/plan/types.ts";
import { SCHEMES } from "../../../runtime/quant/catalogue.gen.ts";
import { BLOCK_ROWS, type Scheme } from "../../../runtime/quant/scheme.ts";
import type { WasmDevice } from "../../../targets/devices/wasm/device.ts";
import type { Timed } from "./interleave.ts";

export type State = "cold" | "hot";

/** What is timed of a variant: so many tokens, with W in memory or in a cache. */
export interface Way {
  readonly tokens: number;
  readonly state: State;
}

/** A kernel that is ready to be timed. A sample is `steps` products of W [n, k] with `tokens` rows; cold ones go on to the next copies of W. */
export interface Subject extends Timed, Way {
  readonly kernel: string;
  readonly scheme: string;
  readonly act: string;
  readonly steps: number;
  /** Multiply-adds and bytes of weights of one step; of a sparse W as if it were dense. */
  readonly macs: number;
  readonly bytes: number;
  /** One product with all that comes before it: x f32 is brought into the format of activations. */
  once(): void;
}

export interface Bed {
  readonly subjects: readonly Subject[];
  close(): void;
}

/** Bytes of weights between two uses of a cold copy: several times the largest cache of a desktop processor. */
const COLD_BYTES = 192 * 2 ** 20;
/** Bytes of weights of a cold sample, multiply-adds of a hot one: about a millisecond. */
const SAMPLE_BYTES = 12 * 2 ** 20;
const SAMPLE_MACS = 40e6;
const MAX_STEPS = 4096;
/** Rows of W that differ, after which it repeats; the same for rows of x, a number that no tile divides. */
const W_ROWS = 256;
const X_ROWS = 5;

interface Size {
  /** Steps of a sample, and samples that differ. */
  readonly steps: number;
  readonly pass: number;
}

function sizeOf(variant: string, n: number, k: number, { tokens, state }: Way): Size {
  if (state === "hot") return { steps: Math.min(MAX_STEPS, Math.ceil(SAMPLE_MACS / (n * k * tokens))), pass: 1 };
  const bytes = parseLinearVariant(variant).scheme.bytes(n, k);
  const steps = Math.ceil(SAMPLE_BYTES / bytes);
  return { steps, pass: Math.ceil(COLD_BYTES / (steps * bytes)) };
}

const copiesOf = (size: Size, { state }: Way) => (state === "hot" ? 1 : size.steps * size.pass);

function graphOf(variant: string, n: number, k: number, steps: number, copies: number): Graph {
  const { scheme, act } = parseLinearVariant(variant);
  const w = Array.from({ length: copies }, (_, i): TensorDef => ({ name: `w${i}`, role: "weight", format: scheme.name, shape: [n, k] }));
  const tensors: TensorDef[] = [{ name: "x", role: "input", format: "f32", shape: ["T", k] }, ...w, { name: "y", role: "output", format: "f32", shape: ["T", n] }];
  const nodes = Array.from({ length: steps }, (_, i) => ({
    op: "linear",
    name: `linear ${i}`,
    variant: act === scheme.act ? "" : act,
    rows: "T" as const,
    tensors: { x: "x", w: w[i % copies].name, y: "y" },
    attrs: { n, k },
  }));
  return { version: 1, architecture: "kernels", tensors, nodes, points: {}, vocab: 1, context: 1 };
}

/** The plan of a way; what it makes of x is kept where it can be read. */
function planOf(variant: string, n: number, k: number, way: Way, kernels: readonly string[]): Plan {
  const size = sizeOf(variant, n, k, way);
  const graph = graphOf(variant, n, k, size.steps * size.pass, copiesOf(size, way));
  const name = `${way.tokens} ${way.state}`;
  const plan = lower(graph, { name, symbols: { T: way.tokens, L: 1, C: 1 }, kernels, fuse: false, logits: "all", taps: [] });
  const tensors = new Map([...plan.tensors].map(([key, t]) => [key, t.role === "value" ? { ...t, role: "output" as const } : t]));
  return { ...plan, tensors, arena: new Map(), arenaBytes: 0 };
}

/** Every weight scheme with every activation format that fits it. */
export function linearVariants(): string[] {
  const fitting = (s: Scheme) => [s.act, ...Object.values(ACTS).flatMap((a) => (a.fits(s) ? [a.name] : []))];
  return [...new Set(Object.values(SCHEMES).flatMap((s) => fitting(s).map((act) => linearVariant(s.name, act))))];
}

/** The ways that make sense for a variant: many tokens want a kernel of their own, and W may be too small to be read from memory. */
export function waysOf(variant: string, n: number, k: number, ways: readonly Way[], kernels: readonly string[]): { way: Way; kernel: string }[] {
  return ways.flatMap((way) => {
    if (!kernels.some((name) => name.startsWith(`gemv_${variant}__`)) || copiesOf(sizeOf(variant, n, k, way), way) > MAX_STEPS) return [];
    const { steps } = planOf(variant, n, k, { ...way, state: "hot" }, kernels);
    const kernel = steps[steps.length - 1].kernel;
    return way.tokens > 1 && kernel.startsWith("gemv_") ? [] : [{ way, kernel }];
  });
}

/** Bytes that a bed's weights take. */
export function bytesOf(variant: string, n: number, k: number, ways: readonly Way[]): number {
  return Math.max(...ways.map((way) => copiesOf(sizeOf(variant, n, k, way), way))) * parseLinearVariant(variant).scheme.bytes(n, k);
}

function floats(count: number, seed: number): Float32Array {
  const random = createRandom(seed);
  return Float32Array.from({ length: count }, () => random.f64() - 0.5);
}

/** Packed W whose rows repeat; rows that differ. Blocks of rows are runs of bytes, so that a few can be laid again and again. */
function packedWeights(scheme: Scheme, n: number, k: number): { bytes: Uint8Array; distinct: number } {
  const repeats = n > W_ROWS && scheme.bytes(n, k) * BLOCK_ROWS === scheme.bytes(BLOCK_ROWS, k) * roundup(n, BLOCK_ROWS);
  const distinct = repeats ? W_ROWS : n;
  const some = new Uint8Array(scheme.bytes(distinct, k));
  scheme.encode(floats(distinct * k, 1), distinct, k, some);
  if (!repeats) return { bytes: some, distinct };
  const all = new Uint8Array(scheme.bytes(n, k));
  for (let at = 0; at < all.length; at += some.length) all.set(some.subarray(0, all.length - at), at);
  return { bytes: all, distinct };
}

const asFloats = (b: Uint8Array<ArrayBufferLike>) => new Float32Array(b.buffer, b.byteOffset, b.length / 4);

/** Throws if a plan's y, just computed, is not what the reference says. */
function check(program: Program, plan: Plan, packed: Uint8Array, distinct: number): void {
  const { kernel, variant, tensors, attrs } = plan.steps[plan.steps.length - 1];
  const { n, k } = attrs;
  const rows = Math.min(plan.symbols.T, X_ROWS);
  const x = plan.tensors.get(tensors.x) as TensorDef;
  const bytes = program.view(tensors.x).slice();
  const operands: Record<string, OperandArray> = { x: x.format === "f32" ? asFloats(bytes) : bytes, w: packed, y: new Float32Array(rows * distinct) };
  REFERENCES.linear({ tensors: operands, values: { rows, xs: rowStride(x), ys: distinct, rs: 0, n: distinct, k } }, variant);
  const got = asFloats(program.view("y"));
  for (let t = 0; t < plan.symbols.T; t++)
    for (let r = 0; r < n; r++) {
      const want = operands.y[(t % rows) * distinct + (r % distinct)];
      if (got[t * n + r] === want) continue;
      const place = `row ${r} of token ${t}`;
      throw new SkintError("device.unavailable", `${kernel} gives ${got[t * n + r]} for ${place} where the reference gives ${want}; its speed means nothing: please report it`, {
        what: kernel,
      });
    }
}

function subjectOf(program: Program, plan: Plan, way: Way): Subject {
  const last = plan.steps[plan.steps.length - 1];
  const from = plan.steps.findIndex((s) => s.op === "linear");
  const { n, k } = last.attrs;
  const w = plan.tensors.get(last.tensors.w) as TensorDef;
  const { scheme, act } = parseLinearVariant(last.variant);
  const { steps, pass } = sizeOf(last.variant, n, k, way);
  const walk = (first: number, end: number) => {
    program.setSlot("T", way.tokens);
    program.execute(plan.name, first, end);
  };
  const run = (sample: number) => walk(from + sample * steps, from + (sample + 1) * steps);
  return {
    ...way,
    kernel: last.kernel,
    scheme: scheme.name,
    act,
    steps,
    macs: way.tokens * n * k,
    bytes: byteLength(w, plan.symbols),
    pass,
    // Lanes are awake, and what is hot has just been used.
    prepare: (sample) => run((sample + pass - 1) % pass),
    run,
    once: () => walk(0, from + 1),
  };
}

/** Puts a variant's weights on the device and checks each plan's result once. */
export function openBed(device: WasmDevice, variant: string, n: number, k: number, ways: readonly Way[]): Bed {
  const plans = ways.map((way) => planOf(variant, n, k, way, device.kernels));
  const map = memoryMap(plans);
  const program = device.allocate(map, plans);
  const { bytes, distinct } = packedWeights(parseLinearVariant(variant).scheme, n, k);
  for (const name of map.tensors.keys()) if (/^w\d+$/.test(name)) program.view(name).set(bytes);
  const x = asFloats(program.view("x"));
  const rows = floats(Math.min(X_ROWS * k, x.length), 2);
  for (let at = 0; at < x.length; at += rows.length) x.set(rows.subarray(0, x.length - at), at);
  for (const plan of plans) {
    program.setSlot("T", plan.symbols.T);
    program.execute(plan.name);
    check(program, plan, bytes, distinct);
  }
  return { subjects: plans.map((plan, i) => subjectOf(program, plan, ways[i])), close: () => program.close() };
}
