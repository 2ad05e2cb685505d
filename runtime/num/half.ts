// 16-bit floats: IEEE binary16 (f16) and bfloat16 (bf16) to and from f32, one value or whole arrays.
// Rounding is to nearest even. NaN stays NaN (its payload is not kept), infinities and signed zeros are kept, subnormals are exact.
// Arrays are little-endian on every host this runs on, as files are.

const F32 = /* @__PURE__ */ new Float32Array(1);
const U32 = /* @__PURE__ */ new Uint32Array(F32.buffer);

/** f16 bits shifted into f32 position are the value × 2^-112, subnormals included. */
const REBIAS = 2 ** 112;

/** Bits of an f16 → its value. */
export function f16ToF32(bits: number): number {
  U32[0] = (bits & 0x7fff) << 13;
  F32[0] *= REBIAS;
  if ((bits & 0x7c00) === 0x7c00) U32[0] |= 0x7f800000;
  return bits & 0x8000 ? -F32[0] : F32[0];
}

/** Value (rounded to f32 first) → bits of the nearest f16. */
export function f32ToF16(value: number): number {
  F32[0] = value;
  return narrow(U32[0], F32[0]);
}

/** f16 bits [n] → f32 [n]. `from` may be the upper half of `to`'s own buffer: element i is read before it is overwritten. */
export function f16ArrayToF32(from: Uint16Array, to: Float32Array): void {
  const bits = new Uint32Array(to.buffer, to.byteOffset, to.length);
  for (let i = 0; i < from.length; i++) {
    const h = from[i];
    if ((h & 0x7c00) === 0x7c00) {
      bits[i] = ((h & 0x8000) << 16) | 0x7f800000 | ((h & 0x3ff) << 13);
    } else {
      bits[i] = ((h & 0x8000) << 16) | ((h & 0x7fff) << 13);
      to[i] *= REBIAS;
    }
  }
}

/** f32 [n] → f16 bits [n]. */
export function f32ArrayToF16(from: Float32Array, to: Uint16Array): void {
  const bits = new Uint32Array(from.buffer, from.byteOffset, from.length);
  for (let i = 0; i < from.length; i++) to[i] = narrow(bits[i], from[i]);
}

/** bf16 bits [n] → f32 [n]; `from` may be the upper half of `to`'s own buffer. */
export function bf16ArrayToF32(from: Uint16Array, to: Float32Array): void {
  const bits = new Uint32Array(to.buffer, to.byteOffset, to.length);
  for (let i = 0; i < from.length; i++) bits[i] = from[i] << 16;
}

/** f32 as bits and as value → f16 bits. */
function narrow(bits: number, value: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x47800000) return sign | 0x7c00;
  // Below 2^-14 the f16 step is 2^-24: the f32 step just above 0.5, so adding 0.5 in f32 rounds there.
  if (magnitude < 0x38800000) return sign | ((Math.fround(Math.abs(value) + 0.5) - 0.5) * 2 ** 24);
  return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
}
