// Quantised weights of GGUF that a scheme here holds exactly: their codes are moved, nothing is rounded. Why decode(packed) is, up to the sign
// of a zero, what ggml's dequantize_row gives:
//   q4g32m decodes fround(fround(d · q) + m). d is an f16 (11 bits), for Q4_K times 6 bits of the group: 17 bits; q has 4: d · q is exact in
//   f32, so that one rounding is left, that of the sum.
//   Q4_0  ggml: (q − 8) · d. m = −8 · d is exact, and so is the sum: it is (q − 8) · d, 15 bits.
//   Q4_1  ggml: q · d + m, the same sum, rounded once; with or without a fused multiply-add, as the product is exact.
//   Q4_K  ggml: d1 = d · s, m1 = dmin · m, both 17 bits and exact; d1 · q is 21 bits and exact; d1 · q − m1 is rounded once, as is the sum with −m1.
// Nothing overflows (65504 · 63 · 15 < 2^26), and the least product of an f16 is far above the subnormals of f32.
import { SkintError } from "../errors.ts";
import { type Block, half } from "../formats/gguf/blocks/block.ts";
import { Q4_0 } from "../formats/gguf/blocks/q4_0.ts";
import { Q4_1 } from "../formats/gguf/blocks/q4_1.ts";
import { Q4_K } from "../formats/gguf/blocks/q4_k.ts";
import { minimumOf, scaleOf } from "../formats/gguf/blocks/scales.ts";
import { scheme } from "./q4g32m.ts";
import { BLOCK_ROWS } from "./scheme.ts";

const GROUP = scheme.group;

/** Types that q4g32m holds exactly. */
export type ExactQ4 = "Q4_0" | "Q4_1" | "Q4_K";

/** Where the groups of a block go: `group` counts through the rows of codes, scales and minima. */
interface Unpacked {
  readonly codes: Int8Array;
  readonly scales: Float32Array;
  readonly minima: Float32Array;
}

interface Reader {
  readonly block: Block;
  /** The block at byte `at` into groups `group` …, whose weights follow each other. */
  read(blocks: Uint8Array, at: number, group: number, to: Unpacked): void;
}

/** Bytes of which the low nibbles are codes[to …) and the high ones codes[to + count …). */
function nibbles(bytes: Uint8Array, at: number, count: number, codes: Int8Array, to: number): void {
  for (let i = 0; i < count; i++) {
    codes[to + i] = bytes[at + i] & 15;
    codes[to + count + i] = bytes[at + i] >> 4;
  }
}

const READERS: Readonly<Record<ExactQ4, Reader>> = {
  Q4_0: {
    block: Q4_0,
    read(blocks, at, group, { codes, scales, minima }) {
      scales[group] = half(blocks, at);
      minima[group] = -8 * scales[group];
      nibbles(blocks, at + 2, 16, codes, group * GROUP);
    },
  },
  Q4_1: {
    block: Q4_1,
    read(blocks, at, group, { codes, scales, minima }) {
      scales[group] = half(blocks, at);
      minima[group] = half(blocks, at + 2);
      nibbles(blocks, at + 4, 16, codes, group * GROUP);
    },
  },
  Q4_K: {
    block: Q4_K,
    read(blocks, at, group, { codes, scales, minima }) {
      const d = half(blocks, at);
      const dmin = half(blocks, at + 2);
      for (let g = 0; g < 8; g++) {
        scales[group + g] = d * scaleOf(blocks, at + 4, g);
        minima[group + g] = -dmin * minimumOf(blocks, at + 4, g);
      }
      for (let g = 0; g < 8; g += 2) nibbles(blocks, at + 16 + 16 * g, 32, codes, (group + g) * GROUP);
    },
  },
};

/** Whether q4g32m holds tensors of a GGUF type exactly. */
export const isExactQ4 = (type: string): type is ExactQ4 => Object.hasOwn(READERS, type);

/**
 * Packs rows of GGUF blocks as q4g32m: `rows` rows of k weights, a multiple of 16 or the last ones of the matrix; out = that run of blocks.
 * Throws `format.shape` where k or the bytes do not fill whole blocks, `model.tensor` at a scale that is not finite.
 */
export function q4g32mFromGguf(type: ExactQ4, blocks: Uint8Array, rows: number, k: number, out: Uint8Array): void {
  const { block, read } = READERS[type];
  const each = k / block.elements;
  if (!Number.isInteger(each) || blocks.length !== rows * each * block.bytes)
    throw new SkintError("format.shape", `${blocks.length} bytes are not ${rows} rows of ${k} weights in blocks of ${type}, ${block.elements} weights in ${block.bytes} bytes`);
  const groups = k / GROUP;
  const part = { codes: new Int8Array(BLOCK_ROWS * k), scales: new Float32Array(BLOCK_ROWS * groups), minima: new Float32Array(BLOCK_ROWS * groups) };
  let at = 0;
  for (let first = 0; first < rows; first += BLOCK_ROWS) {
    const here = Math.min(BLOCK_ROWS, rows - first);
    for (let b = 0; b < here * each; b++, at += block.bytes) read(blocks, at, (b * block.elements) / GROUP, part);
    for (let i = 0; i < here * groups; i++)
      if (!Number.isFinite(part.scales[i] + part.minima[i]))
        throw new SkintError("model.tensor", `a scale of ${type} in row ${first + Math.floor(i / groups)} is not finite; the checkpoint is damaged: fetch it again`);
    scheme.pack(part.codes, part.scales, part.minima, here, k, out.subarray(scheme.bytes(first, k), scheme.bytes(first + here, k)));
  }
}
