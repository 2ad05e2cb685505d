// A board in the simulator: the Verilated resident loader before a flash that lies in a file, and once it has started what was written, the Verilated engine.
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import type { Line } from "../../devices/fpga/link/line.ts";
import type { Target, Twin } from "../../flash/protocol.ts";
import { buildSimulator, simulatorLine } from "./simulator.ts";

/** As sim/nor.h lays it out. */
const FLASH_BYTES = 1 << 20;
const COUNTS = ["unerased", "wrapped", "outside", "unlatched", "busy"];
const BOOTED = COUNTS.length;

/** The loader's program for a board; 20 s if it is not in the cache. Throws as buildSimulator. */
export function buildLoader({ id, region }: Target, signal?: AbortSignal): Promise<string> {
  const name = [...id].map((c) => c.charCodeAt(0).toString(16).padStart(2, "0")).reverse();
  return buildSimulator("loader", { BOARD: `64'h${name.join("")}`, START: `32'h${region.start.toString(16)}`, END: `32'h${region.end.toString(16)}` }, signal);
}

/** @param folder where its flash lies from one start to the next @param starts what answers once an image was started */
export function loaderSimulator(program: string, folder: string, faults: readonly string[] = [], starts?: () => Promise<Line>): Twin {
  const file = join(folder, "flash.bin");
  const power = () => simulatorLine(program, ["--flash", file, ...faults]);
  let loader: Line = power();
  let started: Line | undefined;
  const word = (i: number) => {
    const fd = openSync(file, "r");
    const bytes = Buffer.alloc(4);
    readSync(fd, bytes, 0, 4, FLASH_BYTES + 4 * i);
    closeSync(fd);
    return bytes.readUInt32LE(0);
  };
  return {
    line: {
      name: "loader:sim",
      write: (bytes) => (started ?? loader).write(bytes),
      async read(ms) {
        const bytes = await (started ?? loader).read(ms);
        if (!started && starts && bytes.length === 0 && word(BOOTED)) started = await starts();
        return bytes;
      },
      async close() {
        await loader.close();
        await started?.close();
      },
    },
    get memory() {
      return { base: 0, bytes: new Uint8Array(readFileSync(file)).subarray(0, FLASH_BYTES) };
    },
    get booted() {
      return word(BOOTED) === 1;
    },
    get violations() {
      return Object.fromEntries(COUNTS.map((name, i) => [name, word(i)]));
    },
    reset() {
      loader.close();
      loader = power();
      started = undefined;
    },
  };
}
