// tally: counts and sums of what is above a row's cut, or equal to it up to a neuron; all exact, as sums go in the order of rows.
import { CONTROL, CONTROL_WORDS } from "../../runtime/ops/select/control.ts";
import { normal } from "../support/data.ts";
import type { Case } from "./case.ts";

const bitsOf = (v: number) => new Uint32Array(Float32Array.of(v).buffer)[0];
/** Nothing is above it. */
const NONE = 0x7fffffff;

/** @param cuts a row each: bits, and the last neuron that is in of those equal to it */
function make(name: string, n: number, cuts: readonly (readonly [number, number])[], { on = true, stride = n } = {}): Case {
  const control = new Uint32Array(CONTROL_WORDS);
  control[CONTROL.signal] = on ? 1 : 0;
  return {
    name: `${name}, n ${n}`,
    variant: "f32",
    rows: cuts.length,
    values: { n },
    strides: { s: stride, cuts: 2 },
    tensors: () => ({
      s: normal(cuts.length * stride, 3).map((v) => (v > 0 ? Math.round(4 * v) / 4 : 0)),
      cuts: Uint32Array.from(cuts.flat()),
      control: control.slice(),
      counts: Uint32Array.from({ length: n }, (_, i) => i % 3),
      mass: normal(n, 4).map(Math.abs),
    }),
    compare: { counts: "exact", mass: "exact" },
  };
}

const rowsOf = (rows: number, n: number) => Array.from({ length: rows }, (_, r): [number, number] => [bitsOf([0.25, 1, 0.75, 2][r % 4]), r % 2 ? n - 1 : (r * 5) % n]);

export const cases: Case[] = [
  ...[1, 7, 8, 9, 16, 37, 100].map((n) => make("rows alike", n, rowsOf(5, n))),
  make("a stride", 24, rowsOf(4, 24), { stride: 40 }),
  make("no row fires", 20, [
    [NONE, 0],
    [NONE, 0],
  ]),
  make("nothing is counted", 20, rowsOf(3, 20), { on: false }),
  make("no rows", 20, []),
];
