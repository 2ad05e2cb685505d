// Golden vectors of the specs as kernels of every build give them.

import { createRandom } from "../../../runtime/num/random.ts";
import { ACTIVATIONS } from "../../../runtime/ops/activate/op.ts";
import type { OperandArray } from "../../../runtime/ops/define.ts";
import { CONTROL, CONTROL_WORDS, FFN_MODES } from "../../../runtime/ops/select/control.ts";
import { LIST_HEAD, readList } from "../../../runtime/ops/select/list.ts";
import { greatest } from "../../../runtime/ops/select/reference.ts";
import { kernelsFor, runKernel } from "../../../test/kernels/harness.ts";
import { SINGLE_BUILDS } from "../../../test/support/core.ts";

const WAY = { units: 1, skew: 0 };

/** Outputs of an op on every kernel of every build. */
function onAll(
  op: string,
  rows: number,
  values: Record<string, number>,
  strides: Record<string, number>,
  tensors: () => Record<string, OperandArray>,
): Record<string, OperandArray>[] {
  const c = { name: "a golden vector", variant: "f32", rows, values, strides, tensors, compare: Object.fromEntries(Object.keys(tensors()).map((t) => [t, "exact" as const])) };
  return SINGLE_BUILDS.flatMap((build) => kernelsFor(build, op, "f32").map((kernel) => runKernel(build, kernel, op, c, WAY)));
}

/** Neurons of each row that `topk` lists, by build. */
function listed(g: Float32Array, k: number): number[][] {
  const control = new Uint32Array(CONTROL_WORDS);
  control[CONTROL.mode] = FFN_MODES.indexOf("topk");
  control[CONTROL.topk] = k;
  control[CONTROL.limit] = g.length;
  const n = g.length;
  return onAll("select", 1, { n, kind: ACTIVATIONS.indexOf("relu") }, { g: n, s: n }, () => ({
    g: g.slice(),
    control: control.slice(),
    s: new Float32Array(n),
    only: new Uint32Array(LIST_HEAD + n),
  })).map(({ only }) => [...(readList(only as Uint32Array) ?? [])]);
}

const equal = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

/** specs/lazy-topk.md §8. */
export const topkGolden = (k: number, want: readonly number[]) => (): boolean => listed(Float32Array.of(0, 3, 1, 0, 2, 2), k).every((got) => equal(got, want));

/** specs/lazy-topk.md §9.5: the sets of a full sort, ties by number, on every build. */
export function topkSorted(): boolean {
  const random = createRandom(2);
  return Array.from({ length: 300 }).every(() => {
    const n = 1 + random.below(90);
    const levels = 1 + random.below(12);
    const g = Float32Array.from({ length: n }, () => random.below(levels) - levels / 3);
    const k = 1 + random.below(n);
    const want = greatest(
      g.map((v) => Math.max(0, v)),
      k,
    );
    return listed(g, k).every((got) => equal(got, want));
  });
}

const VECTORS = 100_000;
/** Vectors of one call. */
const TOGETHER = 5000;

/** The same for 100,000 vectors, ties among them, as a prompt's tokens are cut. */
export function topkOfMany(): boolean {
  const random = createRandom(3);
  for (let done = 0; done < VECTORS; done += TOGETHER) {
    const [n, levels] = [8 + random.below(33), 3 + random.below(1000)];
    const k = 1 + random.below(n);
    const control = new Uint32Array(CONTROL_WORDS);
    control[CONTROL.mode] = FFN_MODES.indexOf("topk");
    control[CONTROL.topk] = k;
    const g = Float32Array.from({ length: n * TOGETHER }, () => random.below(levels) - levels / 3);
    const want = new Float32Array(g.length);
    for (let r = 0; r < TOGETHER; r++) {
      const row = g.subarray(r * n, (r + 1) * n).map((v) => Math.max(0, v));
      for (const i of greatest(row, k)) want[r * n + i] = row[i];
    }
    const kernels = onAll("select", TOGETHER, { n, kind: ACTIVATIONS.indexOf("relu") }, { g: n, s: n }, () => ({
      g: g.slice(),
      control: control.slice(),
      s: new Float32Array(g.length),
    }));
    if (kernels.length === 0 || !kernels.every(({ s }) => (s as Float32Array).every((v, i) => v === want[i]))) return false;
  }
  return true;
}

const TOKENS = [3, -1, 0, 2, 5, 1, -2, 4, 0, 6, -3, 2, 1, -1, 7, 3, 4, 1, -1, -2, 6, 2, -5, 5];

/** specs/coreinfer.md §9: counts of the three tokens, and the sums of what counted, on every build. */
export function coreGolden(): { counts: Uint32Array; mass: Float32Array }[] {
  const control = new Uint32Array(CONTROL_WORDS);
  control[CONTROL.signal] = 1;
  new Float32Array(control.buffer)[CONTROL.alpha] = 0.4;
  const n = 8;
  const cuts = onAll("corecut", 3, { n }, { s: n, cuts: 2 }, () => ({ s: Float32Array.from(TOKENS), control: control.slice(), cuts: new Uint32Array(6) }));
  return cuts.flatMap((cut) =>
    onAll("tally", 3, { n }, { s: n, cuts: 2 }, () => ({
      s: (cut.s as Float32Array).slice(),
      cuts: (cut.cuts as Uint32Array).slice(),
      control: control.slice(),
      counts: new Uint32Array(n),
      mass: new Float32Array(n),
    })).map((out) => ({ counts: out.counts as Uint32Array, mass: out.mass as Float32Array })),
  );
}
