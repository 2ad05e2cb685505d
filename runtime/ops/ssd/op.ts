// Selective scan of Mamba-2: a decay for each head, states shared by the channels of a head, b and c by a group of heads.
// For head j of `heads`, channel i = j · dh + p, group g of j, state n of `states`:
//   δ[r, j] = min(max(softplus(dt[r, j] + bias[j]), least), most)
//   h[i, n] ← e^(δ · a[j]) · h[i, n] + δ · x[r, i] · b[r, g, n]
//   y[r, i] = Σ_n c[r, g, n] · h[i, n] + d[j] · x[r, i]
// x, y f32 [rows, heads·dh]; dt f32 [rows, heads]; b, c f32 [rows, groups·states]; a not above 0, bias, d f32 [heads]; most 0: no bound.
// h is the state `hidden`, laid out as the scheme f32 lays out a matrix [heads·dh, states].
//   f32     one token after the other
//   chunks  lowering's choice (chunks.ts): whole chunks of CHUNK rows as products of matrices, the rows behind them one after the other. With
//           s[t] = Σ δ[k] · a over the chunk's rows k ≤ t, and h before the chunk:
//             y[t] = e^s[t] · c[t]·h + Σ_{j ≤ t} (c[t]·b[j]) · e^(s[t] − s[j]) · δ[j] · x[j] + d · x[t]
//             h    ← e^s[last] · h + Σ_j e^(s[last] − s[j]) · δ[j] · x[j] · b[j]
//           A chunk begins where the step does, so another cut of a text into steps gives other bits, and units, threads and builds do not.
//           scratch: f32, a row a unit (scratchWords); behind the step it holds whatever.
// Bound of both forms, where T rows were read since h was exact: y is off by at most (states + 4·T + 24) · 2^-24 · Y, h by (4·T + 24) · 2^-24 · H. Y and H
// are what the scan makes of magnitudes, |h|, |x|, |b|, |c|, |d|, with a halved. For dt + bias as f32 rounds it, and u = 2^-24: a row multiplies what
// is left of a term (u), adds to it (u) and takes an exponential (1.4 u), in chunks once each for CHUNK rows, with an addition a row; the
// sum over states rounds states + 1 times; δ errs by 8.4 u, and an exponent −v with it and u more: 9.4 u · v · e^−v ≤ 7 u · e^(−v/2).
// Paper: Dao & Gu 2024, "Transformers are SSMs: Generalized Models and Efficient Algorithms Through Structured State Space Duality", §6 for chunks.
import { BLOCK_ROWS } from "../../quant/scheme.ts";
import { defineOp } from "../define.ts";
import { chunkPieces, inChunks } from "./chunks.ts";

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
    scratch: "out?",
    ss: "stride scratch",
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
      scratch: [],
    },
    complaint: (a) => (a.groups < 1 || a.heads % a.groups ? `${a.heads} heads do not share ${a.groups} groups` : undefined),
    pieces: (a, rows) => (inChunks(a, rows) ? chunkPieces(a) : Math.ceil((a.heads * a.dh) / BLOCK_ROWS)),
    macs: (a) => a.heads * a.dh * (3 * a.states + 2),
  },
);
