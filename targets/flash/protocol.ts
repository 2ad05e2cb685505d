// What a flashing protocol is: one file in protocols/ that exports `protocol` (docs/adding-a-protocol.md). It speaks to a boot loader; what is written
// in which order, what is tried again and what is believed is the flasher's (flasher.ts).
import { SkintError } from "../../runtime/errors.ts";
import type { Flashing } from "../devices/fpga/board.ts";
import type { Line } from "../devices/fpga/link/line.ts";
import type { Extent } from "./image/extent.ts";

/** Addresses from `start` to before `end`. */
export interface Region {
  readonly start: number;
  readonly end: number;
}

/** Ways in which an image says what it is for (image/claims.ts). */
export type ClaimKind = "skint" | "ice40" | "esp32" | "uf2" | "loader" | "elf";

/** A board that can be flashed. */
export interface Target extends Flashing {
  readonly name: string;
  readonly title: string;
  /** What an image for it may say. Of a kind that is not here, an image that says anything is for another board. */
  readonly takes?: Readonly<Partial<Record<ClaimKind, readonly string[]>>>;
}

/** A chip behind its boot loader. Addresses are those of the protocol. Lost bytes end in `device.noisy` or `device.lost`. */
export interface Chip {
  /** What it says it is; compared with the target's. */
  readonly id: string;
  /** What may be written: as the chip says, else as the target does. */
  readonly region: Region;
  /** Bytes that are erased at once; addresses of sectors are multiples of it. */
  readonly sector: number;
  /** Makes a sector FF. Not there where programming does it. */
  erase?(at: number): Promise<void>;
  /** A sector's bytes, from its beginning. */
  program(at: number, bytes: Uint8Array): Promise<void>;
  /** Bytes of one sector. */
  read(at: number, count: number): Promise<Uint8Array>;
  /** Brings both sides back in step after bytes were lost. Throws if nothing answers. */
  resync(): Promise<void>;
  /** Starts what was written; `image` is all of it. */
  boot(image: Extent): Promise<void>;
  /** Starting has no answer: whether the order arrived is not known. */
  readonly bootsUnheard?: true;
  /** Lets go of the line, which is not the chip's to close. Not there where nobody holds on to it. */
  release?(): void;
}

export interface ConnectOptions {
  readonly signal?: AbortSignal;
}

/** A board in software: the far end of a line, behind which a boot loader and its memory are modelled. */
export interface Twin {
  readonly line: Line;
  /** The memory that is flashed, from the address `base` on. */
  readonly memory: { readonly base: number; readonly bytes: Uint8Array };
  /** Has it started what was written? */
  readonly booted: boolean;
  /** What a careful flasher never does, counted: by name. */
  readonly violations: Readonly<Record<string, number>>;
  /** Power off and on: memory stays. */
  reset(): void;
}

interface Named {
  readonly name: string;
  readonly title: string;
  /** What it was held to, and what was never tried, for docs and `--list-boards`. */
  readonly tried: string;
}

/** Over a line. */
export interface LineProtocol extends Named {
  readonly kind: "line";
  /** Of the serial line; none if it is not there. */
  readonly parity?: "even";
  /** Throws `device.unavailable` if nothing answers, `device.wrong` if something else does. */
  connect(line: Line, target: Target, options?: ConnectOptions): Promise<Chip>;
  twin(target: Target): Twin;
}

/** A file that is put on a drive; the drive takes it in by itself. */
export interface FileProtocol extends Named {
  readonly kind: "file";
  readonly extension: string;
  encode(image: Extent, target: Target): Uint8Array;
  /** Checks everything. Throws `format.*`. */
  decode(bytes: Uint8Array, name: string, target: Target): Extent;
}

export type Protocol = LineProtocol | FileProtocol;

/** The error of a chip that is not the board's. */
export function wrongChip(line: string, says: string, target: Target): SkintError {
  return new SkintError("device.wrong", `${line} has a chip that says ${says}; ${target.title} says ${target.id}: is another board plugged in, or meant (--board)?`, {
    what: line,
  });
}
