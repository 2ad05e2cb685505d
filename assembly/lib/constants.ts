// Vector constants of all kernels. Loaded at kernel entry with v128.load: V8 rebuilds an immediate v128 at each use, which costs
// up to 3x in a hot loop. One file, because each file's memory.data would be a copy of its own.
import * as C from "./coefficients";

/** f32 −0. */
const MINUS: u32 = 0x80000000;

/** 16 bytes of −127. */
export const I8_MIN = memory.data<u32>([0x81818181, 0x81818181, 0x81818181, 0x81818181], 16);

/** f32 0x7fffffff: clears the sign. */
export const F32_ABS = memory.data<u32>([0x7fffffff, 0x7fffffff, 0x7fffffff, 0x7fffffff], 16);

/** i32 0 1 2 3. */
export const I32_0123 = memory.data<u32>([0, 1, 2, 3], 16);

/** 16 f32 of −0: whatever they are added to stays what it is. */
export const MINUS_ZEROS = memory.data<u32>([MINUS, MINUS, MINUS, MINUS, MINUS, MINUS, MINUS, MINUS, MINUS, MINUS, MINUS, MINUS, MINUS, MINUS, MINUS, MINUS], 16);

/** Byte order of the i8tok panel `pairs`: 0 2 1 3 of each 4. */
export const PAIRS_ORDER = memory.data<u8>([0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14, 13, 15], 16);

/** Byte order of the i8tok panel `q4`: 0 2 4 6 1 3 5 7 of each 8, and its i16 factors. */
export const Q4_ORDER = memory.data<u8>([0, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14, 9, 11, 13, 15], 16);
export const Q4_TIMES = memory.data<u16>([256, 256, 16, 16, 1, 1, 256, 256], 16);

/** 16 bytes of 15: the low nibbles. */
export const NIBBLE = memory.data<u32>([0x0f0f0f0f, 0x0f0f0f0f, 0x0f0f0f0f, 0x0f0f0f0f], 16);

/** One nibble of each i16 lane, counted from below; the top one is had by a shift. */
export const NIBBLE_0 = memory.data<u32>([0x000f000f, 0x000f000f, 0x000f000f, 0x000f000f], 16);
export const NIBBLE_1 = memory.data<u32>([0x00f000f0, 0x00f000f0, 0x00f000f0, 0x00f000f0], 16);
export const NIBBLE_2 = memory.data<u32>([0x0f000f00, 0x0f000f00, 0x0f000f00, 0x0f000f00], 16);

/** The upper byte of each i16 lane. */
export const UPPER_BYTE = memory.data<u32>([0xff00ff00, 0xff00ff00, 0xff00ff00, 0xff00ff00], 16);

/** i16 1. */
export const I16_ONE = memory.data<u32>([0x00010001, 0x00010001, 0x00010001, 0x00010001], 16);

/** i16 127: the low 7 bits; i32 2^13. */
export const I16_LOW7 = memory.data<u32>([0x007f007f, 0x007f007f, 0x007f007f, 0x007f007f], 16);
export const I32_HALF14 = memory.data<u32>([8192, 8192, 8192, 8192], 16);

/** What a 16-bit weight scale, shifted left by 13, lacks to be an f32 (runtime/quant/lanes.ts). */
export const SCALE_BASE = memory.data<u32>([0x30000000, 0x30000000, 0x30000000, 0x30000000], 16);
/** The same for a 256th of the scale. */
export const SCALE_BASE_256TH = memory.data<u32>([0x2c000000, 0x2c000000, 0x2c000000, 0x2c000000], 16);

/** f16 bits, sign-extended to 32 and shifted left by 13: what of them an f32 keeps, and the factor that then rebiases the exponent (2^112). */
export const F16_KEEP = memory.data<u32>([0x8fffe000, 0x8fffe000, 0x8fffe000, 0x8fffe000], 16);
export const F16_REBIAS = memory.data<u32>([0x77800000, 0x77800000, 0x77800000, 0x77800000], 16);

// Elementary functions (math.simd.ts): the numbers of coefficients.ts in four lanes.
export const V_ROUND = memory.data<f32>([C.ROUND, C.ROUND, C.ROUND, C.ROUND], 16);
export const V_EXP_MAX = memory.data<f32>([C.EXP_MAX, C.EXP_MAX, C.EXP_MAX, C.EXP_MAX], 16);
export const V_EXP_ZERO = memory.data<f32>([C.EXP_ZERO, C.EXP_ZERO, C.EXP_ZERO, C.EXP_ZERO], 16);
export const V_LOG2E = memory.data<f32>([C.LOG2E, C.LOG2E, C.LOG2E, C.LOG2E], 16);
export const V_LN2_HIGH = memory.data<f32>([C.LN2_HIGH, C.LN2_HIGH, C.LN2_HIGH, C.LN2_HIGH], 16);
export const V_LN2_LOW = memory.data<f32>([C.LN2_LOW, C.LN2_LOW, C.LN2_LOW, C.LN2_LOW], 16);
export const V_EXP_C2 = memory.data<f32>([C.EXP_C2, C.EXP_C2, C.EXP_C2, C.EXP_C2], 16);
export const V_EXP_C3 = memory.data<f32>([C.EXP_C3, C.EXP_C3, C.EXP_C3, C.EXP_C3], 16);
export const V_EXP_C4 = memory.data<f32>([C.EXP_C4, C.EXP_C4, C.EXP_C4, C.EXP_C4], 16);
export const V_EXP_C5 = memory.data<f32>([C.EXP_C5, C.EXP_C5, C.EXP_C5, C.EXP_C5], 16);
export const V_EXP_C6 = memory.data<f32>([C.EXP_C6, C.EXP_C6, C.EXP_C6, C.EXP_C6], 16);
export const V_TANH_MAX = memory.data<f32>([C.TANH_MAX, C.TANH_MAX, C.TANH_MAX, C.TANH_MAX], 16);
export const V_TANH_P0 = memory.data<f32>([C.TANH_P0, C.TANH_P0, C.TANH_P0, C.TANH_P0], 16);
export const V_TANH_P1 = memory.data<f32>([C.TANH_P1, C.TANH_P1, C.TANH_P1, C.TANH_P1], 16);
export const V_TANH_P2 = memory.data<f32>([C.TANH_P2, C.TANH_P2, C.TANH_P2, C.TANH_P2], 16);
export const V_TANH_P3 = memory.data<f32>([C.TANH_P3, C.TANH_P3, C.TANH_P3, C.TANH_P3], 16);
export const V_TANH_P4 = memory.data<f32>([C.TANH_P4, C.TANH_P4, C.TANH_P4, C.TANH_P4], 16);
export const V_TANH_P5 = memory.data<f32>([C.TANH_P5, C.TANH_P5, C.TANH_P5, C.TANH_P5], 16);
export const V_TANH_P6 = memory.data<f32>([C.TANH_P6, C.TANH_P6, C.TANH_P6, C.TANH_P6], 16);
export const V_TANH_Q0 = memory.data<f32>([C.TANH_Q0, C.TANH_Q0, C.TANH_Q0, C.TANH_Q0], 16);
export const V_TANH_Q1 = memory.data<f32>([C.TANH_Q1, C.TANH_Q1, C.TANH_Q1, C.TANH_Q1], 16);
export const V_TANH_Q2 = memory.data<f32>([C.TANH_Q2, C.TANH_Q2, C.TANH_Q2, C.TANH_Q2], 16);
export const V_TANH_Q3 = memory.data<f32>([C.TANH_Q3, C.TANH_Q3, C.TANH_Q3, C.TANH_Q3], 16);
export const V_ERF_T = memory.data<f32>([C.ERF_T, C.ERF_T, C.ERF_T, C.ERF_T], 16);
export const V_ERF_A1 = memory.data<f32>([C.ERF_A1, C.ERF_A1, C.ERF_A1, C.ERF_A1], 16);
export const V_ERF_A2 = memory.data<f32>([C.ERF_A2, C.ERF_A2, C.ERF_A2, C.ERF_A2], 16);
export const V_ERF_A3 = memory.data<f32>([C.ERF_A3, C.ERF_A3, C.ERF_A3, C.ERF_A3], 16);
export const V_ERF_A4 = memory.data<f32>([C.ERF_A4, C.ERF_A4, C.ERF_A4, C.ERF_A4], 16);
export const V_ERF_A5 = memory.data<f32>([C.ERF_A5, C.ERF_A5, C.ERF_A5, C.ERF_A5], 16);
export const V_SQRT_HALF = memory.data<f32>([C.SQRT_HALF, C.SQRT_HALF, C.SQRT_HALF, C.SQRT_HALF], 16);
export const V_GELU_1 = memory.data<f32>([C.GELU_1, C.GELU_1, C.GELU_1, C.GELU_1], 16);
export const V_GELU_3 = memory.data<f32>([C.GELU_3, C.GELU_3, C.GELU_3, C.GELU_3], 16);
export const V_EXP2_LEAST = memory.data<f32>([C.EXP2_LEAST, C.EXP2_LEAST, C.EXP2_LEAST, C.EXP2_LEAST], 16);
export const V_EXP2_D1 = memory.data<f32>([C.EXP2_D1, C.EXP2_D1, C.EXP2_D1, C.EXP2_D1], 16);
export const V_EXP2_D2 = memory.data<f32>([C.EXP2_D2, C.EXP2_D2, C.EXP2_D2, C.EXP2_D2], 16);
export const V_EXP2_D3 = memory.data<f32>([C.EXP2_D3, C.EXP2_D3, C.EXP2_D3, C.EXP2_D3], 16);
export const V_EXP2_D4 = memory.data<f32>([C.EXP2_D4, C.EXP2_D4, C.EXP2_D4, C.EXP2_D4], 16);
export const V_EXP2_D5 = memory.data<f32>([C.EXP2_D5, C.EXP2_D5, C.EXP2_D5, C.EXP2_D5], 16);
export const V_LOG1P_L0 = memory.data<f32>([C.LOG1P_L0, C.LOG1P_L0, C.LOG1P_L0, C.LOG1P_L0], 16);
export const V_LOG1P_L1 = memory.data<f32>([C.LOG1P_L1, C.LOG1P_L1, C.LOG1P_L1, C.LOG1P_L1], 16);
export const V_LOG1P_L2 = memory.data<f32>([C.LOG1P_L2, C.LOG1P_L2, C.LOG1P_L2, C.LOG1P_L2], 16);
export const V_LOG1P_L3 = memory.data<f32>([C.LOG1P_L3, C.LOG1P_L3, C.LOG1P_L3, C.LOG1P_L3], 16);

/** 1.0 and its bits; 2.0. */
export const F32_ONE = memory.data<f32>([1, 1, 1, 1], 16);
export const F32_TWO = memory.data<f32>([2, 2, 2, 2], 16);

/** f32 −0: the sign bit. */
export const F32_SIGN = memory.data<u32>([0x80000000, 0x80000000, 0x80000000, 0x80000000], 16);

// f16 (half.simd.ts).
/** 65504, the greatest f16. */
export const F16_MAX = memory.data<f32>([65504, 65504, 65504, 65504], 16);
/** 2^-14, the least normal f16. */
export const F16_NORMAL = memory.data<u32>([0x38800000, 0x38800000, 0x38800000, 0x38800000], 16);
/** 0xfff − (112 << 23): exponent bias from f32 to f16, and all but a unit of half a step to round. */
export const F16_ROUND = memory.data<u32>([0xc8000fff, 0xc8000fff, 0xc8000fff, 0xc8000fff], 16);
/** 0.5: the f32 step above it is that of f16 subnormals. */
export const F32_HALF = memory.data<f32>([0.5, 0.5, 0.5, 0.5], 16);
/** 2^-16, of which REST (halfdot.scalar.ts) is the inverse. */
export const F32_REST_TH = memory.data<f32>([1 / 65536], 16);
/** 1 and 0x8000 in every word. */
export const U32_ONE = memory.data<u32>([1, 1, 1, 1], 16);
export const F16_SIGN = memory.data<u32>([0x8000, 0x8000, 0x8000, 0x8000], 16);
/** f32 2^96. */
export const Q_SCALE = memory.data<u32>([0x6f800000, 0x6f800000, 0x6f800000, 0x6f800000], 16);

/** Bit f of every byte, for f = 0 … 7, 16 bytes each. */
export const BITS = memory.data<u32>(
  [
    0x01010101, 0x01010101, 0x01010101, 0x01010101, 0x02020202, 0x02020202, 0x02020202, 0x02020202, 0x04040404, 0x04040404, 0x04040404, 0x04040404, 0x08080808, 0x08080808,
    0x08080808, 0x08080808, 0x10101010, 0x10101010, 0x10101010, 0x10101010, 0x20202020, 0x20202020, 0x20202020, 0x20202020, 0x40404040, 0x40404040, 0x40404040, 0x40404040,
    0x80808080, 0x80808080, 0x80808080, 0x80808080,
  ],
  16,
);

// 2:4 sparsity (runtime/quant/sparse24.ts).
/** K_AT: k within its window of the activation at each position. */
export const WINDOW_ORDER = memory.data<u8>([1, 2, 6, 0, 4, 3, 0, 0, 5, 0, 7, 0, 6, 0, 0, 0], 16);
/** Bits of the places of fields 0 and 2, in bytes 4l … 4l + 3: the masks of roles 0 to 3. */
export const PLACES_EVEN = memory.data<u32>([0x0a0c0503, 0x0a0c0503, 0x0a0c0503, 0x0a0c0503], 16);
/** Those of fields 1 and 3: roles 2, 3, 0, 1. */
export const PLACES_ODD = memory.data<u32>([0x05030a0c, 0x05030a0c, 0x05030a0c, 0x05030a0c], 16);
/** 16 bytes of 8. */
export const I8_EIGHT = memory.data<u32>([0x08080808, 0x08080808, 0x08080808, 0x08080808], 16);
/** 16 bytes of 0xf0: the high nibbles. */
export const NIBBLE_HIGH = memory.data<u32>([0xf0f0f0f0, 0xf0f0f0f0, 0xf0f0f0f0, 0xf0f0f0f0], 16);

/** No sign and every sign of f32, as a table; signs of the odd lanes; of the upper two. */
export const SIGN_TABLE = memory.data<u32>([0, 0, 0, 0, 0x80000000, 0x80000000, 0x80000000, 0x80000000], 16);
export const ODD_SIGNS = memory.data<u32>([0, 0x80000000, 0, 0x80000000], 16);
export const UPPER_SIGNS = memory.data<u32>([0, 0, 0x80000000, 0x80000000], 16);

/** The greatest code as f32, a step of a range of 1, and the greatest and least code as bytes. */
export const V_127 = memory.data<f32>([127, 127, 127, 127], 16);
export const V_INV_127 = memory.data<f32>([C.INV_127, C.INV_127, C.INV_127, C.INV_127], 16);
export const I8_MAX = memory.data<u32>([0x7f7f7f7f, 0x7f7f7f7f, 0x7f7f7f7f, 0x7f7f7f7f], 16);

/** 16 bytes of −128: a vector of channels outside an image. */
export const I8_ZERO = memory.data<u32>([0x80808080, 0x80808080, 0x80808080, 0x80808080], 16);

/** i16 128: what a stored byte lacks to be its value. 16 bytes of 8: what nibbles of conv4 are stored above. */
export const I16_128 = memory.data<u32>([0x00800080, 0x00800080, 0x00800080, 0x00800080], 16);
export const I8_8 = memory.data<u32>([0x08080808, 0x08080808, 0x08080808, 0x08080808], 16);
