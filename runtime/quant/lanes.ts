// What the weight schemes share: blocks of 16 rows, 16-bit scales, rounding, and the two ways integer codes lie in a group.
// Encoders assume finite weights: whoever reads a file rejects NaN and infinities before they come here.
import { roundup } from "../num/int.ts";
import { BLOCK_ROWS, type IntegerScheme } from "./scheme.ts";

/** u16 → scale: f32 bits (u << 13) + SCALE_BASE. 6 exponent bits and 10 of mantissa: 2^-31 … 2^33, never zero, sign or subnormal. */
const SCALE_BASE = 0x30000000;
const BITS = /* @__PURE__ */ new Uint32Array(1);
const VALUE = /* @__PURE__ */ new Float32Array(BITS.buffer);

export function scaleFromU16(u: number): number {
  BITS[0] = (u << 13) + SCALE_BASE;
  return VALUE[0];
}

/** Nearest representable scale (half up), clamped to the ends of the range; 0 gives u16 0. */
export function scaleToU16(scale: number): number {
  VALUE[0] = scale;
  return Math.max(0, Math.min(0xffff, (BITS[0] - SCALE_BASE + 0x1000) >> 13));
}

/** Adding and taking away 1.5 · 2^52 rounds a double to the nearest even integer. */
const ROUND = 6755399441055744;

/** codes[to + i] = w[from + i] / scale, rounded half to even and clamped. */
export function roundCodes(w: Float32Array | Float64Array, from: number, length: number, scale: number, qmin: number, qmax: number, codes: Int8Array, to: number): void {
  const inverse = scale === 0 ? 0 : 1 / scale;
  for (let i = 0; i < length; i++) {
    const q = w[from + i] * inverse + ROUND - ROUND;
    codes[to + i] = Math.max(qmin, Math.min(qmax, q));
  }
}

export function absmax(w: Float32Array, from: number, length: number): number {
  let max = 0;
  for (let i = from; i < from + length; i++) {
    const v = w[i] < 0 ? -w[i] : w[i];
    if (v > max) max = v;
  }
  return max;
}

/** Σ codes[from … from + length). */
export function rowSum(codes: Int8Array, from: number, length: number): number {
  let sum = 0;
  for (let i = from; i < from + length; i++) sum += codes[i];
  return sum;
}

/** Σ (w − code · scale)² of a group. */
function squaredError(w: Float32Array, from: number, length: number, scale: number, qmin: number, qmax: number): number {
  const inverse = 1 / scale;
  let sum = 0;
  for (let i = from; i < from + length; i++) {
    const v = w[i] * inverse;
    const r = v + ROUND - ROUND;
    const d = v - Math.max(qmin, Math.min(qmax, r));
    sum += d * d;
  }
  return sum * scale * scale;
}

/**
 * Scale of a group as the file will hold it. Every divisor proposes absmax / divisor, rounded to 16 bits; the least squared error wins,
 * the earlier one on a tie. One divisor means no search.
 */
export function chooseScale(w: Float32Array, from: number, length: number, divisors: readonly number[], qmin: number, qmax: number): number {
  const max = absmax(w, from, length);
  if (max === 0) return scaleFromU16(0);
  let best = scaleFromU16(scaleToU16(max / divisors[0]));
  if (divisors.length === 1) return best;
  let least = squaredError(w, from, length, best, qmin, qmax);
  for (let i = 1; i < divisors.length; i++) {
    const scale = scaleFromU16(scaleToU16(max / divisors[i]));
    const error = squaredError(w, from, length, scale, qmin, qmax);
    if (error < least) {
      least = error;
      best = scale;
    }
  }
  return best;
}

/** How the codes of one group of 16 rows lie in memory: `row` writes or reads one row's codes; a row's codes start at 4·r. */
export interface Codes {
  bytesPerGroup(group: number): number;
  put(codes: Int8Array, from: number, length: number, group: number, out: Uint8Array, at: number): void;
  get(packed: Uint8Array, at: number, length: number, codes: Int8Array, to: number): void;
}

export const ROW_STEP = 4 * BLOCK_ROWS;

/** [k/4][16 rows][4 k] int8. */
export const BYTES: Codes = {
  bytesPerGroup: (group) => group * BLOCK_ROWS,
  put(codes, from, length, group, out, at) {
    for (let i = 0; i < group; i++) out[at + (i >> 2) * ROW_STEP + (i & 3)] = i < length ? codes[from + i] : 0;
  },
  get(packed, at, length, codes, to) {
    for (let i = 0; i < length; i++) codes[to + i] = packed[at + (i >> 2) * ROW_STEP + (i & 3)];
  },
};

/** [k/8][16 rows][4 bytes]: byte j holds code(j) + zero in its low nibble and code(j + 4) + zero in its high one. */
const nibbles = (zero: number): Codes => ({
  bytesPerGroup: (group) => (group * BLOCK_ROWS) / 2,
  put(codes, from, length, group, out, at) {
    for (let i = 0; i < group; i += 8)
      for (let j = i; j < i + 4; j++) {
        const lo = j < length ? codes[from + j] : 0;
        const hi = j + 4 < length ? codes[from + j + 4] : 0;
        out[at + (i >> 3) * ROW_STEP + (j - i)] = (lo + zero) | ((hi + zero) << 4);
      }
  },
  get(packed, at, length, codes, to) {
    for (let i = 0; i < length; i++) {
      const byte = packed[at + (i >> 3) * ROW_STEP + (i & 3)];
      codes[to + i] = (i & 4 ? byte >> 4 : byte & 15) - zero;
    }
  },
});

/** Codes −8…7. */
export const NIBBLES = /* @__PURE__ */ nibbles(8);
/** Codes 0…15. */
export const RAW_NIBBLES = /* @__PURE__ */ nibbles(0);

interface Grouped {
  readonly name: string;
  readonly group: number;
  readonly qmin: number;
  readonly qmax: number;
  readonly codes: Codes;
  /** Candidates of the search for a scale; none where the scheme has a rule of its own. */
  readonly divisors?: readonly number[];
  /** That rule: the representable scale of w[from … from + length). */
  readonly scaleOf?: (w: Float32Array, from: number, length: number) => number;
}

/** Scheme with a 16-bit scale a group: [n/16][kp/group] of 16 u16 scales, then the group's codes. */
export function groupedScheme({ name, group, qmin, qmax, codes: layout, divisors = [], scaleOf }: Grouped): IntegerScheme {
  const choose = scaleOf ?? ((w: Float32Array, from: number, length: number) => chooseScale(w, from, length, divisors, qmin, qmax));
  const codesAt = 2 * BLOCK_ROWS;
  const stride = codesAt + layout.bytesPerGroup(group);
  const groupsOf = (k: number) => Math.ceil(k / group);
  const bytes = (n: number, k: number) => (roundup(n, BLOCK_ROWS) / BLOCK_ROWS) * groupsOf(k) * stride;
  /** Offset of a row's group: its scale at + 2·r, its codes at codesAt + 4·r. */
  const groupAt = (r: number, g: number, groups: number) => ((r >> 4) * groups + g) * stride;

  function pack(codes: Int8Array, scales: Float32Array, rows: number, k: number, out: Uint8Array): void {
    const groups = groupsOf(k);
    for (let r = 0; r < roundup(rows, BLOCK_ROWS); r++)
      for (let g = 0; g < groups; g++) {
        const at = groupAt(r, g, groups);
        const lane = r & 15;
        const u = r < rows ? scaleToU16(scales[r * groups + g]) : 0;
        out[at + 2 * lane] = u & 0xff;
        out[at + 2 * lane + 1] = u >> 8;
        layout.put(codes, r * k + g * group, r < rows ? Math.min(group, k - g * group) : 0, group, out, at + codesAt + 4 * lane);
      }
  }

  function unpack(packed: Uint8Array, rows: number, k: number): { codes: Int8Array; scales: Float32Array } {
    const groups = groupsOf(k);
    const codes = new Int8Array(rows * k);
    const scales = new Float32Array(rows * groups);
    for (let r = 0; r < rows; r++)
      for (let g = 0; g < groups; g++) {
        const at = groupAt(r, g, groups);
        const lane = r & 15;
        scales[r * groups + g] = scaleFromU16(packed[at + 2 * lane] | (packed[at + 2 * lane + 1] << 8));
        layout.get(packed, at + codesAt + 4 * lane, Math.min(group, k - g * group), codes, r * k + g * group);
      }
    return { codes, scales };
  }

  /** Block by block, so that the codes of a large matrix never stand in memory twice. */
  function encode(w: Float32Array, rows: number, k: number, out: Uint8Array): void {
    const groups = groupsOf(k);
    const codes = new Int8Array(BLOCK_ROWS * k);
    const scales = new Float32Array(BLOCK_ROWS * groups);
    for (let first = 0; first < rows; first += BLOCK_ROWS) {
      const here = Math.min(BLOCK_ROWS, rows - first);
      for (let r = 0; r < here; r++)
        for (let g = 0; g < groups; g++) {
          const from = (first + r) * k + g * group;
          const length = Math.min(group, k - g * group);
          const scale = choose(w, from, length);
          scales[r * groups + g] = scale;
          roundCodes(w, from, length, scale, qmin, qmax, codes, r * k + g * group);
        }
      pack(codes, scales, here, k, out.subarray(bytes(first, k), bytes(first + here, k)));
    }
  }

  return {
    name,
    version: 1,
    group,
    act: "i8tok",
    qmin,
    qmax,
    bytes,
    encode,
    decode: (packed, rows, k) => scaled(unpack(packed, rows, k), rows, k, group),
    scaleOf: (w) => choose(w, 0, w.length),
    pack,
    unpack,
  };
}

/** f32(code) · scale, row by row. */
export function scaled(q: { codes: Int8Array; scales: Float32Array }, rows: number, k: number, group: number): Float32Array {
  const w = new Float32Array(rows * k);
  const groups = Math.ceil(k / group);
  for (let r = 0; r < rows; r++) for (let i = 0; i < k; i++) w[r * k + i] = q.codes[r * k + i] * q.scales[r * groups + Math.floor(i / group)];
  return w;
}

/** Element (r, i) of W at [r / 16][i][r mod 16]: rows become lanes. `lanes` holds one block. */
export function toLanes(w: ArrayLike<number>, first: number, rows: number, k: number, lanes: Float32Array): void {
  lanes.fill(0);
  for (let r = 0; r < rows; r++) for (let i = 0; i < k; i++) lanes[i * BLOCK_ROWS + r] = w[(first + r) * k + i];
}

/** Bytes [from, to) in a buffer of their own: those of a Node Buffer may lie at any offset of one that others share. */
export function copied(bytes: Uint8Array, from: number, to: number): ArrayBuffer {
  return new Uint8Array(bytes.subarray(from, to)).buffer;
}

export function fromLanes(lanes: Float32Array, first: number, rows: number, k: number, w: Float32Array): void {
  for (let r = 0; r < rows; r++) for (let i = 0; i < k; i++) w[(first + r) * k + i] = lanes[i * BLOCK_ROWS + r];
}
