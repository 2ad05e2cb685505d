// Lists of what changed between two images (format `events`, shape [1, height, width, channels]): for each pixel, pairs of neighbouring channels of which
// one or both have another byte than before. In u32 words:
//   0                             so many events are too many: the step computes all; 0: whatever changed, and nothing is listed. Written by the host
//   [height]                      events in each row
//   [height · width]              events in each pixel
//   [height · width][pairs][2]    of which so many are filled in: number of the pair, then its two differences as i16
import { mul } from "../num/int.ts";

/** Pairs of channels of a pixel. */
export const pairsOf = (c: number): number => (c + 1) >> 1;

/** Bytes of a list for images of [h, w, c]. Throws `format.limit` beyond 2^53. */
export const eventsBytes = (h: number, w: number, c: number): number => 4 * (1 + h + mul("a list of events", h, w, 1 + 2 * pairsOf(c)));

/** A list in memory. */
export interface Events {
  /** Events of the whole image. */
  readonly total: number;
  /** Events in each pixel [height · width]. */
  readonly counts: Uint32Array;
  /** Events of pixel p: pair of channels, differences of its lower and its upper channel. */
  of(p: number): [pair: number, lower: number, upper: number][];
}

/** Looks at a list of [h, w, c] in memory; `bytes` is aligned to 4. */
export function readEvents(bytes: Uint8Array, h: number, w: number, c: number): Events {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, eventsBytes(h, w, c) / 4);
  const halves = new Int16Array(bytes.buffer, bytes.byteOffset, 2 * words.length);
  const counts = words.subarray(1 + h, 1 + h + h * w);
  const first = 1 + h + h * w;
  return {
    total: words.subarray(1, 1 + h).reduce((a, b) => a + b, 0),
    counts,
    of: (p) =>
      Array.from({ length: counts[p] }, (_, i) => {
        const at = first + 2 * (p * pairsOf(c) + i);
        return [words[at], halves[2 * at + 2], halves[2 * at + 3]];
      }),
  };
}
