// corecut: what rows are ranked by and where their cores end, all exact; the golden vector of specs/coreinfer.md §9, ties, nothing that fires, NaN.
import { CONTROL, CONTROL_WORDS, SIGNALS, type Signal } from "../../runtime/ops/select/control.ts";
import { normal } from "../support/data.ts";
import type { Case } from "./case.ts";

interface How {
  readonly n: number;
  readonly rows?: number;
  readonly alpha?: number;
  readonly signal?: Signal;
  readonly gated?: boolean;
  readonly stride?: number;
  readonly s?: (n: number) => Float32Array;
}

const drawn = (n: number) => normal(n, 1);

function make({ n, rows = 1, alpha = 0.4, signal = "positive", gated = false, stride = n, s = drawn }: How): Case {
  const control = new Uint32Array(CONTROL_WORDS);
  control[CONTROL.signal] = SIGNALS.indexOf(signal);
  new Float32Array(control.buffer)[CONTROL.alpha] = alpha;
  return {
    name: `${signal}, n ${n}, rows ${rows}, alpha ${alpha}${gated ? ", gated" : ""}${stride > n ? `, stride ${stride}` : ""}${s === drawn ? "" : `, ${s.name}`}`,
    variant: "f32",
    rows,
    values: { n },
    strides: { s: stride, cuts: 2, ...(gated ? { u: n } : {}) },
    tensors: () => ({ s: s(rows * stride), ...(gated ? { u: normal(rows * n, 2) } : {}), control: control.slice(), cuts: new Uint32Array(2 * rows).fill(7) }),
    compare: { s: "exact", cuts: "exact" },
  };
}

const golden = () => Float32Array.of(3, -1, 0, 2, 5, 1, -2, 4, 0, 6, -3, 2, 1, -1, 7, 3, 4, 1, -1, -2, 6, 2, -5, 5);
const ties = (n: number) => Float32Array.from({ length: n }, (_, i) => [2, 0, 2, -1, 1, 2][i % 6]);
const alike = (n: number) => new Float32Array(n).fill(3);
const none = (n: number) => Float32Array.from({ length: n }, (_, i) => (i % 2 ? -1 : -0));
const holed = (n: number) => normal(n, 1).map((v, i) => (i % 5 ? v : i % 2 ? Number.NaN : Number.POSITIVE_INFINITY));
const small = (n: number) => normal(n, 1, 1e-40);

export const cases: Case[] = [
  make({ n: 8, rows: 3, s: golden }),
  ...[1, 3, 4, 8, 15, 17, 64, 100, 257].flatMap((n) => [make({ n, rows: 2 }), make({ n, rows: 3, gated: true })]),
  ...[0.01, 0.2, 0.5, 0.99, 1].map((alpha) => make({ n: 100, rows: 2, alpha })),
  ...[ties, alike, none, holed, small].flatMap((s) => [make({ n: 48, rows: 2, s }), make({ n: 37, signal: "magnitude", s })]),
  make({ n: 40, rows: 2, signal: "magnitude", gated: true, stride: 48 }),
  make({ n: 20, rows: 2, signal: "none" }),
  make({ n: 20, rows: 0 }),
];
