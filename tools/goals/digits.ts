// How many digits are recognised, of those that models/mnist never saw (tools/run/digits.ts).
export { DIGIT_SIDE, digitsMissing, heldOutDigits } from "../run/digits.ts";

/** Share of images [n] whose greatest score [n, classes] is that of their label; the lower class of two alike. */
export function accuracy(scores: Float32Array, labels: readonly number[]): number {
  const k = scores.length / labels.length;
  const best = (i: number) => scores.subarray(i * k, (i + 1) * k).reduce((b, s, c, all) => (s > all[b] ? c : b), 0);
  return labels.filter((label, i) => best(i) === label).length / labels.length;
}
