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
