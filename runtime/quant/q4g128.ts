// q4g128: int4 codes −8…7, one 16-bit scale for 128 weights: 4.125 bits a weight. As q4g32 with groups of 1056 bytes.
import { groupedScheme, NIBBLES } from "./lanes.ts";
import { Q4_DIVISORS } from "./q4g32.ts";

export const scheme = groupedScheme({ name: "q4g128", group: 128, qmin: -8, qmax: 7, codes: NIBBLES, divisors: Q4_DIVISORS });
