// Selective scan of Mamba, one token after the other, gated. For channel i and state n of `channels` and `states`:
//   δ[r, i] = softplus(dt[r, i] + bias[i])
//   h[i, n] ← e^(δ · a[i, n]) · h[i, n] + δ · x[r, i] · b[r, n]
//   y[r, i] = (Σ_n c[r, n] · h[i, n] + d[i] · x[r, i]) · silu(z[r, i])
// x, dt, z, y f32 [rows, channels]; b, c f32 [rows, states]; a [channels, states] in the scheme f32, not above 0; bias, d f32 [channels].
// dt is scratch behind the step. h is the state `hidden`, laid out as the scheme f32 lays out a matrix [channels, states].
// Paper: Gu & Dao 2023, "Mamba: Linear-Time Sequence Modeling with Selective State Spaces", algorithm 2, discretised as its code does:
// zero-order hold for a, Euler for b.
//   i8f32   x, dt, b, c, z are rows of i8static
//   i8i8    h is int8 too, in the same layout: code · rangehidden[n] / 127, rounded behind each row; y is of h before it is rounded
// `saturations` u32 [2, channels] count since the beginning of the text the codes of x, dt and z that stand at an end of their range, and the
// states that were clamped.
import { defineOp } from "../define.ts";
import { channelBlocks } from "../recurrent.ts";

const INT8 = ["rangex", "rangedt", "rangeb", "rangec", "rangez", "saturations"];

export const op = defineOp(
  "scan",
  {
    rows: "rows",
    x: "in",
    xs: "stride x",
    dt: "inout",
    dts: "stride dt",
    bias: "in",
    a: "in",
    b: "in",
    bs: "stride b",
    c: "in",
    cs: "stride c",
    d: "in",
    z: "in",
    zs: "stride z",
    hidden: "inout",
    y: "out",
    ys: "stride y",
    channels: "u32",
    states: "u32",
    rangex: "in?",
    rangedt: "in?",
    rangeb: "in?",
    rangec: "in?",
    rangez: "in?",
    rangehidden: "in?",
    saturations: "inout?",
  },
  {
    variants: ["f32", "i8f32", "i8i8"],
    weights: { a: "f32" },
    states: { hidden: "ssm", saturations: "saturations" },
    needs: { i8f32: INT8, i8i8: [...INT8, "rangehidden"] },
    quantised: { x: "rangex", dt: "rangedt", b: "rangeb", c: "rangec", z: "rangez" },
    shapes: {
      x: ["rows", "channels"],
      dt: ["rows", "channels"],
      bias: ["channels"],
      a: ["channels", "states"],
      b: ["rows", "states"],
      c: ["rows", "states"],
      d: ["channels"],
      z: ["rows", "channels"],
      hidden: ["channels", "states"],
      y: ["rows", "channels"],
      rangex: [1],
      rangedt: [1],
      rangeb: [1],
      rangec: [1],
      rangez: [1],
      rangehidden: ["states"],
      saturations: [2, "channels"],
    },
    pieces: channelBlocks,
    // a state: 6 for the exponential, 5 for the recurrence and the sum; a channel: softplus and silu
    macs: (a) => a.channels * (11 * a.states + 30),
  },
);
