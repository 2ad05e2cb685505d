// Selective scan of Mamba-2, one token after the other: a decay for each head, states shared by the channels of a head, b and c by a group of heads.
// For head j of `heads`, channel i = j · dh + p, group g of j, state n of `states`:
//   δ[r, j] = min(max(softplus(dt[r, j] + bias[j]), least), most)
//   h[i, n] ← e^(δ · a[j]) · h[i, n] + δ · x[r, i] · b[r, g, n]
//   y[r, i] = Σ_n c[r, g, n] · h[i, n] + d[j] · x[r, i]
// x, y f32 [rows, heads·dh]; dt f32 [rows, heads]; b, c f32 [rows, groups·states]; a not above 0, bias, d f32 [heads]; most 0: no bound.
// h is the state `hidden`, laid out as the scheme f32 lays out a matrix [heads·dh, states].
// Paper: Dao & Gu 2024, "Transformers are SSMs: Generalized Models and Efficient Algorithms Through Structured State Space Duality".
import { BLOCK_ROWS } from "../../quant/scheme.ts";
import { defineOp } from "../define.ts";

export const op = defineOp(
  "ssd",
  {
    rows: "rows",
    x: "in",
    xs: "stride x",
    dt: "in",
    dts: "stride dt",
    bias: "in",
    a: "in",
    b: "in",
    bs: "stride b",
    c: "in",
    cs: "stride c",
    d: "in",
    hidden: "inout",
    y: "out",
    ys: "stride y",
    heads: "u32",
    dh: "u32",
    groups: "u32",
    states: "u32",
    least: "f32",
    most: "f32",
  },
  {
    states: { hidden: "ssd" },
    shapes: {
      x: ["rows", "heads*dh"],
      dt: ["rows", "heads"],
      bias: ["heads"],
      a: ["heads"],
      b: ["rows", "groups*states"],
      c: ["rows", "groups*states"],
      d: ["heads"],
      hidden: ["heads*dh", "states"],
      y: ["rows", "heads*dh"],
    },
    complaint: (a) => (a.groups < 1 || a.heads % a.groups ? `${a.heads} heads do not share ${a.groups} groups` : undefined),
    pieces: (a) => Math.ceil((a.heads * a.dh) / BLOCK_ROWS),
    macs: (a) => a.heads * a.dh * (3 * a.states + 2),
  },
);
