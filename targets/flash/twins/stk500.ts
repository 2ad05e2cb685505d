// An ATmega328P with optiboot, in software: 32 KiB of flash in pages of 128 bytes, of which the boot loader has the last 512 bytes. A request that
// does not end as it should makes it restart, as optiboot's watchdog does; DTR resets it.
import type { Target, Twin } from "../protocol.ts";
import { lineOf } from "./line.ts";

const END = 0x20;
const SIZE = 32768;
const PAGE = 128;
/** Arguments behind each command, without END; of the program command those before its data. */
const ARGUMENTS: Readonly<Record<number, number>> = { 48: 0, 117: 0, 85: 2, 100: 3, 116: 3, 81: 0 };
const [SIGNATURE, ADDRESS, PROGRAM, READ, LEAVE] = [117, 85, 100, 116, 81];

export function stk500Twin(target: Target): Twin {
  const bytes = new Uint8Array(SIZE).fill(0xff);
  const violations = { outside: 0, wrapped: 0 };
  let request: number[] = [];
  let at = 0;
  let state: "listening" | "booted" | "lost" = "listening";

  const perform = ([command, high, low, , ...data]: number[]): number[] => {
    const count = (high << 8) | low;
    if (command === SIGNATURE) return target.id.match(/../g)?.map((b) => Number.parseInt(b, 16)) ?? [];
    if (command === ADDRESS) at = 2 * (high | (low << 8));
    if (command === READ) return [...bytes.subarray(at, at + count)];
    if (command === PROGRAM) {
      if (at < target.region.start || at + count > target.region.end) violations.outside++;
      if ((at % PAGE) + count > PAGE) violations.wrapped++;
      const page = at - (at % PAGE);
      bytes.fill(0xff, page, page + PAGE);
      bytes.set(data.slice(0, Math.min(count, SIZE - at)), at);
    }
    if (command === LEAVE) state = "booted";
    return [];
  };

  const step = (byte: number): number[] => {
    if (state !== "listening") return [];
    request.push(byte);
    const [command, high, low] = request;
    const wanted = (ARGUMENTS[command] ?? 0) + (command === PROGRAM && request.length > 3 ? (high << 8) | low : 0) + 2;
    if (request.length < wanted) return [];
    const whole = request;
    request = [];
    if (byte !== END) {
      state = "lost";
      return [];
    }
    return [0x14, ...perform(whole.slice(0, -1)), 0x10];
  };
  const reset = () => {
    request = [];
    state = "listening";
  };
  const line = lineOf(`${target.name}:twin`, (sent) => Array.from(sent).flatMap(step));
  return {
    line: {
      ...line,
      async signals({ dtr }) {
        if (dtr) reset();
      },
    },
    memory: { base: 0, bytes },
    get booted() {
      return state === "booted";
    },
    violations,
    reset,
  };
}
