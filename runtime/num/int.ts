// Integer arithmetic on sizes: every product of numbers that came from a file goes through `mul` and `add`.
import { SkintError } from "../errors.ts";

/** v rounded up to a multiple of `to`. */
export function roundup(v: number, to: number): number {
  return Math.ceil(v / to) * to;
}

function checked(v: number, what: string): number {
  if (!Number.isSafeInteger(v) || v < 0)
    throw new SkintError("format.limit", `${what} is not a whole number below 2^53; the file is malformed or not meant for this program`, { what });
  return v;
}

/** Product of sizes; throws `format.limit` beyond 2^53. */
export function mul(what: string, ...factors: number[]): number {
  let product = 1;
  for (const f of factors) product = checked(product * checked(f, what), what);
  return product;
}

/** Sum of sizes; throws `format.limit` beyond 2^53. */
export function add(what: string, ...terms: number[]): number {
  let sum = 0;
  for (const t of terms) sum = checked(sum + checked(t, what), what);
  return sum;
}
