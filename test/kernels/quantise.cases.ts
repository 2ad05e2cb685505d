import { ACTS } from "../../runtime/act/catalogue.gen.ts";
import type { ActFormat } from "../../runtime/act/format.ts";
import { I8TOK, PANEL } from "../../runtime/act/i8tok.ts";
import { greatestColumns, packColumns } from "../../runtime/graph/columns.ts";
import { normal, random } from "../support/data.ts";
import type { Case } from "./case.ts";
import { specified } from "./i8rows.ts";

type Fill = (k: number, seed: number) => Float32Array;

/** Values that sit on rounding ties once scaled: multiples of half a step. */
const ties: Fill = (k, seed) => {
  const r = random(seed);
  const x = Float32Array.from({ length: k }, () => (Math.floor(r() * 509) - 254) / 2);
  x[0] = 127;
  return x;
};

const fills: Record<string, Fill> = {
  normal,
  zero: (k) => new Float32Array(k),
  ties,
  negative: (k) => new Float32Array(k).fill(-3),
  positive: (k, seed) => normal(k, seed).map(Math.abs),
  lopsided: (k, seed) => normal(k, seed).map((v) => (v < 0 ? v / 50 : v)),
  subnormal: (k, seed) => normal(k, seed, 1e-41),
  least: (k, seed) => normal(k, seed, 1e-36),
  huge: (k, seed) => normal(k, seed, 1e38),
  /** Groups of 32 that are all zero, or whose greatest values are far apart. */
  groups: (k, seed) => normal(k, seed).map((v, i) => v * [1, 0, 1e-41, 1e30, 127][(i >> 5) % 5]),
  infinite: (k, seed) => normal(k, seed).fill(-Infinity, k >> 1),
  both: (k, seed) =>
    normal(k, seed)
      .fill(-Infinity, k >> 1)
      .fill(Infinity, (3 * k) >> 2),
};

function make(act: ActFormat, fill: string, rows: number, k: number, panel: number, gap = 0): Case {
  const stride = act.bytes(k) + gap;
  const xs = k + gap / 4;
  return {
    name: `${fill}, rows ${rows}, k ${k}, panel ${panel}${gap ? `, ${gap} bytes between rows` : ""}`,
    variant: act.name,
    rows,
    values: { k, panel },
    strides: { x: xs, y: stride },
    tensors: () => ({
      x: Float32Array.from(Array.from({ length: rows }, (_, r) => [...fills[fill](k, r + 1), ...new Float32Array(gap / 4)]).flat()),
      y: new Uint8Array(rows * stride).fill(0xee),
    }),
    compare: { y: "exact" },
    view: { y: specified(act, rows, k, stride, panel) },
  };
}

/** Where the scales of a row stand. */
const scalesOf = (act: ActFormat) => (act.name === "split161" ? [0, 4] : [0]);

/** NaN must reach the scale of its part; everything else of such a row is free. */
function poisoned(act: ActFormat, k: number, at: number): Case {
  const bytes = act.bytes(k);
  return {
    ...make(act, "normal", 1, k, PANEL.windows),
    name: `NaN at ${at} of ${k}`,
    tensors: () => ({ x: normal(k, 1).fill(Number.NaN, at, at + 1), y: new Uint8Array(bytes) }),
    view: { y: (t) => Float32Array.from(scalesOf(act), (at) => new DataView(t.buffer, t.byteOffset).getFloat32(at, true)) },
  };
}

function ladder(act: ActFormat): Case[] {
  return [
    ...[1, 3, 15, 16, 17, 31, 32, 64, 127, I8TOK.align, 129, 300, 512, 1000].flatMap((k) => act.panels.map((panel) => make(act, "normal", 2, k, panel))),
    ...Object.keys(fills).flatMap((fill) => act.panels.map((panel) => make(act, fill, 3, 160, panel))),
    ...act.panels.map((panel) => make(act, "normal", 5, 200, panel, 64)),
    make(act, "normal", 0, 64, PANEL.none),
    poisoned(act, 64, 0),
    poisoned(act, 67, 66),
  ];
}

/** Rows that are arranged first. `pick`: which columns are salient. */
function arranged(act: ActFormat, pick: string, rows: number, k: number, panel: number, gap = 0): Case {
  const weight = { first: (i: number) => -i, last: (i: number) => i, mixed: (i: number) => (i * 37) % 101 }[pick] as (i: number) => number;
  const { salient, factors } = greatestColumns(Float32Array.from({ length: k }, (_, i) => weight(i)));
  const columns = packColumns({ salient, factors: normal(factors.length, 5).map((v) => 1 + v / 4) });
  const c = make(act, "normal", rows, k, panel, gap);
  return { ...c, name: `arranged, ${pick} columns, ${c.name}`, tensors: () => ({ ...c.tensors(), columns }) };
}

/** A range that is given: values below, at and beyond it, none at all, and rows that are not finite. */
function ranged(fill: string, range: number, panel: number): Case {
  const c = make(ACTS.i8tok, fill, 3, 160, panel);
  return { ...c, name: `range ${range}, ${c.name}`, tensors: () => ({ ...c.tensors(), range: Float32Array.of(range) }) };
}

/** Rows that are transformed first: whole ones of order 2^p, 12·2^p and 20·2^p, and blocks. */
function rotated(fill: string, k: number, range: number, gap = 0): Case {
  const c = make(ACTS.had8, fill, 3, k, ACTS.had8.panels[k % ACTS.had8.panels.length], gap);
  return { ...c, name: `range ${range}, ${c.name}`, tensors: () => ({ ...c.tensors(), range: Float32Array.of(range) }) };
}

const split = ACTS.split161;
export const cases: Case[] = [
  ...Object.values(ACTS)
    .filter((act) => !act.rows)
    .flatMap(ladder),
  ...["normal", "zero", "ties", "huge", "infinite", "subnormal"].flatMap((fill) =>
    [0, 1e-3, 2.5, 127, 1e30].flatMap((range) => ACTS.i8tok.panels.map((panel) => ranged(fill, range, panel))),
  ),
  ...[4, 8, 16, 32, 128, 512, 48, 96, 384, 768, 80, 160, 640, 112, 208, 400].flatMap((k) => ["normal", "ties"].map((fill) => rotated(fill, k, 3))),
  ...["zero", "huge", "infinite", "subnormal"].flatMap((fill) => [0, 2.5].map((range) => rotated(fill, 192, range))),
  rotated("normal", 192, 2.5, 64),
  ...["first", "last", "mixed"].flatMap((pick) => [1, 7, 8, 9, 39, 40, 41, 79, 80, 160, 333, 1000].map((k) => arranged(split, pick, 2, k, k & 1))),
  arranged(split, "mixed", 5, 200, PANEL.pairs, 64),
];
