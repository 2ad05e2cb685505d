// select: with ReLU and ReLU² everything is exact; SiLU and GELU as `activate` has them, choices of which are made from values far apart.
import { ACTIVATIONS, type Activation } from "../../runtime/ops/activate/op.ts";
import type { OperandArray } from "../../runtime/ops/define.ts";
import { CONTROL, CONTROL_WORDS, FFN_MODES, type FfnMode } from "../../runtime/ops/select/control.ts";
import { LIST_HEAD, writeList } from "../../runtime/ops/select/list.ts";
import { normal } from "../support/data.ts";
import type { Bound, Case } from "./case.ts";

interface How {
  readonly mode: FfnMode;
  readonly n: number;
  readonly rows?: number;
  readonly kind?: Activation;
  /** Many rows: nothing is listed. */
  readonly listed?: boolean;
  readonly topk?: number;
  readonly limit?: number;
  /** Bits of the last cut. */
  readonly warm?: number;
  readonly core?: readonly number[];
  /** Its rows lie apart, in order. */
  readonly compact?: boolean;
  readonly g?: (n: number) => Float32Array;
}

/** The head and the entries that count. */
const listOf = (t: OperandArray) => (t as Uint32Array).slice(0, t[1] ? LIST_HEAD + t[0] : LIST_HEAD);

/** The cut that is remembered is a hint of its own. */
const counters = (t: OperandArray) => (t as Uint32Array).map((v, i) => (i === CONTROL.warm ? 0 : v));

function make({ mode, n, rows = 1, kind = "relu", listed = true, topk = 0, limit = n, warm = 0, core, compact = false, g = (count) => normal(count, 1) }: How): Case {
  const control = new Uint32Array(CONTROL_WORDS);
  control[CONTROL.mode] = FFN_MODES.indexOf(mode);
  control[CONTROL.topk] = topk;
  control[CONTROL.limit] = limit;
  control[CONTROL.warm] = warm;
  const exact = kind.startsWith("relu");
  const bound: Bound = exact ? "exact" : { abs: 2e-6, rel: 6e-7 };
  const tensors = () => {
    const chosen = new Uint32Array(LIST_HEAD + n);
    writeList(chosen, n, core, compact);
    return {
      g: g(rows * n),
      ...(core ? { core: chosen } : {}),
      control: control.slice(),
      s: normal(rows * n, 2),
      ...(listed ? { only: new Uint32Array(LIST_HEAD + n).fill(0xffffff) } : {}),
    };
  };
  return {
    name: `${mode}, n ${n}, rows ${rows}, ${kind}${topk ? `, k ${topk}` : ""}${limit < n ? `, limit ${limit}` : ""}${warm ? `, warm ${warm}` : ""}${compact ? ", compact" : ""}${g.name === "g" ? "" : `, ${g.name}`}`,
    variant: "f32",
    rows,
    values: { n, kind: ACTIVATIONS.indexOf(kind) },
    strides: { g: n, s: n },
    tensors,
    compare: { s: bound, ...(listed ? { only: "exact", control: "exact" } : {}) },
    view: { only: listOf, control: counters },
  };
}

const ties = (n: number) => Float32Array.from({ length: n }, (_, i) => [2, 0, 2, -1, 1, 2][i % 6]);
const none = (n: number) => new Float32Array(n).fill(-1);
const spread = (n: number) => Float32Array.from({ length: n }, (_, i) => (i % 5 ? 1 : -1) * 1.37 ** ((i * 7) % n));
const holed = (n: number) => normal(n, 1).fill(Number.NaN, n >> 1, (n >> 1) + 1);
const golden = () => Float32Array.of(0, 3, 1, 0, 2, 2);

export const cases: Case[] = [
  ...[1, 3, 8, 15, 17, 64, 100].map((n) => make({ mode: "exact", n, kind: n % 2 ? "relu" : "relu2" })),
  ...(["dense", "cett", "exact"] as const).flatMap((mode) => [make({ mode, n: 37 }), make({ mode, n: 20, kind: "silu" }), make({ mode, n: 12, rows: 3, listed: false })]),
  make({ mode: "exact", n: 40, limit: 5 }),
  make({ mode: "exact", n: 40, g: none }),
  make({ mode: "exact", n: 40, g: holed }),
  // the golden vector of specs/lazy-topk.md §8
  ...[2, 3, 5, 6].map((topk) => make({ mode: "topk", n: 6, topk, g: golden })),
  ...[1, 2, 7, 30, 50, 99, 100].flatMap((topk) => [0, 1, 0x3f800000, 0x7f000000].map((warm) => make({ mode: "topk", n: 100, topk, warm }))),
  ...[1, 5, 16, 17, 30].map((topk) => make({ mode: "topk", n: 48, topk, g: ties })),
  ...[3, 10].map((topk) => make({ mode: "topk", n: 40, topk, kind: "silu", g: spread })),
  make({ mode: "topk", n: 40, topk: 3, g: holed }),
  make({ mode: "topk", n: 40, topk: 12, limit: 6 }),
  ...[1, 5, 20].map((topk) => make({ mode: "topk", n: 24, rows: 3, topk, listed: false, g: ties })),
  make({ mode: "core", n: 40, core: [0, 3, 7, 39] }),
  make({ mode: "core", n: 40, core: [0, 3, 7, 38, 39], compact: true }),
  make({ mode: "core", n: 40, core: [0, 3, 7], compact: true, kind: "silu" }),
  make({ mode: "core", n: 20, rows: 3, listed: false, core: [0, 3, 7, 19], compact: true }),
  make({ mode: "core", n: 40 }),
  make({ mode: "core", n: 20, rows: 3, listed: false, core: [0, 3, 7, 19] }),
  make({ mode: "core", n: 20, rows: 2, listed: false, core: [4, 5] }),
  make({ mode: "core", n: 20, rows: 2, listed: false }),
  make({ mode: "dense", n: 20, rows: 2, listed: false, core: [4, 5] }),
];
