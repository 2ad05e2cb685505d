// upsample2: channels below, at and above whole vectors.
import { imageBytes } from "../../runtime/image/format.ts";
import type { Case } from "./case.ts";
import { blank, images, withoutGaps } from "./images.ts";

function make(rows: number, height: number, width: number, channels: number, gap = 0): Case {
  const [oh, ow] = [2 * height, 2 * width];
  const [xBytes, yBytes] = [imageBytes(height, width, channels), imageBytes(oh, ow, channels)];
  return {
    name: `${rows} of ${height}×${width}×${channels}${gap ? `, gap ${gap}` : ""}`,
    variant: "image",
    rows,
    values: { height, width, channels, oh, ow },
    strides: { x: xBytes + gap, y: yBytes + gap },
    tensors: () => ({ x: images(rows, height, width, channels, 1, gap), y: blank(rows, oh, ow, channels, gap) }),
    compare: { y: "exact" },
    view: { y: withoutGaps(rows, yBytes, gap) },
  };
}

export const cases: Case[] = [make(1, 1, 1, 16), make(1, 3, 2, 20), make(2, 2, 5, 116, 16), make(1, 4, 4, 3), make(0, 2, 2, 16)];
