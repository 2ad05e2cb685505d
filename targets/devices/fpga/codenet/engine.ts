// The arithmetic of CoDeNet's engine and its clocks (rtl/codenet), over a memory that holds the same bytes. The line buffer is there row by row, so
// that one that is too short goes wrong as it does in gateware.
import { FX16_ZERO, fx16 } from "../../../../runtime/num/fx16.ts";
import type { Run } from "../twin/engine.ts";
import { DEEP_WORDS, type Decoded, decodePass, LEAD, LINE_ROWS, PARAMETER_WORDS, PASS_BYTES, SLICE } from "./pass.ts";

export interface CodenetGeometry {
  /** Words of the buffer of a slice's weights. */
  readonly buffer: number;
  /** Columns of the line buffer. */
  readonly columns: number;
  /** Rows of it; default 16. */
  readonly rows?: number;
}

/** Clocks of a job at least: a requantisation of eight channels. */
const JOB = 8;
const TAPS = 9;
/** Clocks of a pass before its first slice; of a slice around its weights; to fetch the first dilation. */
const BEFORE = 6;
const AROUND = 17;
const DILATION = 3;
/** From the last step of a job until its word is in the line buffer, and until it is in the memory. */
const TO_LINE = 20;
const TO_MEMORY = 21;
/** Clocks until a pass is refused. */
const REFUSED = 6;

/** Runs `count` passes from a word of the memory on; addresses beyond it begin again at its start, as wires do. */
export function runPasses(memory: Uint8Array, first: number, count: number, geometry: CodenetGeometry): Run {
  let cycles = 0;
  for (let i = 0; i < count; i++) {
    const at = 8 * first + PASS_BYTES * i;
    const pass = decodePass(
      Uint8Array.from({ length: PASS_BYTES }, (_, b) => memory[(at + b) % memory.length]),
      geometry,
    );
    if (!pass) return { cycles: cycles + REFUSED, bad: true };
    runPass(memory, pass, geometry.rows ?? LINE_ROWS);
    cycles += passCycles(pass);
  }
  return { cycles: count ? cycles + 1 : 0, bad: false };
}

/** Clocks of a pixel of the convolution. */
function convCycles(p: Decoded): number {
  return p.nibbles ? Math.max(JOB, 4 * p.size ** 2 * p.xw) : 8 * p.size ** 2 * p.xw;
}

/** Words of a slice among the weights. */
export const sliceWords = ({ count, deep }: Pick<Decoded, "count" | "deep">): number => count + (deep ? DEEP_WORDS : 0) + PARAMETER_WORDS;

/** Clocks of a pass: those of its pixels, and where a row has to wait for the last words of the one before. */
export function passCycles(p: Decoded): number {
  const loading = AROUND + p.count + (p.deep ? DEEP_WORDS : 0) + (p.deform ? DILATION : 0);
  let now = 0;
  // When the last words are in the line buffer, in the memory.
  let [lined, written] = [0, 0];
  const columns = p.byTwo ? Math.ceil(p.cw / 2) : p.cw;
  for (let r = 0; r < p.ch + (p.deep ? LEAD : 0); r++) {
    now = Math.max(now, lined, !p.conv && p.byTwo ? written : 0) + 1;
    const convRow = r < p.ch;
    const deepRow = p.deep && r >= LEAD && !(p.byTwo && r % 2);
    const deepLast = deepRow && !(p.byTwo && convRow && p.cw % 2 === 0);
    // Pixels are copied while the depthwise half is at work, one a clock where it is not.
    const conv = p.conv ? convCycles(p) : 1;
    const alone = p.conv ? p.cw : p.cw - (deepRow ? columns : 0);
    now += (convRow ? alone * conv : 0) + (deepRow ? columns * TAPS : 0);
    if (convRow && p.conv && p.deep) lined = now - (deepLast ? TAPS : 0) + TO_LINE - 1;
    if (convRow && !p.deep) written = now + TO_MEMORY - 1;
    if (deepRow) written = now - (deepLast ? 0 : conv) + TO_MEMORY - 1;
  }
  return BEFORE + p.slices * (loading + Math.max(now + 1, written, lined) + 1);
}

function runPass(memory: Uint8Array, p: Decoded, rows: number): void {
  const bytes = new Int8Array(memory.buffer, memory.byteOffset, memory.length);
  const at = (address: number) => bytes[((address % bytes.length) + bytes.length) % bytes.length];
  for (let slice = 0; slice < p.slices; slice++) {
    const section = Int8Array.from({ length: 8 * sliceWords(p) }, (_, i) => at(8 * (p.weights + slice * sliceWords(p)) + i));
    const parameters = new DataView(section.buffer, section.length - 8 * PARAMETER_WORDS);
    const requantise = (sum: number, channel: number, half: 0 | 1) => {
      const [scale, bias] = [0, 2].map((b) => parameters.getInt16(4 * (SLICE * half + channel) + b, true));
      return fx16(wrap24(sum), { scale, bias, shift: half ? p.shiftDeep : p.shiftConv, relu: true });
    };
    const line = Array.from({ length: rows }, () => new Int8Array(SLICE * p.cw));
    let pixel = 0;
    const put = (word: Int8Array) => {
      for (let c = 0; c < SLICE; c++) bytes[(8 * (p.y + slice + pixel * p.slices) + c) % bytes.length] = word[c];
      pixel++;
    };
    for (let r = 0; r < p.ch + (p.deep ? LEAD : 0); r++) {
      const dr = r - LEAD;
      const deepRow = p.deep && dr >= 0 && !(p.byTwo && dr % 2);
      for (let q = 0; q < p.cw; q++) {
        const word = r < p.ch ? convolve(p, at, section, requantise, r, q, slice) : undefined;
        if (word && !p.deep) put(word);
        if (deepRow && !(p.byTwo && q % 2)) put(depthwise(p, at, section, requantise, line, dr, q, pixel));
        if (word && p.deep) line[r % rows].set(word, SLICE * q);
      }
    }
  }
}

const wrap24 = (sum: number) => (sum << 8) >> 8;
type At = (address: number) => number;
type Requantise = (sum: number, channel: number, half: 0 | 1) => number;

/** One word of the convolution's output, or of the input where there is none. */
function convolve(p: Decoded, at: At, section: Int8Array, requantise: Requantise, r: number, q: number, slice: number): Int8Array {
  const first = p.x + r * p.ystep + q * p.xstep;
  if (!p.conv) return Int8Array.from({ length: SLICE }, (_, c) => at(8 * ((first + slice) & 0xffff) + c));
  const sums = new Array<number>(SLICE).fill(0);
  let w = 0;
  for (let i = 0; i < p.size; i++)
    for (let j = 0; j < p.size; j++) {
      const [row, col] = [r * p.stride + i - p.pad, q * p.stride + j - p.pad];
      const inside = row >= 0 && col >= 0 && row < p.height && col < p.width;
      for (let k = 0; k < p.xw; k++) {
        const address = (first + i * p.pitch + j * p.xw + k) & 0xffff;
        for (let o = 0; o < SLICE; o++)
          for (let c = 0; c < SLICE; c++) {
            const x = !inside ? FX16_ZERO : p.bytes ? at(c === 0 ? address : (address & ~7) + c) : at(8 * address + c);
            const byte = section[w + SLICE * (p.nibbles ? o >> 1 : o) + c];
            sums[o] += x * (!p.nibbles ? byte : o & 1 ? byte >> 4 : (byte << 28) >> 28);
          }
        w += SLICE * (p.nibbles ? 4 : 8);
      }
    }
  return Int8Array.from(sums, (sum, c) => requantise(sum, c, 0));
}

/** One word of the depthwise half's output: row r, column q of what the line buffer holds. */
function depthwise(p: Decoded, at: At, section: Int8Array, requantise: Requantise, line: readonly Int8Array[], r: number, q: number, pixel: number): Int8Array {
  const s = p.deform ? Math.min(7, at(8 * p.dilation + pixel) - FX16_ZERO) : 1;
  const sums = new Array<number>(SLICE).fill(0);
  for (let i = -1; i <= 1; i++)
    for (let j = -1; j <= 1; j++) {
      const [row, col] = [r + s * i, q + s * j];
      const inside = row >= 0 && col >= 0 && row < p.ch && col < p.cw;
      const w = 8 * (p.count + 3 * (i + 1) + j + 1);
      for (let c = 0; c < SLICE; c++) sums[c] += section[w + c] * (inside ? line[row % line.length][SLICE * col + c] : FX16_ZERO);
    }
  return Int8Array.from(sums, (sum, c) => requantise(sum, c, 1));
}
