// What an image is made of, as a hash: the Verilog and the board's file. The image says it in HELLO, so that a host knows what it talks to.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Board } from "../../devices/fpga/board.ts";
import { fpgaFiles, loaderFiles, rtlFiles } from "./simulator.ts";

/** First 16 hex digits of the SHA-256 of the sources and the board, without how it is flashed. */
export function buildHash({ flash: _, ...board }: Board): string {
  const hash = createHash("sha256").update(JSON.stringify(board));
  for (const f of sourcesOf(board)) hash.update(`${basename(f)}\0`).update(readFileSync(f));
  return hash.digest("hex").slice(0, 16);
}

/** The same of the resident loader on a board. */
export function loaderHash({ name, clock, pins, flash }: Board): string {
  const hash = createHash("sha256").update(JSON.stringify([name, clock.crystal, pins, flash]));
  for (const f of loaderSources()) hash.update(`${basename(f)}\0`).update(readFileSync(f));
  return hash.digest("hex").slice(0, 16);
}

/** Files that the resident loader's image is made of, in a fixed order. */
export const loaderSources = (): string[] => [...loaderFiles(), ...["loader/loader_top.v", "crc.vh"].map((f) => join(fpgaFiles(), "rtl", f))];

/** Files that a board's image is made of, in a fixed order. */
export function sourcesOf({ design }: Pick<Board, "design">): string[] {
  return [...rtlFiles(design), join(fpgaFiles(), "rtl/top.v"), join(fpgaFiles(), "rtl/crc.vh")];
}
