// The line to a twin: what is written is answered at once, and who waits in vain does not wait.
import type { Line } from "../../devices/fpga/link/line.ts";

/** @param feed answers bytes @param quiet is told that nothing came for a while; may give bytes of its own */
export function lineOf(name: string, feed: (bytes: Uint8Array) => ArrayLike<number>, quiet: () => void = () => {}): Line {
  let come: number[] = [];
  return {
    name,
    async write(bytes) {
      for (const b of Array.from(feed(bytes))) come.push(b);
    },
    async read() {
      const all = Uint8Array.from(come);
      come = [];
      if (all.length === 0) quiet();
      return all;
    },
    async close() {},
  };
}
