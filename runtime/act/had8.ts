// Activation format `had8`: the row times an orthonormal Hadamard matrix (runtime/num/hadamard.ts), then as i8static. A few great values become
// many small ones, so that one scale fits all. The weights' rows are transformed too when they are compressed, so that products are the same:
// (W Hᵀ)(H x) = W x. Rows and kernels of linears are those of i8tok. Papers: QuaRot (Ashkboos et al. 2024); for the output of Mamba's scan,
// Quamba (Chiang et al. 2024).
import { hadamard } from "../num/hadamard.ts";
import type { ActFormat } from "./format.ts";
import { encodeI8tok, format as i8tok } from "./i8tok.ts";

export const format: ActFormat = {
  ...i8tok,
  name: "had8",
  rows: "i8tok",
  rotated: true,
  encode: (x, row, panel, range) => encodeI8tok(hadamard(x), row, panel, range),
  fused: false,
};
