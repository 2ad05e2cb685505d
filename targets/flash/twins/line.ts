// The line to a twin: what is written is answered at once, and who waits in vain does not wait.
import { joined } from "../../devices/fpga/link/arrivals.ts";
import type { Line } from "../../devices/fpga/link/line.ts";

/** @param feed answers bytes @param quiet is told that nothing came for a while; may give bytes of its own */
export function lineOf(name: string, feed: (bytes: Uint8Array) => ArrayLike<number>, quiet: () => void = () => {}): Line {
  let come: Uint8Array[] = [];
  return {
    name,
    async write(bytes) {
      come.push(Uint8Array.from(feed(bytes)));
    },
    async read() {
      const all = joined(come);
      come = [];
      if (all.length === 0) quiet();
      return all;
    },
    async close() {},
  };
}
