// Does a device that was just started compute? Two small layers, int8 with requantised results and int4 with sums, run on it and on the twin; results
// and clocks have to be the same. Serves every device that speaks the protocol and has these modes.
import { SkintError } from "../../../runtime/errors.ts";
import { createRandom } from "../../../runtime/num/random.ts";
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
  readonly layers: number;
  /** Clocks of the device's own counter. */
  readonly cycles: number;
  readonly macs: number;
  /** By these clocks and the device's rate. */
  readonly microseconds: number;
}

async function runJobs(session: Session): Promise<{ cycles: number[]; results: Uint8Array[] }> {
  const random = createRandom(SEED);
  const cycles: number[] = [];
  const results: Uint8Array[] = [];
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
    cycles.push(await session.run(LAYER, 1));
    results.push(await session.read("activations", at, Math.ceil((rows * (requantise ? 1 : 4)) / 8)));
  }
  return { cycles, results };
}

/** Throws `device.wrong` if the device computes something else than the twin. */
export async function selfTest(session: Session): Promise<SelfTest> {
  const { board, build, khz } = session.hello;
  const twin = await Session.open(twinLine(new TwinDevice({ board, build, khz, weights: 10, activations: 9, parameters: 8 })));
  const [got, want] = [await runJobs(session), await runJobs(twin)];
  const wrong = want.results.findIndex((r, i) => r.some((b, j) => b !== got.results[i][j]));
  if (wrong >= 0)
    throw new SkintError("device.wrong", `${session.line.name} computes a layer of ${JOBS[wrong].mode} to other numbers than it must; is the clock too fast, the supply too low?`, {
      what: session.line.name,
    });
  const cycles = got.cycles.reduce((a, b) => a + b, 0);
  return { layers: JOBS.length, cycles, macs: JOBS.reduce((sum, { rows, k }) => sum + rows * k, 0), microseconds: (1000 * cycles) / khz };
}
