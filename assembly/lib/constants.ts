// Vector constants of all kernels. Loaded at kernel entry with v128.load: V8 rebuilds an immediate v128 at each use, which costs
// up to 3x in a hot loop. One file, because each file's memory.data would be a copy of its own.

/** 16 bytes of −127. */
export const I8_MIN = memory.data<u32>([0x81818181, 0x81818181, 0x81818181, 0x81818181], 16);

/** f32 0x7fffffff: clears the sign. */
export const F32_ABS = memory.data<u32>([0x7fffffff, 0x7fffffff, 0x7fffffff, 0x7fffffff], 16);

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

/** i16 256. */
export const I16_256 = memory.data<u32>([0x01000100, 0x01000100, 0x01000100, 0x01000100], 16);

/** f32 1/256. */
export const F32_256TH = memory.data<u32>([0x3b800000, 0x3b800000, 0x3b800000, 0x3b800000], 16);

/** What a 16-bit weight scale, shifted left by 13, lacks to be an f32 (runtime/quant/lanes.ts). */
export const SCALE_BASE = memory.data<u32>([0x30000000, 0x30000000, 0x30000000, 0x30000000], 16);

/** f16 bits, sign-extended to 32 and shifted left by 13: what of them an f32 keeps, and the factor that then rebiases the exponent (2^112). */
export const F16_KEEP = memory.data<u32>([0x8fffe000, 0x8fffe000, 0x8fffe000, 0x8fffe000], 16);
export const F16_REBIAS = memory.data<u32>([0x77800000, 0x77800000, 0x77800000, 0x77800000], 16);
