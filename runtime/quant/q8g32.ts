// q8g32: int8 codes −127…127, one 16-bit scale (absmax / 127, rounded) for 32 weights: 8.5 bits a weight. Groups of 544 bytes.
import { BYTES, groupedScheme } from "./lanes.ts";

export const scheme = groupedScheme({ name: "q8g32", group: 32, qmin: -127, qmax: 127, codes: BYTES, divisors: [127] });
