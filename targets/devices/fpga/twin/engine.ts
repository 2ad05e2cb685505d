// The engine's arithmetic and its clocks (rtl/engine.v, lanes.v, results.v), over memories that hold the same bytes.

import type { Memory } from "../link/protocol.ts";
import { decodeLayer, isPaired, isSparse, LAYER_BYTES, type Layer, type Mode, type RowScale, requantise } from "./layer.ts";
import { denseLane, LANES, wordsOf } from "./pack.ts";

export type Memories = Readonly<Record<Memory, Uint8Array>>;

/** Clocks of a layer before its first step, and after its last one until the next layer is read. */
const BEFORE = 4;
const AFTER = { sums: [11, 12], int8: [21, 29] } as const;
/** Clocks until a layer is refused. */
const REFUSED = 4;
/** Clocks of one requantisation. */
const REQUANTISE = 8;

export interface Run {
  readonly cycles: number;
  readonly bad: boolean;
}

/** Clocks of a layer. A row's results take their time too, which only the last row does not wait for. */
export function layerCycles(l: Layer): number {
  const height = isPaired(l.mode) ? 2 : 1;
  const words = wordsOf(l.mode, l.steps);
  const row = Math.max(words, l.requantise ? height * REQUANTISE : 1);
  return BEFORE + (l.rows / height - 1) * row + words + AFTER[l.requantise ? "int8" : "sums"][height - 1];
}

/** Runs `count` layers from parameter word `first`; addresses beyond a memory begin again at its start, as wires do. */
export function runLayers(memories: Memories, first: number, count: number): Run {
  let cycles = 0;
  for (let i = 0; i < count; i++) {
    const layer = decodeLayer(bytesAt(memories.parameters, first + 2 * i, LAYER_BYTES));
    if (!layer) return { cycles: cycles + REFUSED, bad: true };
    runLayer(memories, layer);
    cycles += layerCycles(layer);
  }
  return { cycles: count ? cycles + 1 : 0, bad: false };
}

/** `length` bytes from a word's address on, around the end of the memory. */
function bytesAt(memory: Uint8Array, word: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => memory[(8 * word + i) % memory.length]);
}

function runLayer({ weights, activations, parameters }: Memories, l: Layer): void {
  const height = isPaired(l.mode) ? 2 : 1;
  const codes = l.steps * (isSparse(l.mode) ? 16 : 8);
  const x = new Int8Array(bytesAt(activations, l.activations & ~1, codes + 8).buffer);
  const words = wordsOf(l.mode, l.steps);
  const out = new Uint8Array(8 * Math.ceil((l.rows * (l.requantise ? 1 : 4)) / 8));
  const view = new DataView(out.buffer);
  for (let r = 0; r < l.rows; r += height) {
    const row = bytesAt(weights, l.weights + (r / height) * words, 8 * words);
    for (let h = 0; h < height; h++) {
      const sum = sumOf(l.mode, row, x, l.steps, h);
      if (l.requantise) view.setInt8(r + h, requantise(sum, rowScale(bytesAt(parameters, l.parameters + r + h, 8)), l.relu));
      else view.setInt32(4 * (r + h), sum, true);
    }
  }
  out.forEach((b, i) => {
    activations[(8 * l.results + i) % activations.length] = b;
  });
}

function rowScale(word: Uint8Array): RowScale {
  const view = new DataView(word.buffer);
  return { bias: view.getInt32(0, true), scale: view.getUint16(4, true), shift: word[6] & 15 };
}

/** Sum of one row, of the two of a pair the one with number `h`, modulo 2^32. */
function sumOf(mode: Mode, row: Uint8Array, x: Int8Array, steps: number, h: number): number {
  const sparse = isSparse(mode);
  const paired = isPaired(mode);
  let sum = 0;
  let at = 0;
  let choices = 0;
  for (let j = 0; j < steps; j++) {
    const perWord = paired ? 2 : 4;
    if (sparse && j % perWord === 0) {
      choices = at;
      at += 8;
    }
    for (let i = 0; i < LANES; i++) {
      const byte = row[at + i];
      const weight = paired ? (byte << (h ? 24 : 28)) >> 28 : (byte << 24) >> 24;
      const chosen = choices + (j % perWord) * (paired ? 4 : 2) + 2 * h + (i >> 2);
      const place = sparse ? 16 * j + 4 * (i >> 1) + ((row[chosen] >> (2 * (i & 3))) & 3) : 16 * (j >> 1) + denseLane(i, j & 1);
      sum = (sum + weight * x[place]) | 0;
    }
    at += 8;
  }
  return sum;
}
