// `skint run` on a network over images: PGM files and raw bytes in, scores out; what is no such image is refused by name.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readImage } from "../../tools/run/image.ts";
import { picture, seesImages, softmax } from "../../tools/run/images.ts";
import { bench } from "./skint.ts";

const folder = mkdtempSync(join(tmpdir(), "skint-images-"));
afterAll(() => rmSync(folder, { recursive: true }));

const pixels = Uint8Array.from({ length: 784 }, (_, i) => (i * 7) & 255);
const SIDES = [28, 28, 1] as const;

function file(name: string, head: string, body: Uint8Array = pixels): string {
  const path = join(folder, name);
  writeFileSync(path, Buffer.concat([Buffer.from(head, "latin1"), body]));
  return path;
}

test.each([
  ["plain", "P5\n28 28\n255\n"],
  ["in a line", "P5 28 28 255 "],
  ["with comments", "P5\n# made up\n28 28\n# more\n255\n"],
])("a PGM file is read: %s", (name, head) => {
  expect(readImage(file(`${name}.pgm`, head), SIDES)).toEqual(pixels);
});

test.each([
  ["text", "P2\n28 28\n255\n", pixels, "format.header"],
  ["16 bits", "P5\n28 28\n65535\n", pixels, "format.header"],
  ["empty", "", new Uint8Array(), "format.header"],
  ["another size", "P5\n27 28\n255\n", pixels, "format.shape"],
  ["too short", "P5\n28 28\n255\n", pixels.subarray(1), "format.truncated"],
])("refused: %s", (name, head, body, code) => {
  const path = file(`${name}.pgm`, head, body);
  expect(() => readImage(path, SIDES)).toThrow(expect.objectContaining({ code, place: expect.objectContaining({ what: path }) }));
});

test("a file that is not there is refused by name", () => {
  expect(() => readImage(join(folder, "none.pgm"), SIDES)).toThrow(expect.objectContaining({ code: expect.stringMatching(/^file\./) }));
});

test("models over images are told from those that read", async () => {
  expect(await seesImages("models/mnist")).toBe(true);
  for (const path of ["models/tiny-relu", folder, join(folder, "none.skint")]) expect(await seesImages(path)).toBe(false);
});

test("skint run shows the scores of each image, of the folder and of what compress made of it alike", () => {
  const b = bench();
  try {
    const [folderOf, image] = [resolve("models/mnist"), file("digit.pgm", "P5\n28 28\n255\n")];
    const shown = b.skint("run", folderOf, image);
    expect(shown).toMatchObject({ exit: 0, out: expect.stringMatching(/digit\.pgm: \d\n/) });
    expect(shown.out.match(/^[> ] +\d .* %$/gm)).toHaveLength(10);
    b.json("compress", folderOf, "--recipe", "w8", "--out", "m.skint");
    const [one, other] = [b.json("run", folderOf, image), b.json("run", "m.skint", image)];
    expect(one.results[0].scores).toHaveLength(10);
    expect(other.results[0].scores).toEqual(one.results[0].scores);
    const text = b.skint("eval", "m.skint", image);
    expect(text.exit, "verbs about text refuse it").not.toBe(0);
    expect(text.err).not.toMatch(/at .*\.js:\d/);
  } finally {
    b.remove();
  }
});

test("scores as probabilities, an image as characters", () => {
  expect(softmax(Float32Array.of(0, 0, Math.log(2)))).toEqual([expect.closeTo(0.25), expect.closeTo(0.25), expect.closeTo(0.5)]);
  expect(picture(Uint8Array.of(255, 0, 255, 0), 2, 2)).toBe("  @ ");
});
