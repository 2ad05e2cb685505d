// Activation, gated if u is given: y = f(g) · u, or y = f(g). g, u f32 [rows, k].
// kind: 0 silu, 1 gelu (erf), 2 gelu_tanh, 3 relu, 4 relu², 5 sigmoid. Variant `f32` writes f32 [rows, k], the others rows of an activation format (runtime/act).
import { defineOp } from "../define.ts";

/** Attribute `kind` by name. */
export const ACTIVATIONS = ["silu", "gelu", "gelu_tanh", "relu", "relu2", "sigmoid"] as const;
export type Activation = (typeof ACTIVATIONS)[number];

export const op = defineOp(
  "activate",
  {
    rows: "rows",
    g: "in",
    gs: "stride g",
    u: "in?",
    us: "stride u",
    y: "out",
    ys: "stride y",
    k: "u32",
    kind: "u32",
    panel: "u32",
    range: "in?",
  },
  {
    perRow: true,
    shapes: { g: ["rows", "k"], u: ["rows", "k"], y: ["rows", "k"], range: [1] },
    complaint: (a) => (a.kind < ACTIVATIONS.length ? undefined : `kind ${a.kind} is none of ${ACTIVATIONS.join(", ")}`),
  },
);
