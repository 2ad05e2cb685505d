// The tensor types of GGUF that are read as f32, by name.
import { BF16 } from "./bf16.ts";
import type { Block } from "./block.ts";
import { F16 } from "./f16.ts";
import { F32 } from "./f32.ts";
import { Q2_K } from "./q2_k.ts";
import { Q3_K } from "./q3_k.ts";
import { Q4_0 } from "./q4_0.ts";
import { Q4_1 } from "./q4_1.ts";
import { Q4_K } from "./q4_k.ts";
import { Q5_0 } from "./q5_0.ts";
import { Q5_1 } from "./q5_1.ts";
import { Q5_K } from "./q5_k.ts";
import { Q6_K } from "./q6_k.ts";
import { Q8_0 } from "./q8_0.ts";

export const BLOCKS: ReadonlyMap<string, Block> = /* @__PURE__ */ new Map([F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K].map((b) => [b.name, b]));
