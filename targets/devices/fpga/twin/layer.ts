// A layer as the engine knows it: two words among the parameters (rtl/engine.v), and a row's parameter word (rtl/results.v).
// Addresses are in words of 64 bits.

export const MODES = { int8: 0, int4: 1, int8s24: 2, int4s24: 3 } as const;
export type Mode = keyof typeof MODES;
export const isSparse = (mode: Mode) => mode === "int8s24" || mode === "int4s24";
/** Rows go in pairs. */
export const isPaired = (mode: Mode) => mode === "int4" || mode === "int4s24";

export interface Layer {
  readonly mode: Mode;
  /** A multiple of 2 where rows go in pairs. */
  readonly rows: number;
  /** Steps a row: of 8 activations, with 2:4 of 16. */
  readonly steps: number;
  readonly weights: number;
  /** Even. */
  readonly activations: number;
  readonly results: number;
  /** Of the first row, with `requantise`. */
  readonly parameters: number;
  /** int8 results by `requantise`; else the sums as i32. */
  readonly requantise: boolean;
  /** With `requantise`: nothing below 0. */
  readonly relu: boolean;
}

export const LAYER_BYTES = 16;
/** As many bits as the engine counts with. */
export const MAX_ROWS = 4095;
export const MAX_STEPS = 1023;

export function encodeLayer(l: Layer): Uint8Array {
  const out = new Uint8Array(LAYER_BYTES);
  const view = new DataView(out.buffer);
  [l.weights, l.activations, l.results, l.rows, l.steps].forEach((v, i) => {
    view.setUint16(2 * i, v, true);
  });
  out[10] = MODES[l.mode];
  out[11] = (l.requantise ? 1 : 0) | (l.relu ? 2 : 0);
  view.setUint16(12, l.parameters, true);
  return out;
}

/** Undefined if the engine refuses it. */
export function decodeLayer(bytes: Uint8Array): Layer | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, LAYER_BYTES);
  const mode = (Object.keys(MODES) as Mode[]).find((m) => MODES[m] === bytes[10]);
  const [weights, activations, results] = [0, 2, 4].map((at) => view.getUint16(at, true));
  const rows = view.getUint16(6, true) & MAX_ROWS;
  const steps = view.getUint16(8, true) & MAX_STEPS;
  if (!mode || rows === 0 || steps === 0 || (isPaired(mode) && rows % 2)) return undefined;
  return { mode, rows, steps, weights, activations, results, parameters: view.getUint16(12, true), requantise: (bytes[11] & 1) !== 0, relu: (bytes[11] & 2) !== 0 };
}

/** How a row becomes int8: (sum + bias) · scale / 2^(17 + shift), rounded half up. */
export interface RowScale {
  /** i32 */
  readonly bias: number;
  /** 0 … 65535 */
  readonly scale: number;
  /** 0 … 15 */
  readonly shift: number;
}

/** The row scale nearest to `factor`, 0 ≤ factor < 1/2; undefined beyond. */
export function nearestScale(factor: number): { scale: number; shift: number } | undefined {
  if (!(factor >= 0)) return undefined;
  for (let shift = 15; shift >= 0; shift--) {
    const scale = Math.round(factor * 2 ** (17 + shift));
    if (scale <= 0xffff) return { scale, shift };
  }
  return undefined;
}

export function encodeRow({ bias, scale, shift }: RowScale): Uint8Array {
  const out = new Uint8Array(8);
  const view = new DataView(out.buffer);
  view.setInt32(0, bias, true);
  view.setUint16(4, scale, true);
  out[6] = shift;
  return out;
}

/**
 * fx16: H = ⌊(sum + bias) · scale / 2^16⌋, y = ⌊(⌊H / 2^shift⌋ + 1) / 2⌋, held to −127 … 127 or with relu to 0 … 127.
 * All numbers stay below 2^53, so that doubles are exact.
 */
export function requantise(sum: number, { bias, scale, shift }: RowScale, relu: boolean): number {
  const h = Math.floor(((sum + bias) * scale) / 65536);
  const y = Math.floor((Math.floor(h / 2 ** shift) + 1) / 2);
  return Math.max(relu ? 0 : -127, Math.min(127, y));
}
