// A small language model whose linears are shared between the FPGA's twin and WebAssembly: are its logits those of WebAssembly alone?
import { memorySource } from "../../../runtime/io/source.ts";
import { loadModel, type Model } from "../../../runtime/session/model.ts";
import { openFpga } from "../../../targets/devices/fpga/device.ts";
import type { FpgaProgram } from "../../../targets/devices/fpga/program.ts";
import { TwinDevice } from "../../../targets/devices/fpga/twin/device.ts";
import { twinLine } from "../../../targets/devices/fpga/twin/line.ts";
import { openDevice, packFolder } from "../../cli/model.ts";
import type { GoalContext, Measured } from "../goal.ts";

const MODEL = "models/tiny-swiglu";
const RECIPES = ["w8", "w4", "w4g128"];
/** Address bits of the memory of weights: a UP5K's, and half of it. */
const MEMORIES = [14, 13];
const TOKENS = Uint32Array.of(5, 17, 29, 31, 37, 41, 43);

async function logits(model: Model): Promise<Float32Array> {
  const prefill = (await model.engine.run("prefill", TOKENS.subarray(0, 5), 0)).slice();
  const decoded = await model.engine.run("decode", TOKENS.subarray(5, 6), 5);
  return Float32Array.of(...prefill, ...decoded);
}

export async function shareSplit({ signal }: GoalContext): Promise<Measured> {
  const { device, env } = await openDevice({ threads: 1 });
  let equal = 0;
  const placed: string[] = [];
  for (const recipe of RECIPES) {
    const bytes = await packFolder(MODEL, env, recipe, signal);
    const alone = await loadModel(memorySource(bytes, "alone"), env);
    const want = await logits(alone);
    alone.close();
    for (const weights of MEMORIES) {
      const twin = new TwinDevice({ board: "", build: "0000000000000000", khz: 24000, weights, activations: 9, parameters: 8 });
      const both = await loadModel(memorySource(bytes, "both"), { ...env, device: await openFpga(twinLine(twin), device, { now: env.now, signal }) });
      const got = await logits(both);
      const linears = (both.engine.program as FpgaProgram).placed.size;
      if (linears > 0 && got.every((v, i) => Object.is(v, want[i]))) equal++;
      placed.push(`${recipe} with ${2 ** (weights - 7)} KiB: ${linears}`);
      both.close();
    }
  }
  return { value: equal / placed.length, note: `linears of tiny-swiglu on the twin: ${placed.join(", ")}` };
}
