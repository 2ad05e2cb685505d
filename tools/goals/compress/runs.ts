// Runs of the command: how time grows with layers, whether a stopped run ends with the same bytes, and what a real model takes.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memorySink } from "../../../runtime/io/source.ts";
import { createRandom } from "../../../runtime/num/random.ts";
import { median } from "../../../runtime/stats/quantile.ts";
import { tinyCheckpoint } from "../../../test/support/tiny.ts";
import { openDevice } from "../../cli/model.ts";
import { openCheckpoint } from "../../compress/checkpoint.ts";
import { compressModel } from "../../compress/compress.ts";
import { recipeNamed } from "../../compress/recipe.ts";
import type { Absent, GoalContext, Measured } from "../goal.ts";
import { SMOL } from "./models.ts";

const RECIPE = "24w4-eora";
const TEXT = "Time a layer takes does not depend on what the layers have learned, nor on the text. ".repeat(80);
const TURNS = 3;

/** Seconds a layer at 8 layers over those at 2, made-up weights, taking turns. */
export async function growthWithLayers({ signal }: GoalContext): Promise<Measured> {
  const { env } = await openDevice({});
  const seconds = new Map<number, number[]>([[2, []], [8, []]]); // biome-ignore format: a table
  for (let turn = 0; turn <= TURNS; turn++)
    for (const [layers, all] of seconds) {
      const { folder } = await tinyCheckpoint({ width: 256, heads: 8, kvheads: 4, dh: 32, hidden: 768, layers, context: 512 });
      const start = performance.now();
      await compressModel(await openCheckpoint(folder), memorySink(), env, {
        recipe: recipeNamed(RECIPE),
        calibration: { text: { name: "t", text: TEXT }, tokens: 4096 },
        golden: "never",
        signal,
      });
      // The first turn warms up.
      if (turn > 0) all.push((performance.now() - start) / 1000 / layers);
    }
  const [two, eight] = [2, 8].map((layers) => median(seconds.get(layers) as number[]));
  return { value: eight / two, note: `${eight.toFixed(3)} s a layer at 8 layers, ${two.toFixed(3)} at 2` };
}

interface Run {
  readonly code: number | null;
  readonly seconds: number;
}

/** Runs `skint compress`; `stop` sends Ctrl-C after so many milliseconds. */
function compress(args: readonly string[], stop?: number): Promise<Run> {
  const start = performance.now();
  const child = spawn(process.execPath, ["tools/dev/ts.mjs", "tools/skint.ts", "compress", ...args], { stdio: "ignore" });
  const timer = stop === undefined ? undefined : setTimeout(() => child.kill("SIGINT"), stop);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code, seconds: (performance.now() - start) / 1000 });
    });
  });
}

const STOPS = 20;

/** Of 20 runs that Ctrl-C stops at random moments, those that end with the bytes of a whole run when they are gone on with. */
export async function resumedAlike({ note, signal }: GoalContext): Promise<Measured> {
  const dir = mkdtempSync(join(tmpdir(), "skint-resume-"));
  const args = (out: string) => ["models/tiny-swiglu", "--recipe", RECIPE, "--calibration-tokens", "1024", "--out", join(dir, out)];
  try {
    const whole = await compress(args("whole.skint"));
    if (whole.code !== 0) throw new Error(`compressing ended with ${whole.code}`);
    const want = readFileSync(join(dir, "whole.skint"));
    const random = createRandom(20);
    let [alike, stopped] = [0, 0];
    for (let i = 0; i < STOPS; i++) {
      signal.throwIfAborted();
      note(`  stop ${i + 1} of ${STOPS}`);
      rmSync(join(dir, "cut.skint"), { force: true });
      const cut = await compress(args("cut.skint"), 1000 * whole.seconds * random.f64());
      if (cut.code !== 0) stopped++;
      if (cut.code === 0 || (!existsSync(join(dir, "cut.skint")) && (await compress([...args("cut.skint"), "--resume"])).code === 0))
        if (readFileSync(join(dir, "cut.skint")).equals(want)) alike++;
    }
    return { value: alike, note: `${stopped} of ${STOPS} were stopped before they ended` };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** What a recipe takes on a real model: seconds, and the process's greatest memory in MB. */
interface Taken {
  readonly seconds: number;
  readonly peak: number;
}

const taken = new Map<string, Promise<Taken>>();

/** Reads the greatest resident memory of a child until it ends. */
async function take(gguf: string, recipe: string): Promise<Taken> {
  const dir = mkdtempSync(join(tmpdir(), "skint-smol-"));
  try {
    const start = performance.now();
    const out = ["compress", gguf, "--recipe", recipe, "--calibration", "models/tiny-swiglu/calibration.txt", "--golden", "never", "--out", join(dir, "model.skint")];
    const child = spawn(process.execPath, ["tools/dev/ts.mjs", "tools/skint.ts", ...out], { stdio: "ignore" });
    let peak = 0;
    const status = `/proc/${child.pid}/status`;
    const timer = setInterval(() => {
      const high = existsSync(status) ? /VmHWM:\s+(\d+) kB/.exec(readFileSync(status, "utf8")) : null;
      if (high) peak = Math.max(peak, Number(high[1]) / 1000);
    }, 200);
    const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
    clearInterval(timer);
    if (code !== 0) throw new Error(`compressing ${gguf} by ${recipe} ended with ${code}`);
    return { seconds: (performance.now() - start) / 1000, peak };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const LONG: Absent = { absent: "needs `npm run goals:long` with SKINT_SMOL, the path of SmolLM2-135M as GGUF" };

/** Runs a recipe on SmolLM2-135M, once for all goals; absent without the model or outside the long set. */
function onSmol(recipe: string): Promise<Taken> | undefined {
  if (!SMOL) return undefined;
  const have = taken.get(recipe) ?? take(SMOL, recipe);
  taken.set(recipe, have);
  return have;
}

export const smolSeconds = (recipe: string) => async (): Promise<Measured | Absent> => {
  const ran = await onSmol(recipe);
  return ran ? { value: ran.seconds, note: `${recipe}, greatest memory ${ran.peak.toFixed(0)} MB` } : LONG;
};

export const smolPeak = (recipes: readonly string[]) => async (): Promise<Measured | Absent> => {
  const peaks: number[] = [];
  for (const recipe of recipes) {
    const ran = await onSmol(recipe);
    if (!ran) return LONG;
    peaks.push(ran.peak);
  }
  return { value: Math.max(...peaks), note: recipes.map((r, i) => `${r} ${peaks[i].toFixed(0)} MB`).join(", ") };
};
