// Does CoDeNet's engine compute what the ops' references compute, wherever it runs, and how near to its bound?
import { createRandom } from "../../../runtime/num/random.ts";
import { CODENET_DEFAULTS, codenetTwin } from "../../../targets/devices/fpga/codenet/twin.ts";
import { Session } from "../../../targets/devices/fpga/link/session.ts";
import { twinLine } from "../../../targets/devices/fpga/twin/line.ts";
import { buildSimulator, lacksSimulator, simulatorLine } from "../../../targets/hosts/node/simulator.ts";
import type { Absent, GoalContext, Measured } from "../goal.ts";
import { byReference, ladder, runTile, type Shape, sidesOf, type Tile, through, tileOf } from "./tiles.ts";

/** rtl/codenet/core.v with its default parameters, in software. */
export const plainCodenet = (rows?: number) => codenetTwin({ board: "", build: "0000000000000000", khz: 24000, ...CODENET_DEFAULTS, rows });

/** Share of tiles whose bytes are the reference's on WASM, on the twin and on the Verilated core, in as many clocks on both. */
export async function shareOfTiles({ signal }: GoalContext): Promise<Measured | Absent> {
  const absent = await lacksSimulator();
  if (absent) return { absent };
  const line = simulatorLine(await buildSimulator("rtl", {}, signal, "codenet"));
  const core = await Session.open(line, { signal });
  const twin = await Session.open(twinLine(plainCodenet()));
  // Loaded when it is needed: on Node 20 it switches relaxed SIMD on for the whole process.
  const { kernelOf } = await import("../../../test/kernels/one.ts");
  const tiles = ladder();
  const wrong: string[] = [];
  for (const t of tiles) {
    const want = (await through(t, byReference)).join();
    const [a, b] = [await runTile(core, t), await runTile(twin, t)];
    const wasm = await through(t, kernelOf("simd"));
    const right = a.values.join() === want && b.values.join() === want && wasm.join() === want && a.cycles === b.cycles;
    if (!right) wrong.push(t.name);
  }
  await line.close();
  return { value: (tiles.length - wrong.length) / tiles.length, note: [`${tiles.length} tiles on RTL, twin and WASM`, ...wrong.slice(0, 3)].join("; ") };
}

const WIDE = { height: 24, width: 64 } as const;
const MEASURED: readonly Shape[] = [
  { ...WIDE, channels: 16, deep: { stride: 1, dilation: "mixed" } },
  { ...WIDE, channels: 16, conv: { size: 1, nibbles: true }, deep: { stride: 1, dilation: "mixed" } },
  { ...WIDE, channels: 24, conv: { size: 1, nibbles: true }, deep: { stride: 1 } },
  { ...WIDE, channels: 16, conv: { size: 1, nibbles: false }, deep: { stride: 1, dilation: "mixed" } },
];

/** Clocks that the multipliers need at least: a step of a convolution is 16 multiply-adds in int4, 8 in int8; one of the depthwise half is a tap of 8 channels. */
export function bound(t: Tile): number {
  const { ch, cw, oh, ow } = sidesOf(t);
  const slices = Math.ceil(t.outputs / 8);
  const conv = t.conv ? ch * cw * t.conv.size ** 2 * Math.ceil(t.channels / 8) * (t.conv.nibbles ? 4 : 8) : 0;
  return slices * (conv + (t.deep ? 9 * oh * ow : 0));
}

/** Least share of its bound that the engine reaches on tiles 64 wide; on the twin, whose clocks are the core's as codenet_exact shows. */
export async function utilisationOfTiles(): Promise<Measured> {
  const session = await Session.open(twinLine(plainCodenet()));
  const random = createRandom(1);
  const shares: [share: number, what: string][] = [];
  for (const shape of MEASURED) {
    const t = tileOf(random, shape);
    shares.push([bound(t) / (await runTile(session, t)).cycles, t.name]);
  }
  const least = Math.min(...shares.map(([s]) => s));
  return { value: least, low: least, high: Math.max(...shares.map(([s]) => s)), note: shares.map(([s, what]) => `${what}: ${s.toFixed(3)}`).join("; ") };
}
