// Activation format `i8static`: int8 codes −127…127 with one scale for all rows, range / 127, where `range` is the greatest magnitude that calibration
// met at that input; what exceeds it is clamped. The rows are those of i8tok, and so are the kernels: who quantises has the range as an operand.
// A row that is not finite keeps its own scale, so that it poisons the output as in i8tok.
import type { ActFormat } from "./format.ts";
import { format as i8tok } from "./i8tok.ts";

export const format: ActFormat = { ...i8tok, name: "i8static", rows: "i8tok" };
