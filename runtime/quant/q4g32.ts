// q4g32: int4 codes −8…7, one 16-bit scale for 32 weights: 4.5 bits a weight. [n/16][kp/32] of 16 u16 scales, then nibbles, 288 bytes.
// Symmetric round to nearest. The divisors try the greatest magnitude at codes between 6 and 8.5: 7 keeps it exact on either side,
// 8 keeps a negative one exact, 7.5 and more trade a clipped extreme for a finer step, 6 and 6.5 land the others better now and then.
import { groupedScheme, NIBBLES } from "./lanes.ts";

export const Q4_DIVISORS = [7, 7.25, 7.5, 7.75, 8, 8.5, 6.5, 6] as const;

export const scheme = groupedScheme({ name: "q4g32", group: 32, qmin: -8, qmax: 7, codes: NIBBLES, divisors: Q4_DIVISORS });
