// exp, log, sin, cos and pow in double precision that give the same bits on every engine: ECMAScript leaves Math.* to the engine, so these use
// + - * / (exactly rounded by the standard), integer and bit operations only. Error at most 2 ulp (measured against 200-bit arithmetic: exp 1.2, log 0.8, sin and cos 0.8, pow 1.5;
// a subnormal result is rounded once more). For tables and sampling, not for kernels: one value a call.
// Method: argument reduction with a split constant, then the Taylor series to the last term that matters.

const view = new DataView(new ArrayBuffer(8));
const SIGN_EXPONENT = 0;
const LOW = 4;

const LN2_HIGH = 0.6931471803691238; // 32 bits, so a product with an exponent is exact
const LN2_LOW = 1.9082149292705877e-10;
const LOG2_E = 1.4426950408889634;
const TWO_OVER_PI = 0.6366197723675814;
const HALF_PI_1 = 1.5707963267341256; // 33 bits
const HALF_PI_2 = 6.077100506303966e-11; // 33 bits
const HALF_PI_3 = 2.0222662487959506e-21;

/** 2^k at k + 1000, k = −1000 … 1000. */
const POWERS = Float64Array.from({ length: 2001 }, (_, i) => {
  view.setUint32(LOW, 0);
  view.setUint32(SIGN_EXPONENT, (i + 23) << 20);
  return view.getFloat64(0);
});

/** x × 2^k for normal x and any whole k; steps at 2^±1000 so that only a subnormal result is rounded. */
function scale(x: number, k: number): number {
  for (; k > 1000; k -= 1000) x *= POWERS[2000];
  for (; k < -1000; k += 1000) x *= POWERS[0];
  return x * POWERS[k + 1000];
}

/** 1/n! for n = from, from + step … to, highest first (Horner order), with alternating signs if asked. */
function inverseFactorials(from: number, to: number, step: number, alternate: boolean): number[] {
  const out: number[] = [];
  let factorial = 1;
  for (let n = 2, sign = 1; n <= to; n++) {
    factorial *= n; // exact up to 22!
    if (n < from || (n - from) % step !== 0) continue;
    out.unshift(sign / factorial);
    if (alternate) sign = -sign;
  }
  return out;
}

const [E14, E13, E12, E11, E10, E9, E8, E7, E6, E5, E4, E3, E2] = inverseFactorials(2, 14, 1, false);
const SIN = inverseFactorials(3, 19, 2, true).map((c) => -c);
const COS = inverseFactorials(4, 18, 2, true);
/** 2/(2n + 1), n = 10 … 1: log((1 + s)/(1 - s)) = 2s + s (2/3 s² + 2/5 s⁴ + …). */
const LOG = Array.from({ length: 10 }, (_, i) => 2 / (21 - 2 * i));
const LOG_BUT_FIRST = LOG.slice(0, -1);

function horner(coefficients: readonly number[], x: number): number {
  let sum = coefficients[0];
  for (let i = 1; i < coefficients.length; i++) sum = sum * x + coefficients[i];
  return sum;
}

/** 1/2! + r/3! + … + r¹²/14!, written out: sampling takes it once a token of the vocabulary. */
function expTail(r: number): number {
  const high = (((((E14 * r + E13) * r + E12) * r + E11) * r + E10) * r + E9) * r + E8;
  return (((((high * r + E7) * r + E6) * r + E5) * r + E4) * r + E3) * r + E2;
}

/** exp(x + tail), |tail| far below |x|. */
function expSum(x: number, tail: number): number {
  if (x !== x) return x;
  if (x > 709.8) return Infinity;
  if (x < -745.2) return 0;
  const k = Math.floor(x * LOG2_E + 0.5);
  const high = x - k * LN2_HIGH;
  const low = tail - k * LN2_LOW;
  const r = high + low;
  const lost = high - r + low;
  return scale(1 + (r + (r * r * expTail(r) + lost)), k);
}

/** e^x. */
export function exp(x: number): number {
  return expSum(x, 0);
}

/** Normal x > 0 as m × 2^k with m in [√½, √2): m is returned, k is left in `exponent`. */
let exponent = 0;
function mantissa(x: number): number {
  let k = 0;
  if (x < 2.2250738585072014e-308) {
    x *= 18014398509481984; // 2^54: subnormals
    k = -54;
  }
  view.setFloat64(0, x);
  const word = view.getUint32(SIGN_EXPONENT);
  k += (word >>> 20) - 1023;
  view.setUint32(SIGN_EXPONENT, (word & 0xfffff) | 0x3ff00000);
  const m = view.getFloat64(0);
  exponent = m > 1.4142135623730951 ? k + 1 : k;
  return m > 1.4142135623730951 ? m / 2 : m;
}

/** Natural logarithm. */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? -Infinity : NaN;
  if (x === Infinity) return x;
  const f = mantissa(x) - 1;
  const k = exponent;
  const s = f / (2 + f);
  const z = s * s;
  const r = z * horner(LOG, z);
  const half = 0.5 * f * f;
  // log(1 + f) = 2s + s r = f - (f²/2 - s (f²/2 + r)); the large terms k ln 2 and f are added last
  return k * LN2_HIGH - (half - (s * (half + r) + k * LN2_LOW) - f);
}

/** Sum of a and b as s + e exactly (Knuth 1969, two-sum): s is returned, e is left in `rest`. */
let rest = 0;
function twoSum(a: number, b: number): number {
  const s = a + b;
  const t = s - a;
  rest = a - (s - t) + (b - t);
  return s;
}

/** Product of a and b as p + e exactly (Dekker 1971); |a|, |b| below 2^990: p is returned, e is left in `rest`. */
function twoProduct(a: number, b: number): number {
  const p = a * b;
  const ta = a * 134217729; // 2^27 + 1
  const tb = b * 134217729;
  const ah = ta - (ta - a);
  const bh = tb - (tb - b);
  const al = a - ah;
  const bl = b - bh;
  rest = ah * bh - p + ah * bl + al * bh + al * bl;
  return p;
}

/** Bits of π/2 kept for arguments of any size: 1024 for the integer part, 53 of result, 63 of cancellation, some to spare. */
const PI_BITS = 1200n;
let halfPi = 0n;

/** floor(2^PI_BITS × atan(1/n)) up to a few units. */
function arctanInverse(n: bigint): bigint {
  let term = (1n << PI_BITS) / n;
  let sum = term;
  for (let i = 3n, sign = -1n; term !== 0n; i += 2n, sign = -sign) {
    term /= n * n;
    sum += (sign * term) / i;
  }
  return sum;
}

let reduced = 0;
let reducedTail = 0;

/** Reduction in whole numbers for |x| ≥ 2^20, where the split constant no longer has the bits. */
function reduceLarge(x: number): number {
  halfPi ||= 2n * (4n * arctanInverse(5n) - arctanInverse(239n)); // Machin 1706
  view.setFloat64(0, x);
  const e = BigInt(((view.getUint32(SIGN_EXPONENT) >>> 20) & 0x7ff) - 1075);
  const m = (BigInt.asUintN(52, view.getBigUint64(0)) | (1n << 52n)) * (x < 0 ? -1n : 1n);
  const fixed = m << (PI_BITS + e);
  let quotient = fixed / halfPi;
  let remainder = fixed - quotient * halfPi;
  if (2n * remainder > halfPi) {
    remainder -= halfPi;
    quotient++;
  } else if (2n * remainder < -halfPi) {
    remainder += halfPi;
    quotient--;
  }
  reduced = scale(Number(remainder >> (PI_BITS - 180n)), -180);
  reducedTail = 0;
  return Number(quotient & 3n);
}

/** x - q π/2 in [-π/4, π/4] is left in `reduced + reducedTail`; q modulo 4 is returned. */
function reduce(x: number): number {
  if (x > -0.7853981633974483 && x < 0.7853981633974483) {
    reduced = x;
    reducedTail = 0;
    return 0;
  }
  if (x >= 1048576 || x <= -1048576) return reduceLarge(x);
  const q = Math.floor(x * TWO_OVER_PI + 0.5);
  const a = x - q * HALF_PI_1; // exact: both products below have at most 53 bits
  const b = twoSum(a, -q * HALF_PI_2);
  const lost = rest;
  reduced = twoSum(b, lost - q * HALF_PI_3);
  reducedTail = rest;
  return q & 3;
}

/** sin(x + y), |x| ≤ π/4, y a tail. */
function sinSeries(x: number, y: number): number {
  const z = x * x;
  return x + (z * x * horner(SIN, z) + y * (1 - 0.5 * z));
}

/** cos(x + y), |x| ≤ π/4, y a tail. */
function cosSeries(x: number, y: number): number {
  const z = x * x;
  const half = 0.5 * z;
  const w = 1 - half;
  return w + (1 - w - half + (z * z * horner(COS, z) - x * y));
}

/** Sine of x radians. */
export function sin(x: number): number {
  if (x - x !== 0) return NaN;
  if (x === 0) return x;
  const q = reduce(x);
  const value = q & 1 ? cosSeries(reduced, reducedTail) : sinSeries(reduced, reducedTail);
  return q & 2 ? -value : value;
}

/** Cosine of x radians. */
export function cos(x: number): number {
  if (x - x !== 0) return NaN;
  const q = reduce(x);
  const value = q & 1 ? sinSeries(reduced, reducedTail) : cosSeries(reduced, reducedTail);
  return q === 1 || q === 2 ? -value : value;
}

/** x^y for finite x > 0 and y: exp(y log x) with log x in two doubles. */
function powPositive(x: number, y: number): number {
  const f = mantissa(x) - 1;
  const k = exponent;
  // s = f / (2 + f) as sh + sl
  const d = twoSum(2, f);
  const dl = rest;
  const sh = f / d;
  const p = twoProduct(sh, d);
  const sl = (f - p - rest - sh * dl) / d;
  // s³ as ch + cl, then log m = 2s + 2/3 s³ + s³ (2/5 s² + …)
  const z = twoProduct(sh, sh);
  const zl = rest + 2 * sh * sl;
  const ch = twoProduct(z, sh);
  const cl = rest + z * sl + zl * sh;
  const th = twoProduct(ch, 0.6666666666666666);
  const tl = rest + cl * 0.6666666666666666 + ch * 3.700743415417188e-17;
  const tail = tl + ch * z * horner(LOG_BUT_FIRST, z) + 2 * sl + k * LN2_LOW;
  const a = twoSum(k * LN2_HIGH, 2 * sh);
  const al = rest;
  const b = twoSum(a, th);
  const high = twoSum(b, rest + al + tail);
  const low = rest;
  if (high * y > 800) return Infinity;
  if (high * y < -800) return 0;
  const product = twoProduct(high, y);
  return expSum(product, rest + low * y);
}

/** x^y, with the special cases of ECMAScript's Number::exponentiate. */
export function pow(x: number, y: number): number {
  if (y === 0) return 1;
  if (x !== x || y !== y) return NaN;
  const size = x < 0 ? -x : x;
  if (y === Infinity || y === -Infinity) {
    if (size === 1) return NaN;
    return size > 1 === y > 0 ? Infinity : 0;
  }
  const whole = Math.floor(y) === y;
  const odd = whole && Math.floor(y / 2) !== y / 2;
  const negative = odd && (x < 0 || Object.is(x, -0));
  if (x < 0 && x !== -Infinity && !whole) return NaN;
  let value: number;
  if (size === 0 || size === Infinity) value = (size === 0) === y > 0 ? 0 : Infinity;
  else value = size === 1 ? 1 : powPositive(size, y);
  return negative ? -value : value;
}
