// A line to a twin in memory, with the faults of a real one drawn from a seed. It has a time of its own: who waits in vain does not wait.
import { createRandom, type Random } from "../../../../runtime/num/random.ts";
import type { Line } from "../link/line.ts";
import type { TwinDevice } from "./device.ts";

export interface Faults {
  /** Share of bytes, in either direction, of which one bit is changed. */
  readonly flip?: number;
  /** Share of bytes, in either direction, that are lost. */
  readonly drop?: number;
  /** The device is reset once, behind this many bytes. */
  readonly reset?: number;
  readonly seed?: number;
}

export function twinLine(twin: TwinDevice, faults: Faults = {}): Line {
  const random = createRandom(faults.seed ?? 1);
  let come: Uint8Array[] = [];
  let bytes = 0;
  return {
    name: "fpga:twin",
    async write(sent) {
      const arrived = disturb(sent, faults, random);
      const until = faults.reset === undefined ? -1 : faults.reset - bytes;
      bytes += arrived.length;
      if (until > 0 && until <= arrived.length) {
        come.push(twin.feed(arrived.subarray(0, until)));
        twin.reset();
        come.push(twin.feed(arrived.subarray(until)));
      } else come.push(twin.feed(arrived));
    },
    async read() {
      const all = disturb(Uint8Array.from(come.flatMap((c) => [...c])), faults, random);
      come = [];
      if (all.length === 0) twin.quiet();
      return all;
    },
    async close() {},
  };
}

/** A line whose bytes are damaged and lost on the way, in both directions. `reset` is not one of its faults. */
export function noisyLine(line: Line, faults: Omit<Faults, "reset">): Line {
  const random = createRandom(faults.seed ?? 1);
  return {
    name: line.name,
    write: (bytes) => line.write(disturb(bytes, faults, random)),
    read: async (ms) => disturb(await line.read(ms), faults, random),
    close: () => line.close(),
  };
}

function disturb(bytes: Uint8Array, { flip = 0, drop = 0 }: Faults, random: Random): Uint8Array {
  const out: number[] = [];
  for (const b of bytes) {
    if (drop > 0 && random.f64() < drop) continue;
    out.push(flip > 0 && random.f64() < flip ? b ^ (1 << random.below(8)) : b);
  }
  return Uint8Array.from(out);
}
