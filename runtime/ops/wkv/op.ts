// Recurrence of RWKV-5.2, one token after the other: each head keeps a matrix of keys by values, whose rows decay at rates of their own; the token at
// hand counts with a bonus instead. For head j of `heads`, channel i = j · dh + p of its values, n of `dh` of its keys, m = j · dh + n:
//   y[r, i] = Σ_n receptance[r, m] · (h[i, n] + bonus[m] · key[r, m] · value[r, i])
//   h[i, n] ← decay[m] · h[i, n] + key[r, m] · value[r, i]
// receptance, key, value, y f32 [rows, heads·dh]; decay (what is left of h a token, 0 … 1), bonus f32 [heads·dh].
// h is the state `hidden`, laid out as the scheme f32 lays out a matrix [heads·dh, dh].
// Paper: Peng et al. 2024, "Eagle and Finch: RWKV with Matrix-Valued States and Dynamic Recurrence", section 4.1 (Eagle).
import { BLOCK_ROWS } from "../../quant/scheme.ts";
import { defineOp } from "../define.ts";

export const op = defineOp(
  "wkv",
  {
    rows: "rows",
    receptance: "in",
    rs: "stride receptance",
    key: "in",
    ks: "stride key",
    value: "in",
    vs: "stride value",
    decay: "in",
    bonus: "in",
    hidden: "inout",
    y: "out",
    ys: "stride y",
    heads: "u32",
    dh: "u32",
  },
  {
    states: { hidden: "wkv" },
    shapes: {
      receptance: ["rows", "heads*dh"],
      key: ["rows", "heads*dh"],
      value: ["rows", "heads*dh"],
      decay: ["heads*dh"],
      bonus: ["heads*dh"],
      hidden: ["heads*dh", "dh"],
      y: ["rows", "heads*dh"],
    },
    pieces: (a) => Math.ceil((a.heads * a.dh) / BLOCK_ROWS),
    macs: (a) => a.heads * a.dh * 4 * a.dh,
  },
);
