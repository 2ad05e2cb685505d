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
import { DIGIT_SIDE, digitsMissing, heldOutDigits } from "./digits.ts";
import { readImage } from "./image.ts";
import { type Cost, costLine, ResidentNetwork } from "./resident.ts";

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

/** The first held-out digits. Throws `usage` without the package, or for a model that looks at something else. */
function digitsFor(model: ImageModel, count: number): Named[] {
  const { sides, pixels } = model.engine;
  const missing = digitsMissing();
  if (missing || sides.join() !== [DIGIT_SIDE, DIGIT_SIDE, 1].join())
    throw new SkintError(
      "usage",
      `there are no digits for ${model.name}: ${missing ?? `it looks at images of ${sides.join(" × ")}`}; give PGM files, or raw bytes on standard input`,
    );
  const { images, labels } = heldOutDigits();
  return labels.slice(0, count).map((label, i) => ({ name: `digit ${i}, a ${label}`, label, bytes: images.subarray(i * pixels, (i + 1) * pixels) }));
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

interface Named {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** What it shows, where that is known. */
  readonly label?: number;
}

interface Result {
  readonly name: string;
  readonly label?: number;
  readonly class: number;
  readonly scores: number[];
  readonly ms: number;
  /** On an FPGA. */
  readonly cost?: Cost;
}

/** Classifies the images named (PGM files, raw bytes on standard input, or digits), one answer each, on WASM or on the FPGA of a target. */
export async function runImages(path: string, files: readonly string[], o: Readonly<Record<string, unknown>>, context: Context): Promise<number> {
  const opened = await open(path, o, context);
  const { model } = opened;
  const target = (o.target as string | undefined) ?? "wasm";
  let resident: ResidentNetwork | undefined;
  try {
    if (target !== "wasm") resident = await ResidentNetwork.open(target, model, context);
    const images = await imagesOf(model, files, o.digits as number | undefined);
    const results: Result[] = [];
    const screen = liveScreen(context, images.length);
    for (const image of images) {
      results.push(await look(model, resident, image));
      await screen(blockOf(model, image, results.at(-1) as Result));
    }
    const fpga = resident && { line: resident.session.line.name, hello: resident.session.hello, residentBytes: resident.network.residentBytes, macs: resident.network.macs };
    if (context.json) context.answer({ model: model.name, recipe: model.recipe, ...ranOn(opened), ...(fpga ? { fpga } : {}), loadMs: opened.loadMs, results }, () => "");
    context.note(`${model.recipe} on ${placeLine(opened)}${resident ? `, its network ${resident.place}` : ""}, loaded in ${opened.loadMs.toFixed(0)} ms: ${summary(results)}`);
    return EXIT.ok;
  } finally {
    await resident?.close();
    model.close();
  }
}

async function look(model: ImageModel, resident: ResidentNetwork | undefined, { name, label, bytes }: Named): Promise<Result> {
  const start = host.now();
  const { scores, cost } = resident ? await resident.classify(bytes) : { scores: await model.classify(bytes), cost: undefined };
  const ms = host.now() - start;
  return { name, ...(label === undefined ? {} : { label }), class: scores.indexOf(Math.max(...scores)), scores: [...scores], ms, ...(cost ? { cost } : {}) };
}

function blockOf(model: ImageModel, { name, bytes }: Named, result: Result): string {
  const [height, width] = model.engine.sides;
  const lines = [`${name}: ${result.class}`, picture(bytes, height, width), bars(softmax(Float32Array.from(result.scores)), result.class)];
  return `${[...lines, ...(result.cost ? [`   ${costLine(result.cost)}`] : [])].join("\n")}\n`;
}

/** How long an image stays on a terminal before the next one takes its place, in ms. */
const FRAME_MS = 250;

/** Prints blocks one below the other; on a terminal each in the place of the one before. */
function liveScreen(context: Context, images: number): (block: string) => Promise<void> {
  if (context.json) return async () => {};
  if (!process.stdout.isTTY || images === 1) return async (block) => context.out(block);
  let height = 0;
  return async (block) => {
    context.out(`${height ? `\x1b[${height}A\x1b[J` : ""}${block}`);
    height = block.split("\n").length - 1;
    await new Promise((done) => setTimeout(done, FRAME_MS));
  };
}

function summary(results: readonly Result[]): string {
  const mean = (of: (r: Result) => number) => results.reduce((sum, r) => sum + of(r), 0) / results.length;
  const right = results.some((r) => r.label !== undefined) ? `, ${results.filter((r) => r.class === r.label).length} as labelled` : "";
  const cost = results[0]?.cost
    ? `; on the board ${(mean((r) => r.cost?.us ?? 0) / 1000).toFixed(2)} ms of engine and ${mean((r) => r.cost?.linkMs ?? 0).toFixed(1)} ms of line each`
    : "";
  return `${results.length} images, ${mean((r) => r.ms).toFixed(2)} ms each${right}${cost}`;
}

/** Digits that are shown where nothing else was named and somebody looks on. */
const DIGITS = 10;

async function imagesOf(model: ImageModel, files: readonly string[], digits?: number): Promise<Named[]> {
  const { sides, pixels } = model.engine;
  if (digits !== undefined || (files.length === 0 && process.stdin.isTTY)) return digitsFor(model, digits ?? DIGITS);
  if (files.length) return files.map((name) => ({ name, bytes: readImage(name, sides) }));
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  const all = new Uint8Array(Buffer.concat(chunks));
  if (all.length === 0 || all.length % pixels)
    throw new SkintError("usage", `${all.length} bytes came on standard input; give images of ${sides.join(" × ")} = ${pixels} bytes, or PGM files as arguments`);
  return Array.from({ length: all.length / pixels }, (_, i) => ({ name: `image ${i}`, bytes: all.subarray(i * pixels, (i + 1) * pixels) }));
}
