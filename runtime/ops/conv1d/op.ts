// Causal depthwise convolution along the tokens of a text: y[r, c] = f(bias[c] + Σ_j w[c, j] · x[r − taps + 1 + j, c]), f = silu or
// nothing. x, y f32 [rows, channels]; w [channels, taps] in the scheme f32; bias f32 [channels].
// window: the last `taps` inputs, [taps, channels], oldest first; zeros before the beginning of the text. Rows before the first of
// this step are taken from it, and it ends with the last of them. f32, or in variant i8 the int8 codes of x, which comes as rows of i8static.
import { defineOp } from "../define.ts";
import { channelBlocks } from "../recurrent.ts";

/** Taps that kernels take. */
const MOST = 8;

export const op = defineOp(
  "conv1d",
  {
    rows: "rows",
    x: "in",
    xs: "stride x",
    w: "in",
    bias: "in?",
    window: "inout",
    y: "out",
    ys: "stride y",
    channels: "u32",
    taps: "u32",
    silu: "u32",
    range: "in?",
  },
  {
    variants: ["f32", "i8"],
    weights: { w: "f32" },
    states: { window: "conv" },
    needs: { i8: ["range"] },
    quantised: { x: "range" },
    shapes: { x: ["rows", "channels"], w: ["channels", "taps"], bias: ["channels"], window: ["taps", "channels"], y: ["rows", "channels"], range: [1] },
    complaint: (a) => (a.taps > MOST ? `${a.taps} taps, at most ${MOST} are supported` : a.silu > 1 ? `silu is ${a.silu}, neither 0 nor 1` : undefined),
    pieces: channelBlocks,
    // 8 for the exponential
    macs: (a) => a.channels * (a.taps + 8),
  },
);
