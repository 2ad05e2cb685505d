// Speed of Mamba-130M's shape, made-up weights, one thread, both sides in turn.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bootstrapRatio } from "../../../runtime/stats/bootstrap.ts";
import type { BuildName } from "../../../targets/devices/wasm/catalogue.gen.ts";
import { normal } from "../../../test/support/data.ts";
import type { Absent, GoalContext, Measured } from "../goal.ts";
import { enableRelaxed } from "../slice/model.ts";
import { engineOf } from "./models.ts";

const CHANNELS = 1536;
const STATES = 16;
const ROUNDS = 25;
/** Steps a round. */
const STEPS = 100;
const ELEMENTS = CHANNELS * STATES * STEPS;

const times = (n: number, f: () => void): number => {
  const begin = performance.now();
  for (let i = 0; i < n; i++) f();
  return performance.now() - begin;
};

/** The scan as one would write it in JavaScript: layout [channels][states], typed arrays, Math.exp. */
function scriptStep(): () => void {
  const [x, dt, bias, z, d] = [1, 2, 3, 4, 5].map((seed) => normal(CHANNELS, seed));
  const [b, c] = [normal(STATES, 6), normal(STATES, 7)];
  const a = Float32Array.from({ length: CHANNELS * STATES }, (_, i) => -1 - (i % STATES));
  const h = new Float32Array(CHANNELS * STATES);
  const y = new Float32Array(CHANNELS);
  return () => {
    for (let i = 0; i < CHANNELS; i++) {
      const delta = Math.log1p(Math.exp(dt[i] - 2 + bias[i]));
      const input = delta * x[i];
      let sum = d[i] * x[i];
      for (let n = 0; n < STATES; n++) {
        const at = i * STATES + n;
        h[at] = Math.exp(delta * a[at]) * h[at] + input * b[n];
        sum += c[n] * h[at];
      }
      y[i] = (sum * z[i]) / (1 + Math.exp(-z[i]));
    }
  };
}

/** One step of our f32 kernel. */
async function kernelStep(): Promise<{ step: () => void; kernel: string }> {
  const relaxed = enableRelaxed();
  const { place, RECORD } = await import("../../../test/kernels/harness.ts");
  const { instantiate } = await import("../../../test/support/core.ts");
  const { scanStep } = await import("../../../test/kernels/scan.cases.ts");
  const build: BuildName = relaxed ? "relaxed" : "simd";
  const core = instantiate(build, 64);
  const kernel = "scan_f32__simd";
  place(core.memory, build, kernel, "scan", scanStep(CHANNELS, STATES), { units: 1, skew: 0 });
  return { step: () => core.unit(RECORD, 0, 1), kernel: `${kernel} in build ${build}` };
}

/** Rate of our scan step over one in plain JavaScript. */
export async function scanOverScript({ signal }: GoalContext): Promise<Measured> {
  const script = scriptStep();
  const { step, kernel } = await kernelStep();
  const [theirs, ours] = [[] as number[], [] as number[]];
  for (let round = -3; round < ROUNDS; round++) {
    signal.throwIfAborted();
    const [a, b] = [times(STEPS, script), times(STEPS, step)];
    if (round < 0) continue;
    theirs.push(a);
    ours.push(b);
  }
  return { ...bootstrapRatio(theirs, ours, "median"), note: `${kernel}: ${nanoseconds(ours)} ns an element, JavaScript ${nanoseconds(theirs)} ns` };
}

const nanoseconds = (ms: readonly number[]) => ((1e6 * [...ms].sort((a, b) => a - b)[ms.length >> 1]) / ELEMENTS).toFixed(2);

/** Rate of our scan step over the same loop in C, compiled for this machine. */
export async function scanOverC({ signal }: GoalContext): Promise<Measured | Absent> {
  const folder = mkdtempSync(join(tmpdir(), "skint-scan-"));
  try {
    const program = join(folder, "scan");
    try {
      execFileSync("gcc", ["-O3", "-march=native", "-o", program, "test/peers/players/scan.c", "-lm"], { stdio: "ignore" });
    } catch {
      return { absent: "needs gcc" };
    }
    const { step, kernel } = await kernelStep();
    const [theirs, ours] = [[] as number[], [] as number[]];
    times(3 * STEPS, step);
    for (let round = 0; round < ROUNDS; round++) {
      signal.throwIfAborted();
      theirs.push(Number(execFileSync(program, [`${CHANNELS}`, `${STATES}`, `${STEPS}`], { encoding: "utf8" })));
      ours.push(times(STEPS, step));
    }
    return { ...bootstrapRatio(theirs, ours, "median"), note: `${kernel}: ${nanoseconds(ours)} ns an element, C (-O3 -march=native) ${nanoseconds(theirs)} ns` };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const DECODE_ROUNDS = 15;
const DECODE_TOKENS = 6;

/** Rate of decoding by `quamba` over f32. */
export async function int8OverF32({ signal, note }: GoalContext): Promise<Measured> {
  enableRelaxed();
  const engines = [];
  for (const recipe of ["f32", "quamba"]) {
    note(`  ${recipe}: making weights`);
    engines.push(await engineOf(recipe, { threads: 1 }));
  }
  try {
    const spans: number[][] = engines.map(() => []);
    let pos = 0;
    for (let round = -2; round < DECODE_ROUNDS; round++) {
      signal.throwIfAborted();
      for (const [i, engine] of engines.entries()) {
        const begin = performance.now();
        for (let t = 0; t < DECODE_TOKENS; t++) await engine.run("decode", Uint32Array.of((pos + t) * 37), pos + t);
        if (round >= 0) spans[i].push(performance.now() - begin);
      }
      pos += DECODE_TOKENS;
    }
    const ms = spans.map((s) => [...s].sort((a, b) => a - b)[s.length >> 1] / DECODE_TOKENS);
    return { ...bootstrapRatio(spans[0], spans[1], "median"), note: `f32 ${ms[0].toFixed(1)} ms a token, int8 ${ms[1].toFixed(1)} ms, on ${engines[1].device.build}` };
  } finally {
    for (const engine of engines) engine.program.close();
  }
}
