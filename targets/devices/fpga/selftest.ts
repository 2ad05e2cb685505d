// Does a device that was just started compute? Two small jobs run on it and on the twin, with the same results. Of the linear engine they
// are layers, int8 with requantised results and int4 with sums, which every device has that speaks the protocol; of CoDeNet's they are passes.
import { SkintError } from "../../../runtime/errors.ts";
import { createRandom } from "../../../runtime/num/random.ts";
import type { Design } from "./board.ts";
import { type Outcome, runTestPasses } from "./codenet/selftest.ts";
import { codenetTwin } from "./codenet/twin.ts";
import type { Hello } from "./link/protocol.ts";
import { Session } from "./link/session.ts";
import { TwinDevice } from "./twin/device.ts";
import { encodeLayer, encodeRow, isPaired, type Mode } from "./twin/layer.ts";
import { twinLine } from "./twin/line.ts";
import { packRows } from "./twin/pack.ts";

const JOBS: readonly { readonly mode: Mode; readonly rows: number; readonly k: number; readonly requantise: boolean }[] = [
  { mode: "int8", rows: 8, k: 128, requantise: true },
  { mode: "int4", rows: 16, k: 128, requantise: false },
];
const SEED = 20;
/** In words: the layer, its rows' parameters. */
const LAYER = 0;
const ROWS = 2;

export interface SelfTest {
  /** Layers, or passes. */
  readonly layers: number;
  /** Clocks of the device's own counter. */
  readonly cycles: number;
  readonly macs: number;
  /** By these clocks and the device's rate. */
  readonly microseconds: number;
}

async function runLayers(session: Session, seed: number): Promise<Outcome[]> {
  const random = createRandom(seed);
  const outcomes: Outcome[] = [];
  for (const { mode, rows, k, requantise } of JOBS) {
    const most = isPaired(mode) ? 8 : 128;
    const codes = Int8Array.from({ length: rows * k }, () => random.below(2 * most) - most);
    const x = Uint8Array.from({ length: k }, () => random.below(256));
    const packed = packRows(mode, codes, rows, k);
    const parameters = new Uint8Array(8 * packed.rows);
    for (let r = 0; r < rows; r++) parameters.set(encodeRow({ bias: random.below(2000) - 1000, scale: 20_000 + random.below(40_000), shift: 9 }), 8 * r);
    const at = k / 8;
    const layer = { mode, rows: packed.rows, steps: packed.steps, weights: 0, activations: 0, results: at, parameters: ROWS, requantise, relu: false };
    await session.write("weights", 0, packed.words);
    await session.write("activations", 0, x);
    await session.write("parameters", ROWS, parameters);
    await session.write("parameters", LAYER, encodeLayer(layer));
    const cycles = await session.run(LAYER, 1);
    outcomes.push({ name: `a layer of ${mode}`, cycles, bytes: await session.read("activations", at, Math.ceil((rows * (requantise ? 1 : 4)) / 8)), macs: rows * k });
  }
  return outcomes;
}

type Told = Pick<Hello, "board" | "build" | "khz">;

/** By design: what runs, and the smallest twin that it runs on. */
const TESTS: Readonly<Record<Design, { readonly run: typeof runLayers; readonly twin: (hello: Told) => TwinDevice }>> = {
  linear: { run: runLayers, twin: (hello) => new TwinDevice({ ...hello, weights: 10, activations: 9, parameters: 8 }) },
  codenet: { run: runTestPasses, twin: (hello) => codenetTwin({ ...hello, memory: 11, buffer: 9, line: 4 }) },
};

/** Throws `device.wrong` if the device computes something else than the twin. */
export async function selfTest(session: Session, design: Design = "linear"): Promise<SelfTest> {
  const { board, build, khz } = session.hello;
  const { run, twin } = TESTS[design];
  const got = await run(session, SEED);
  const want = await run(await Session.open(twinLine(twin({ board, build, khz }))), SEED);
  const wrong = want.find(({ bytes }, i) => bytes.some((b, j) => b !== got[i].bytes[j]));
  if (wrong)
    throw new SkintError("device.wrong", `${session.line.name} computes ${wrong.name} to other numbers than it must; is the clock too fast, the supply too low?`, {
      what: session.line.name,
    });
  const cycles = got.reduce((sum, o) => sum + o.cycles, 0);
  return { layers: got.length, cycles, macs: got.reduce((sum, o) => sum + o.macs, 0), microseconds: (1000 * cycles) / khz };
}
