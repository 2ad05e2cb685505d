// The greatest of each run of SPAN values, NaN where one of them is not finite: f32 [rows, k] → y f32 [rows, blocks], the last run shorter.
// What a sampler looks at first: the best of a large vocabulary without reading all of it.
import { defineOp } from "../define.ts";

/** Values that share a peak. */
export const SPAN = 64;

export const peaksOf = (k: number): number => Math.ceil(k / SPAN);

export const op = defineOp(
  "peaks",
  {
    rows: "rows",
    x: "in",
    xs: "stride x",
    y: "out",
    ys: "stride y",
    k: "u32",
    blocks: "u32",
  },
  {
    shapes: { x: ["rows", "k"], y: ["rows", "blocks"] },
    complaint: ({ k, blocks }) => (blocks === peaksOf(k) ? undefined : `${k} values have ${peaksOf(k)} peaks, not ${blocks}`),
    pieces: ({ blocks }, rows) => rows * blocks,
  },
);
