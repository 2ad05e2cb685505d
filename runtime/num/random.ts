// Seeded random numbers: xoshiro128** 1.1 (Blackman and Vigna 2021, "Scrambled linear pseudorandom number generators", fig. 1), 32-bit integer
// operations only, so one seed gives one sequence on every engine and host. Period 2^128 - 1. Not for secrets.
import { SkintError } from "../errors.ts";

export interface Random {
  /** Next 32 bits, 0 … 2^32 - 1. */
  u32(): number;
  /** Uniform in [0, 1) with 53 bits (two draws). */
  f64(): number;
  /** Uniform whole number in 0 … n - 1 without bias; n a whole number in 1 … 2^32. */
  below(n: number): number;
}

const rotl = (x: number, k: number) => (x << k) | (x >>> (32 - k));

/** Finaliser of MurmurHash3: a bijection of 32 bits in which every input bit reaches every output bit. */
function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}

/** Generator that starts from four given 32-bit words, not all zero: the published algorithm with nothing added. */
export function randomFromState(a: number, b: number, c: number, d: number): Random {
  if ((a | b | c | d) === 0) throw new SkintError("usage", "a random generator cannot start from the all-zero state; give one word that is not zero");
  function u32(): number {
    const result = Math.imul(rotl(Math.imul(b, 5), 7), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotl(d, 11);
    return result;
  }
  return {
    u32,
    f64: () => ((u32() >>> 5) * 0x4000000 + (u32() >>> 6)) / 0x20000000000000,
    below(n) {
      if (!Number.isInteger(n) || n < 1 || n > 0x100000000) throw new SkintError("usage", `a random number below ${n} was asked for; the bound is a whole number in 1 … 2^32`);
      const unfair = 0x100000000 % n;
      for (;;) {
        const x = u32();
        if (x >= unfair) return x % n;
      }
    },
  };
}

/** @param seed whole number in 0 … 2^53 - 1 */
export function createRandom(seed: number): Random {
  if (!Number.isSafeInteger(seed) || seed < 0) throw new SkintError("usage", `the seed ${seed} cannot be used; give a whole number in 0 … 2^53 - 1`);
  const low = seed | 0;
  const high = Math.floor(seed / 0x100000000) | 0;
  // `low` is mixed before `high` joins it, so no two seeds share a first word; the golden-ratio steps keep the four words apart.
  const word = (i: number) => mix(mix(low + Math.imul(i, 0x9e3779b9)) ^ high);
  return randomFromState(word(1), word(2), word(3), word(4));
}
