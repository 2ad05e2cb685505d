// Formulas and bounds of the specs on sparse activation, held against what ships: work that is counted, CETT targets, the bound of a contribution, NaN.
import { createRandom } from "../../../runtime/num/random.ts";
import { CONTROL, CONTROL_WORDS } from "../../../runtime/ops/select/control.ts";
import { normsOf } from "../../../runtime/plan/neurons.ts";
import { SCHEMES } from "../../../runtime/quant/catalogue.gen.ts";
import type { FfnOptions } from "../../../runtime/session/ffn.ts";
import { rowsIn, rowsRead } from "../../../runtime/session/ffnlayer.ts";
import type { Model } from "../../../runtime/session/model.ts";
import { CettCurve, thresholdsFor } from "../../profile/cett.ts";
import { layersOf, normsOfRows } from "../../profile/layers.ts";

const near = (a: number, b: number, within: number) => Math.abs(a - b) <= within;
const asF32 = (b: Uint8Array<ArrayBufferLike>) => new Float32Array(b.buffer, b.byteOffset, Math.floor(b.length / 4));

/** specs/lazy-topk.md §8: shares of the multiply-adds that 128 of 3072 neurons leave, as reports count rows: of the last matrix, ungated, gated. */
export function keptWork(): boolean {
  const [neurons, k] = [3072, 128];
  const control = new Uint32Array(CONTROL_WORDS);
  control[CONTROL.firstRows] = neurons;
  control[CONTROL.upRows] = k;
  control[CONTROL.downRows] = k;
  const kept = (gated: boolean) => rowsRead({ control, gated }) / rowsIn({ neurons, gated });
  return near(k / neurons, 0.0417, 5e-5) && near(kept(false), 0.521, 5e-4) && near(kept(true), 0.361, 5e-4);
}

/** specs/lazy-topk.md §4: a gated layer that keeps k neurons reads all rows of the first matrix and k of both others. */
export async function countedWork(model: Model, k: number, tokens: Uint32Array): Promise<boolean> {
  const { ffn } = model.engine;
  ffn.set({ mode: "topk", topk: k });
  const session = model.session();
  await session.feed(tokens.subarray(0, 1));
  ffn.clear();
  for (const t of tokens.subarray(1)) await session.next(t);
  const report = ffn.report();
  const left = report?.layers.map((l) => [l.skipped.first, l.skipped.up, l.neurons]) ?? [];
  return left.length > 0 && left.every(([first, up, n]) => first === 0 && near(up, 1 - k / n, 1e-12));
}

const [TOKENS, NEURONS, WIDTH] = [200, 512, 24];

/**
 * specs/sparsing-law.md §10.2: thresholds for a CETT hit it, by its definition over the neurons that kernels drop: from below, within 1e-3 and a hundredth of
 * it, as thresholds go by 128 steps an octave.
 */
export function cettHits(): boolean {
  const random = createRandom(6);
  const rows = Float32Array.from({ length: NEURONS * WIDTH }, () => random.f64() - 0.5);
  const norms = normsOfRows(rows, WIDTH);
  const tokens = Array.from({ length: TOKENS }, () => Float32Array.from({ length: NEURONS }, () => (random.f64() - 0.5) ** 3));
  const curve = new CettCurve(rows, norms);
  for (const h of tokens) curve.add(h);
  return [0.05, 0.1, 0.2, 0.4].every((target) => {
    const [eps] = thresholdsFor([curve], target);
    const cett = tokens.reduce((sum, h) => sum + cettOf(h, rows, norms, eps), 0) / TOKENS;
    return cett <= target + 1e-6 && cett > target - 1e-3 - 0.01 * target;
  });
}

/** Norm of what is dropped over that of all (§3). */
function cettOf(h: Float32Array, rows: Float32Array, norms: Float32Array, eps: number): number {
  const [dropped, all] = [new Float64Array(WIDTH), new Float64Array(WIDTH)];
  for (let i = 0; i < NEURONS; i++)
    for (let c = 0; c < WIDTH; c++) {
      const v = h[i] * rows[i * WIDTH + c];
      all[c] += v;
      if (Math.fround(Math.abs(h[i]) * norms[i]) < eps) dropped[c] += v;
    }
  return Math.hypot(...dropped) / Math.hypot(...all);
}

const PAIRS = 100_000;

/**
 * specs/sparsing-law.md §§5, 10.6 on a model that lies by neurons: what a neuron adds, as `cett` measures it with the run-time's norms of the last matrix,
 * is at most |s| ‖row of up‖ ‖x‖ times that norm, in 100,000 pairs of a token and a neuron.
 */
export function boundHolds({ engine }: Model): boolean {
  const random = createRandom(12);
  const [layer] = layersOf(engine.graph);
  const { graph, program } = engine;
  engine.ffn.set({ mode: "cett", eps: 1 });
  const norms = asF32(program.view(normsOf(layer.name)));
  const activate = graph.nodes.find((n) => n.op === "activate" && n.tensors.y === layer.hidden);
  const up = graph.nodes.find((n) => n.op === "linear" && n.tensors.y === activate?.tensors.u);
  if (!up) return false;
  const { n, k } = up.attrs as Record<string, number>;
  const rows = SCHEMES.q4n.decode(program.view(up.tensors.w), n, k);
  const upNorms = normsOfRows(rows, k);
  for (let pairs = 0; pairs < PAIRS; pairs += n) {
    const x = Float32Array.from({ length: k }, () => (random.f64() - 0.5) * 8);
    const length = Math.hypot(...x);
    for (let i = 0; i < n; i++) {
      const s = random.f64() - 0.5;
      let u = 0;
      for (let c = 0; c < k; c++) u += rows[i * k + c] * x[c];
      if (Math.abs(s * u) * norms[i] > Math.abs(s) * upNorms[i] * length * norms[i] * (1 + 1e-6)) return false;
    }
  }
  // The last matrix's norms are those of its rows: a bound of zeros would hold for nothing.
  return norms.subarray(0, n).some((c) => c > 0);
}

export const MODES: readonly FfnOptions[] = [
  { mode: "dense" },
  { mode: "exact" },
  { mode: "cett", eps: 0.02 },
  { mode: "topk", topk: 20 },
  { mode: "core", guide: "stable", beta: 0.3 },
];

/** specs/lazy-topk.md §7, coreinfer.md §8: an activation that is NaN is an error in every mode, in a prompt and in a decoded token, never a neuron left out. */
export async function nanIsError(model: Model, tokens: Uint32Array): Promise<boolean> {
  const { engine } = model;
  const norm = engine.weights.find((t) => /norm\.weight$/.test(t.name) && /ffn|mlp/.test(t.name));
  if (!norm) return false;
  const weights = asF32(engine.program.view(norm.name));
  const sound = weights.slice();
  const fails = (reading: Promise<unknown>) =>
    reading.then(
      () => false,
      (e: { code?: string }) => e.code === "session.nan",
    );
  for (const mode of MODES) {
    engine.ffn.set(mode);
    const session = model.session();
    await session.feed(tokens);
    weights.fill(Number.NaN, 3, 4);
    const both = (await fails(session.next(1))) && (await fails(model.session().feed(tokens)));
    weights.set(sound);
    if (!both) return false;
  }
  return true;
}
