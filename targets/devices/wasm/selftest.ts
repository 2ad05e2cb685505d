// Known-answer test of a loaded build: its integer matmuls on extreme values against the one reference. A build that fails is not used:
// engines may miscompile rare instructions, and relaxed ones are defined by the engine outside the range the kernels keep to.
import { ACTS } from "../../../runtime/act/catalogue.gen.ts";
import { OPS } from "../../../runtime/ops/catalogue.gen.ts";
import { RECORD_WORDS } from "../../../runtime/ops/define.ts";
import { reference } from "../../../runtime/ops/linear/reference.ts";
import { linearVariant, parseLinearVariant } from "../../../runtime/ops/linear/variant.ts";
import { panelFor } from "../../../runtime/plan/panels.ts";
import { SCHEMES } from "../../../runtime/quant/catalogue.gen.ts";
import { fingerprint, instantiate } from "./core.ts";
import { encodeRecord } from "./encode.ts";

const PAGE = 65536;
const RECORD = PAGE;
const ROWS_CELL = PAGE + 256;
const X = PAGE + 1024;
/** A tile of tokens and one more; a whole block of rows and a part of one; a whole group of 128 and a part of one. Small, as every start pays for it. */
const SHAPE = { rows: 5, n: 20, k: 160 };
const TIMES = 3;

/** A build that may be used, or not. */
export interface Build {
  readonly module: WebAssembly.Module;
  readonly kernels: readonly string[];
  readonly shared: boolean;
}

/**
 * What is wrong with a build: the kernels that gave a wrong answer, or that it is another version's; empty = it may be used.
 * @param only test no others
 */
export function selfTest({ module, kernels, shared }: Build, only?: ReadonlySet<string>): string[] {
  const memory = new WebAssembly.Memory({ initial: 8, maximum: 65536, shared });
  const core = instantiate(module, memory);
  if (core.fingerprint() >>> 0 !== fingerprint(kernels, RECORD_WORDS)) return ["the kernel table, which is of another version: run npm run build"];
  const failed: string[] = [];
  for (const variant of integerVariants())
    for (const family of OPS.linear.families) {
      const kernel = kernels.find((k) => k.startsWith(`${family}_${variant}__`));
      if (kernel && (!only || only.has(kernel)) && !answers(core, memory, kernels.indexOf(kernel), variant, panelFor(kernel))) failed.push(kernel);
    }
  return failed;
}

/** Every weight scheme with every activation format that fits it, once: static formats have the rows, and so the kernels, of others. */
const integerVariants = () =>
  new Set(
    Object.values(ACTS).flatMap((act) =>
      Object.values(SCHEMES)
        .filter(act.fits)
        .map((scheme) => linearVariant(scheme.name, act.name)),
    ),
  );

/** Operands of a linear and its result by the reference. */
interface Known {
  readonly x: Uint8Array;
  readonly xs: number;
  readonly w: Uint8Array;
  readonly want: Float32Array;
}

const made = new Map<string, Known>();

/** Alternating extremes and ramps; made once, as the reference is slow. */
function known(variant: string, panel: number): Known {
  const key = `${variant} ${panel}`;
  const have = made.get(key);
  if (have) return have;
  const { rows, n, k } = SHAPE;
  const { scheme, act } = parseLinearVariant(variant);
  const xs = ACTS[act].bytes(k);
  const x = new Uint8Array(rows * xs);
  for (let r = 0; r < rows; r++)
    ACTS[act].encode(
      Float32Array.from({ length: k }, (_, i) => (r % 2 ? 127 : ((i * 37 + r * 11) % 255) - 127)),
      x.subarray(r * xs),
      panel,
    );
  const weights = Float32Array.from({ length: n * k }, (_, i) => (i % 3 ? ((i * 29) % 15) - 7 : i % 2 ? -8 : 7));
  const w = new Uint8Array(scheme.bytes(n, k));
  scheme.encode(weights, n, k, w);
  const want = new Float32Array(rows * n);
  reference({ tensors: { x, w, y: want }, values: { rows, xs, ys: n, rs: 0, n, k } }, variant);
  const it = { x, xs, w, want };
  made.set(key, it);
  return it;
}

/** Runs one linear; true if every bit is as the reference says. */
function answers(core: ReturnType<typeof instantiate>, memory: WebAssembly.Memory, id: number, variant: string, panel: number): boolean {
  const { rows, n, k } = SHAPE;
  const { x, xs, w, want } = known(variant, panel);
  const wAt = X + Math.ceil(x.length / 64) * 64;
  const yAt = wAt + Math.ceil(w.length / 64) * 64;
  const bytes = new Uint8Array(memory.buffer);
  bytes.set(x, X);
  bytes.set(w, wAt);
  const view = new DataView(memory.buffer);
  view.setUint32(ROWS_CELL, rows, true);
  const address: Record<string, number> = { rows: ROWS_CELL, x: X, w: wAt, y: yAt };
  encodeRecord(view, RECORD, OPS.linear, {
    kernel: id,
    units: 2,
    address: (f) => address[f] ?? 0,
    stride: (t) => (t === "x" ? xs : t === "y" ? n : 0),
    value: (f) => (f === "n" ? n : k),
  });
  for (let i = 0; i < TIMES; i++) {
    bytes.fill(0xff, yAt, yAt + want.byteLength);
    for (let u = 0; u < 2; u++) core.unit(RECORD, u, 2);
    const got = new Float32Array(memory.buffer, yAt, want.length);
    if (!want.every((v, j) => Object.is(v, got[j]) || v === got[j])) return false;
  }
  return true;
}
