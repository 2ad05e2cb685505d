// Appends rows of k and v (f32, `heads` heads of `dh`) to the caches at positions pos … pos+rows-1.
// Variant `f32`: cache f32 [heads, capacity, dh], the rows as they are.
// Variant `f16`: cache f16 [heads, capacity, dh], round to nearest even, overflow clamps to ±65504.
// Variant `i8`: int8 codes, then f32 scales [heads, positions] = absmax / 127, then i32 sums [heads, positions] of the codes of a row.
//   positions and dhp are capacity and dh rounded up to 16. Keys [heads, positions / 16, dhp / 4, 16, 4]: of 16 positions four elements each;
//   values [heads, positions / 4, dhp, 4]. Elements from dh on are 0; positions that nothing was appended to stay as they are.
// A NaN makes its head's whole row NaN in `f16` and its scale NaN in `i8`, so that attention finds it at the row's first element or scale.
import { defineOp } from "../define.ts";

export const op = defineOp(
  "kvappend",
  {
    rows: "rows",
    k: "in",
    ks: "stride k",
    v: "in",
    vs: "stride v",
    kcache: "inout",
    vcache: "inout",
    pos: "slot",
    heads: "u32",
    dh: "u32",
    capacity: "u32",
  },
  {
    variants: ["f32", "f16", "i8"],
    states: { kcache: "kv", vcache: "kv" },
    shapes: { k: ["rows", "heads*dh"], v: ["rows", "heads*dh"], kcache: ["heads", "capacity", "dh"], vcache: ["heads", "capacity", "dh"] },
  },
);
