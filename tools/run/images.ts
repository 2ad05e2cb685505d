// `skint run` on a network over images: what it sees in each, as scores.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ARCHITECTURES } from "../../models/catalogue.gen.ts";
import { SkintError } from "../../runtime/errors.ts";
import { openPack } from "../../runtime/formats/skint/reader.ts";
import { type ImageModel, loadImageModel } from "../../runtime/session/images/model.ts";
import { openFile } from "../../targets/hosts/node/files.ts";
import { host } from "../../targets/hosts/node/host.ts";
import type { Context } from "../cli/context.ts";
import { EXIT } from "../cli/errors.ts";
import { openDevice, openSource, placeLine, ranOn } from "../cli/model.ts";
import { isCheckpoint } from "../compress/open.ts";
import { readImage } from "./image.ts";

const BAR = 30;
const SHADES = " .:-=+*#%@";

/** Is the model at this path, a folder or a model.skint, one over images? Whatever cannot be told is not. */
export async function seesImages(path: string): Promise<boolean> {
  const architectures = Object.values(ARCHITECTURES).filter((a) => a.sees);
  try {
    const config = join(path, "config.json");
    if (existsSync(config)) return architectures.some((a) => a.modelTypes.includes(JSON.parse(readFileSync(config, "utf8")).model_type));
    if (!path.endsWith(".skint")) return false;
    const pack = await openPack(await openFile(path));
    try {
      return architectures.some((a) => a.name === pack.meta("architecture"));
    } finally {
      await pack.close();
    }
  } catch {
    return false;
  }
}

/** Probabilities of scores. */
export function softmax(scores: Float32Array): number[] {
  const most = Math.max(...scores);
  const powers = Array.from(scores, (s) => Math.exp(s - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((p) => p / sum);
}

/** An image u8 [height, width, 1] in characters, two rows a line. */
export function picture(image: Uint8Array, height: number, width: number): string {
  const at = (r: number, q: number) => (r < height ? image[r * width + q] : 0);
  const shade = (v: number) => SHADES[Math.min(SHADES.length - 1, Math.floor((v * SHADES.length) / 256))];
  const line = (r: number) => Array.from({ length: width }, (_, q) => shade((at(r, q) + at(r + 1, q)) / 2)).join("");
  return Array.from({ length: Math.ceil(height / 2) }, (_, i) => `  ${line(2 * i)}`).join("\n");
}

function bars(probabilities: readonly number[], best: number): string {
  const line = (p: number, c: number) => `${c === best ? ">" : " "} ${String(c).padStart(2)} ${"█".repeat(Math.round(p * BAR)).padEnd(BAR)} ${(100 * p).toFixed(1).padStart(5)} %`;
  return probabilities.map(line).join("\n");
}

async function open(path: string, o: Readonly<Record<string, unknown>>, context: Context) {
  const { device, env } = await openDevice({ isa: o.isa as "auto", threads: (o.threads as number | undefined) ?? 1, engineFlags: o.engineFlags === true });
  const start = host.now();
  const source = await openSource(path, env, (o.recipe as string | undefined) ?? (isCheckpoint(path) ? DEFAULT_RECIPE : undefined), context.signal);
  const model = await loadImageModel(source, env, { signal: context.signal });
  return { model, device, tuned: false, loadMs: host.now() - start };
}

/** A folder is run in whole numbers, as devices without floats have it. */
const DEFAULT_RECIPE = "w8";

/** Classifies the images named (PGM files, or raw bytes on standard input), one answer each. */
export async function runImages(path: string, files: readonly string[], o: Readonly<Record<string, unknown>>, context: Context): Promise<number> {
  const opened = await open(path, o, context);
  const { model } = opened;
  try {
    const images = await imagesOf(model, files);
    const results = [];
    for (const { name, bytes } of images) {
      const start = host.now();
      const scores = await model.classify(bytes);
      const ms = host.now() - start;
      const probabilities = softmax(scores);
      const best = probabilities.indexOf(Math.max(...probabilities));
      results.push({ name, class: best, scores: [...scores], ms });
      if (!context.json) context.out(`${name}: ${best}\n${picture(bytes, model.engine.sides[0], model.engine.sides[1])}\n${bars(probabilities, best)}\n`);
    }
    if (context.json) context.answer({ model: model.name, recipe: model.recipe, ...ranOn(opened), loadMs: opened.loadMs, results }, () => "");
    const total = results.reduce((sum, r) => sum + r.ms, 0);
    context.note(`${model.recipe} on ${placeLine(opened)}, loaded in ${opened.loadMs.toFixed(0)} ms: ${images.length} images, ${(total / images.length).toFixed(2)} ms each`);
    return EXIT.ok;
  } finally {
    model.close();
  }
}

async function imagesOf(model: ImageModel, files: readonly string[]): Promise<{ name: string; bytes: Uint8Array }[]> {
  const { sides, pixels } = model.engine;
  if (files.length) return files.map((name) => ({ name, bytes: readImage(name, sides) }));
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  const all = new Uint8Array(Buffer.concat(chunks));
  if (all.length === 0 || all.length % pixels)
    throw new SkintError("usage", `${all.length} bytes came on standard input; give images of ${sides.join(" × ")} = ${pixels} bytes, or PGM files as arguments`);
  return Array.from({ length: all.length / pixels }, (_, i) => ({ name: `image ${i}`, bytes: all.subarray(i * pixels, (i + 1) * pixels) }));
}
