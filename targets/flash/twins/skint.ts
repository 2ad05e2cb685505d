// A board with Skint's resident loader in software, and what it starts.
import { LoaderTwin } from "../../devices/fpga/twin/loader.ts";
import type { Target, Twin } from "../protocol.ts";
import { lineOf } from "./line.ts";
import { Nor } from "./nor.ts";

/** 1 MiB and more have all boards; Winbond's 16 MiB. */
const FLASH = { size: 1 << 20, jedec: [0xef, 0x70, 0x18] as const };

/** What a started image is to a line. */
export interface Started {
  feed(bytes: Uint8Array): Uint8Array;
  quiet(): void;
}

/** @param starts the device that a flashed image makes of the board */
export function skintTwin(target: Target, starts?: () => Started): Twin {
  const nor = new Nor({ ...FLASH, region: target.region });
  const loader = new LoaderTwin({ board: target.id, build: "0".repeat(16), khz: 24000, ...target.region, bus: nor });
  let started: Started | undefined;
  return {
    line: lineOf(
      `${target.name}:twin`,
      (bytes) => (started ?? loader).feed(bytes),
      () => {
        (started ?? loader).quiet();
        if (loader.booted) started ??= starts?.();
      },
    ),
    memory: { base: 0, bytes: nor.bytes },
    get booted() {
      return loader.booted;
    },
    violations: nor.violations,
    reset() {
      started = undefined;
      nor.reset();
      loader.reset();
    },
  };
}
