// shuffle: the whole, both halves, and channels that cross vectors (58 of 116).
import { imageBytes } from "../../runtime/image/format.ts";
import type { Case } from "./case.ts";
import { blank, images, withoutGaps } from "./images.ts";

function make(name: string, rows: number, channels: number, from: number, count: number, gap = 0): Case {
  const [height, width] = [3, 4];
  const [xBytes, yBytes] = [imageBytes(height, width, channels), imageBytes(height, width, count)];
  return {
    name: `${name}: twice ${channels}, ${count} from ${from}, ${rows} images`,
    variant: "image",
    rows,
    values: { height, width, channels, from, count },
    strides: { a: xBytes + gap, b: xBytes + gap, y: yBytes + gap },
    tensors: () => ({ a: images(rows, height, width, channels, 1, gap), b: images(rows, height, width, channels, 2, gap), y: blank(rows, height, width, count, gap) }),
    compare: { y: "exact" },
    view: { y: withoutGaps(rows, yBytes, gap) },
  };
}

export const cases: Case[] = [
  make("whole", 1, 58, 0, 116),
  make("first half", 2, 58, 0, 58, 16),
  make("second half", 1, 58, 58, 58),
  make("whole vectors", 1, 16, 0, 32),
  make("a piece", 1, 20, 7, 5),
  make("none", 0, 16, 0, 32),
];
