// Goals of the first slice: a real model is compressed, run and measured.
import type { Area } from "./goal.ts";

export const area: Area = { name: "slice", goals: [] };
