// What a board is to the engine: one file in boards/ that exports `board` (docs/adding-a-board.md).

/** How a board is flashed (docs/flash.md). */
export interface Flashing {
  /** A protocol of targets/flash/protocols. */
  readonly protocol: string;
  /** What the chip says it is, in that protocol's words. */
  readonly id: string;
  /** Addresses that may be written, from the first to before the second. */
  readonly region: { readonly start: number; readonly end: number };
  /** Of the serial line; 0 where there is none. */
  readonly baud: number;
  /** How a person makes the board wait for it. */
  readonly enter: string;
  /** What is started answers HELLO on the same line, so that it can be tested. */
  readonly answers?: boolean;
  /** The chip's pins on its flash, by the ports of rtl/loader/loader_top.v; none where the loader is another's. */
  readonly pins?: { readonly flash_cs: string; readonly flash_sck: string; readonly flash_mosi: string; readonly flash_miso: string };
}

/** What an image computes: `linear` multiplies matrices (rtl/core.v), `codenet` convolves images (rtl/codenet/core.v). */
export type Design = "linear" | "codenet";

export interface Board {
  /** Default: linear. */
  readonly design?: Design;
  /** At most 8 characters, as the image says them in HELLO. */
  readonly name: string;
  readonly title: string;
  /** nextpnr's names: the chip, its package. */
  readonly device: "up5k" | "lp8k" | "hx8k";
  readonly package: string;
  /** The parts of rtl/top.v and the pins they are on. `light` is low while the engine works. */
  readonly pins: { readonly crystal: string; readonly rxd: string; readonly txd: string; readonly light: string };
  /** Crystal in MHz, and the PLL that makes the clock of it: MHz · (divf + 1) / 2^divq; `pad`: the crystal's pin is the PLL's own. */
  readonly clock: { readonly crystal: number; readonly divf: number; readonly divq: number; readonly pad: boolean };
  readonly baud: number;
  /** Address bits of the memories, in words of 64 bits (rtl/core.v); `weights` is the one memory of codenet, `buffer` and `line` its own (rtl/codenet/core.v). */
  readonly memory: {
    readonly weights: number;
    readonly activations?: number;
    readonly parameters?: number;
    readonly buffer?: number;
    readonly line?: number;
  };
  /** Most that an image may take: logic cells, block RAMs, multipliers, large RAMs. */
  readonly budget: { readonly cells: number; readonly ram: number; readonly dsp: number; readonly spram: number };
  /** What the chip has of these. */
  readonly has: { readonly cells: number; readonly ram: number; readonly dsp: number; readonly spram: number };
  /** How its image is written over a line. No part of the image. */
  readonly flash?: Flashing;
}

/** Clock of the engine in MHz. */
export function clockOf({ clock }: Board): number {
  return (clock.crystal * (clock.divf + 1)) / 2 ** clock.divq;
}

/** Clocks a bit of the line: the baud rate that comes of it is the nearest to the board's. */
export function divisorOf(board: Board): number {
  return Math.round((clockOf(board) * 1e6) / board.baud);
}

const BITS = { weights: "WA", activations: "XA", parameters: "PA", buffer: "BA", line: "LA" } as const;

/** The core's parameters that say how large its memories are. */
export function memoryOf(memory: Board["memory"]): Record<string, number> {
  const there = (Object.keys(BITS) as (keyof typeof BITS)[]).filter((k) => memory[k] !== undefined);
  return Object.fromEntries(there.map((k) => [BITS[k], memory[k] as number]));
}

/** Parameters that say what an image is, first byte lowest. `build`: 16 hex digits. */
function wordsOf({ name }: Board, build: string): Record<"BOARD" | "BUILD", string> {
  const hex = [...name].map((c) => c.charCodeAt(0).toString(16).padStart(2, "0"));
  return { BOARD: `64'h${hex.reverse().join("")}`, BUILD: `64'h${(build.match(/../g) ?? []).reverse().join("")}` };
}

/** Parameters of rtl/loader/loader_top.v, which runs by the crystal. `build`: 16 hex digits. */
export function loaderParameters(board: Board, { region, baud }: Flashing, build: string): Record<string, string> {
  const { crystal } = board.clock;
  const numbers = { DIV: Math.round((crystal * 1e6) / baud), KHZ: Math.round(1000 * crystal), START: region.start, END: region.end };
  return { ...Object.fromEntries(Object.entries(numbers).map(([k, v]) => [k, String(v)])), ...wordsOf(board, build) };
}

/** Parameters of rtl/top.v. `build`: 16 hex digits. */
export function parametersOf(board: Board, build: string): Record<string, string> {
  const { clock, memory } = board;
  const whole = {
    DIVF: clock.divf,
    DIVQ: clock.divq,
    DIV: divisorOf(board),
    KHZ: Math.round(1000 * clockOf(board)),
    ...memoryOf(memory),
  };
  return { ...Object.fromEntries(Object.entries(whole).map(([k, v]) => [k, String(v)])), ...wordsOf(board, build) };
}
