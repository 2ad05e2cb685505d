// 1,000 digits that models/mnist never saw, by the network that lies on CoDeNet's engine: the Verilated core against its twin and WASM, and what its whole
// numbers cost against f32.
import { memorySource } from "../../../runtime/io/source.ts";
import { type ImageModel, loadImageModel } from "../../../runtime/session/images/model.ts";
import { CodenetNetwork } from "../../../targets/devices/fpga/codenet/network.ts";
import type { Line } from "../../../targets/devices/fpga/link/line.ts";
import { Session } from "../../../targets/devices/fpga/link/session.ts";
import { twinLine } from "../../../targets/devices/fpga/twin/line.ts";
import { buildSimulator, lacksSimulator, simulatorLine } from "../../../targets/hosts/node/simulator.ts";
import { openDevice, packFolder } from "../../cli/model.ts";
import { accuracy, digitsMissing, heldOutDigits } from "../digits.ts";
import type { Absent, GoalContext, Measured } from "../goal.ts";
import { plainCodenet } from "./codenet.ts";

const FOLDER = "models/mnist";
const RECIPE = "w8";

async function modelOf(recipe: string): Promise<ImageModel> {
  const { env } = await openDevice({ threads: 1 });
  return loadImageModel(memorySource(await packFolder(FOLDER, env, recipe), FOLDER), env);
}

/** Scores f32 [n, classes] of images by the network on a line. */
export async function resident(line: Line, model: ImageModel, images: Uint8Array): Promise<Float32Array> {
  const session = await Session.open(line);
  const weights = model.engine.placements();
  const network = await CodenetNetwork.load(session, model.engine.graph, (name) => weights.get(name) as Uint8Array);
  const { pixels, graph } = model.engine;
  const scores = new Float32Array((images.length / pixels) * graph.vocab);
  for (let i = 0; i < images.length / pixels; i++) scores.set((await network.run(images.subarray(i * pixels, (i + 1) * pixels))).scores, i * graph.vocab);
  await line.close();
  return scores;
}

/** Digits whose ten scores are the same bits on the Verilated core, its twin and WASM. */
export async function equalDigits({ signal }: GoalContext): Promise<Measured | Absent> {
  const absent = digitsMissing() ?? (await lacksSimulator());
  if (absent) return { absent };
  const { images, labels } = heldOutDigits();
  const model = await modelOf(RECIPE);
  try {
    const core = resident(simulatorLine(await buildSimulator("rtl", {}, signal, "codenet")), model, images);
    const answers = [await core, await resident(twinLine(plainCodenet()), model, images), await model.classify(images)];
    const classes = model.engine.graph.vocab;
    const of = (i: number) => answers.map((a) => a.subarray(i * classes, (i + 1) * classes).join());
    const equal = labels.filter((_, i) => new Set(of(i)).size === 1).length;
    return { value: equal, note: `${RECIPE}; Verilated core, twin and WASM, ten scores each` };
  } finally {
    model.close();
  }
}

/** Points of accuracy that the network on the engine loses against f32; its scores are those of WASM, as mnist_equal shows. */
export async function lostPoints(): Promise<Measured | Absent> {
  const absent = digitsMissing();
  if (absent) return { absent };
  const { images, labels } = heldOutDigits();
  const shares: number[] = [];
  for (const recipe of ["source", RECIPE, "w4"]) {
    const model = await modelOf(recipe);
    shares.push(100 * accuracy(await model.classify(images), labels));
    model.close();
  }
  const [floats, int8, int4] = shares;
  return { value: Math.max(0, floats - int8), note: `f32 ${floats.toFixed(1)} %, ${RECIPE} ${int8.toFixed(1)} %, w4 ${int4.toFixed(1)} % of ${labels.length} digits` };
}
