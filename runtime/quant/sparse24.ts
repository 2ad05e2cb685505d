// 2:4 sparsity: of every 4 consecutive weights along k, two are kept. What the schemes q8s24, q4s24, q8s24v and q4s24v share: which weights to
// keep, and how the places of kept weights are coded. Kernels do not move weights: they gather activations.
//
// A window is 8 k, two groups of 4: a row keeps 4 of its weights. Kernels gather from 16 bytes that hold the window's 8 activations in the
// order of K_AT. A kept weight's place is one of those 16 positions, and of its 4 bits only the two under the mask of its role can be set, so
// that the places of two windows share a byte without a shift or an addition: one `and` and there they are. Roles of the 4 kept weights:
//   0  first of the first group, k 0…2     mask 0011     1  second of the first group, k 1…3     mask 0101
//   2  first of the second group, k 4…6    mask 1100     3  second of the second group, k 5…7    mask 1010
// A byte of places has four fields of two bits: 0 and 1 in the low nibble, 2 and 3 in the high one. Byte j of field f belongs to role
// (j + 2·(f mod 2)) mod 4: the masks of fields 0 and 1 complement each other. Any bits at all name one of the window's 8 activations, so
// places from a stranger can make a product wrong, never read elsewhere; every build and `unpack` read them alike.
import { SkintError } from "../errors.ts";
import { roundup } from "../num/int.ts";
import { roundCodes, rowSum, scaled } from "./lanes.ts";
import { BLOCK_ROWS, type SparseScheme } from "./scheme.ts";

/** k within its window of the activation at each position. */
export const K_AT: readonly number[] = [1, 2, 6, 0, 4, 3, 0, 0, 5, 0, 7, 0, 6, 0, 0, 0];
export const WINDOW = 8;

/** Bits of a field's nibble that each role uses. */
const MASKS = [0b0011, 0b0101, 0b1100, 0b1010];
/** Position of k within its group, by role. */
const POSITIONS = [
  [3, 0, 1],
  [Number.NaN, 0, 1, 5],
  [4, 8, 12],
  [Number.NaN, 8, 2, 10],
];

const roleOf = (field: number, j: number) => (j + 2 * (field & 1)) & 3;
const shiftOf = (field: number) => (field >> 1) << 2;

/** How one scheme lays these parts out in a block of 16 rows of k weights. Rows r are those of the block, offsets bytes from its start. */
export interface Layout {
  readonly name: string;
  /** Weights along k that share a scale; 0 = the whole row. */
  readonly group: number;
  readonly qmin: number;
  readonly qmax: number;
  /** Neighbouring rows that keep the same k. */
  readonly share: 1 | 8;
  blockBytes(k: number): number;
  /** Windows of a row, padding included. */
  windows(k: number): number;
  /** First of the 4 bytes of places of row r in window w, and their field. */
  places(r: number, w: number): { readonly at: number; readonly field: number };
  /** Value j of row r in window w, −128…127 or −8…7. */
  put(block: Uint8Array, r: number, w: number, j: number, code: number): void;
  get(block: Uint8Array, r: number, w: number, j: number): number;
  /** Scale of a group as the file holds it. */
  scaleOf(group: Float32Array): number;
  /** Scale of row r's group g, and the sum of its codes, which the zero point of activations needs. */
  putScale(block: DataView, r: number, g: number, scale: number, sum: number): void;
  getScale(block: DataView, r: number, g: number): number;
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * Which weights to keep: the two of each 4 with the greatest score, the earlier on a tie, the same for each `share` rows by their summed scores.
 * score f32 [rows, k] ≥ 0 → kept u8 [rows, 2·⌈k/4⌉]: places within each 4, ascending. The last group may end beyond k; then so may a place.
 */
export function keep24(score: Float32Array, rows: number, k: number, share: number): Uint8Array {
  const groups = Math.ceil(k / 4);
  const kept = new Uint8Array(rows * groups * 2);
  for (let first = 0; first < rows; first += share)
    for (let g = 0; g < groups; g++) {
      const sums = [0, 0, 0, 0];
      const end = Math.min(rows, first + share);
      for (let r = first; r < end; r++) for (let e = 0; e < Math.min(4, k - 4 * g); e++) sums[e] += score[r * k + 4 * g + e];
      const [a, b] = greatestTwo(sums);
      for (let r = first; r < end; r++) kept.set([a, b], (r * groups + g) * 2);
    }
  return kept;
}

/** The two of four with the greatest sums, ascending; the earlier on a tie. */
export function greatestTwo(sums: readonly number[]): [number, number] {
  const [a, b] = [0, 1, 2, 3].sort((i, j) => sums[j] - sums[i] || i - j);
  return a < b ? [a, b] : [b, a];
}

/** The places of codes that are not zero, filled up with the first that are; throws `format.shape` where a group has more than two. */
function placesOf(codes: Int8Array, rows: number, k: number, share: number): Uint8Array {
  const groups = Math.ceil(k / 4);
  const score = new Float32Array(codes.length);
  for (let i = 0; i < score.length; i++) score[i] = codes[i] ? 1 : 0;
  const kept = keep24(score, rows, k, share);
  for (let i = 0; i < codes.length; i++) {
    const [r, c] = [Math.floor(i / k), i % k];
    const at = (r * groups + (c >> 2)) * 2;
    if (codes[i] && kept[at] !== (c & 3) && kept[at + 1] !== (c & 3))
      throw new SkintError(
        "format.shape",
        `row ${r} has more than two weights in columns ${c & ~3} … ${c | 3}${share > 1 ? `, shared by ${share} rows` : ""}; 2:4 weights keep two of four`,
      );
  }
  return kept;
}

/** Codes −8…7 in a byte at bit 0, plus 8, or at bit 4, as they are. */
export const toNibble = (code: number, bit: number) => (bit === 0 ? code + 8 : (code & 15) << 4);
export const fromNibble = (byte: number, bit: number) => (bit === 0 ? (byte & 15) - 8 : (byte << 24) >> 28);

/** A scheme from its layout. */
export function sparseScheme(layout: Layout): SparseScheme {
  const { name, group, qmin, qmax, share, scaleOf } = layout;
  const width = (k: number) => group || k;
  const groupsOf = (k: number) => Math.ceil(k / width(k));
  const bytes = (n: number, k: number) => (roundup(n, BLOCK_ROWS) / BLOCK_ROWS) * layout.blockBytes(k);
  const blockOf = (packed: Uint8Array, row: number, k: number) => packed.subarray((row >> 4) * layout.blockBytes(k), ((row >> 4) + 1) * layout.blockBytes(k));

  function packScales(codes: Int8Array, scales: Float32Array, row: number, k: number, block: DataView): void {
    for (let g = 0; g < groupsOf(k); g++) {
      const from = g * width(k);
      layout.putScale(block, row & 15, g, scales[row * groupsOf(k) + g], rowSum(codes, row * k + from, Math.min(width(k), k - from)));
    }
  }

  /** Places and values of one row; what lies beyond k, or beyond the rows there are, has the code zero. */
  function packRow(codes: Int8Array, kept: Uint8Array, row: number, rows: number, k: number, block: Uint8Array): void {
    const groups = Math.ceil(k / 4);
    for (let w = 0; w < layout.windows(k); w++) {
      const { at, field } = layout.places(row & 15, w);
      for (let j = 0; j < 4; j++) {
        const role = roleOf(field, j);
        const g = 2 * w + (role >> 1);
        const e = row < rows && g < groups ? kept[(row * groups + g) * 2 + (role & 1)] : role & 1;
        const column = 4 * g + e;
        if ((row & 15) % share === 0) block[at + j] |= POSITIONS[role][e] << shiftOf(field);
        layout.put(block, row & 15, w, j, row < rows && column < k ? codes[row * k + column] : 0);
      }
    }
  }

  function pack(codes: Int8Array, scales: Float32Array, rows: number, k: number, out: Uint8Array, kept = placesOf(codes, rows, k, share)): void {
    out.fill(0, 0, bytes(rows, k));
    for (let row = 0; row < roundup(rows, BLOCK_ROWS); row++) {
      const block = blockOf(out, row, k);
      if (row < rows) packScales(codes, scales, row, k, viewOf(block));
      packRow(codes, kept, row, rows, k, block);
    }
  }

  function unpack(packed: Uint8Array, rows: number, k: number): { codes: Int8Array; scales: Float32Array; kept: Uint8Array } {
    const groups = Math.ceil(k / 4);
    const codes = new Int8Array(rows * k);
    const scales = new Float32Array(rows * groupsOf(k));
    const kept = new Uint8Array(rows * groups * 2);
    for (let row = 0; row < rows; row++) {
      const block = blockOf(packed, row, k);
      for (let g = 0; g < groupsOf(k); g++) scales[row * groupsOf(k) + g] = layout.getScale(viewOf(block), row & 15, g);
      for (let w = 0; w < layout.windows(k); w++) {
        const { at, field } = layout.places(row & 15, w);
        for (let j = 0; j < 4; j++) {
          const role = roleOf(field, j);
          const column = WINDOW * w + K_AT[(block[at + j] >> shiftOf(field)) & MASKS[role]];
          if (2 * w + (role >> 1) < groups) kept[(row * groups + 2 * w + (role >> 1)) * 2 + (role & 1)] = column & 3;
          if (column < k) codes[row * k + column] += layout.get(block, row & 15, w, j);
        }
      }
    }
    return { codes, scales, kept };
  }

  /** Magnitude decides what is kept; then round to nearest. */
  function encode(w: Float32Array, rows: number, k: number, out: Uint8Array): void {
    const codes = new Int8Array(BLOCK_ROWS * k);
    const scales = new Float32Array(BLOCK_ROWS * groupsOf(k));
    for (let first = 0; first < rows; first += BLOCK_ROWS) {
      const here = Math.min(BLOCK_ROWS, rows - first);
      const part = w.slice(first * k, (first + here) * k);
      const kept = keep24(
        part.map((v) => v * v),
        here,
        k,
        share,
      );
      dropOthers(part, kept, here, k);
      for (let r = 0; r < here; r++)
        for (let g = 0; g < groupsOf(k); g++) {
          const from = r * k + g * width(k);
          const length = Math.min(width(k), k - g * width(k));
          const scale = scaleOf(part.subarray(from, from + length));
          scales[r * groupsOf(k) + g] = scale;
          roundCodes(part, from, length, scale, qmin, qmax, codes, from);
        }
      pack(codes, scales, here, k, out.subarray(bytes(first, k), bytes(first + here, k)), kept);
    }
  }

  return {
    name,
    version: 1,
    act: "u7tok",
    sums: true,
    group,
    qmin,
    qmax,
    share,
    bytes,
    encode,
    decode: (packed, rows, k) => scaled(unpack(packed, rows, k), rows, k, width(k)),
    scaleOf,
    pack,
    unpack,
  };
}

/** Makes the weights f32 [rows, k] that are not kept zero. */
export function dropOthers(w: Float32Array | Int8Array, kept: Uint8Array, rows: number, k: number): void {
  const groups = Math.ceil(k / 4);
  for (let i = 0; i < rows * k; i++) {
    const at = (Math.floor(i / k) * groups + ((i % k) >> 2)) * 2;
    if (kept[at] !== ((i % k) & 3) && kept[at + 1] !== ((i % k) & 3)) w[i] = 0;
  }
}
