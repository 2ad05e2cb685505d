// Reference of `events`; bit-exact.

import { pairsOf } from "../../image/events.ts";
import { pixelBytes } from "../../image/format.ts";
import type { Operands } from "../define.ts";
import { signed } from "../windowed.ts";

export function reference({ tensors, values: v }: Operands): void {
  if (v.rows === 0) return;
  const [x, before] = [signed(tensors.x as Uint8Array), signed(tensors.before as Uint8Array)];
  const list = tensors.list as Uint8Array;
  const words = new Uint32Array(list.buffer, list.byteOffset, list.length / 4);
  const halves = new Int16Array(list.buffer, list.byteOffset, list.length / 2);
  const dense = words[0] === 0;
  words.fill(0, 1, 1 + v.height + v.height * v.width);
  for (let p = 0; p < v.height * v.width && !dense; p++)
    for (let pair = 0; pair < pairsOf(v.channels); pair++) {
      const at = p * pixelBytes(v.channels) + 2 * pair;
      const [lower, upper] = [x[at] - before[at], x[at + 1] - before[at + 1]];
      if (lower === 0 && upper === 0) continue;
      const entry = 1 + v.height + v.height * v.width + 2 * (p * pairsOf(v.channels) + words[1 + v.height + p]);
      words[entry] = pair;
      halves.set([lower, upper], 2 * entry + 2);
      words[1 + v.height + p]++;
      words[1 + Math.floor(p / v.width)]++;
    }
  before.set(x.subarray(0, before.length));
}
