// Single products against onnxruntime: W 4096 × 4096, one token, one thread, weights hot, all in turn in one process. Ours takes x in f32 and
// brings it into int8 itself, as MatMulNBits does; MatMulInteger is given int8.
import { SkintError } from "../../../runtime/errors.ts";
import { quantile } from "../../../runtime/stats/quantile.ts";
import { host } from "../../../targets/hosts/node/host.ts";
import { type Flavour, int4Product, int8Product, type Product } from "../../../test/peers/onnxruntime.ts";
import { interleave, type Timed } from "../../bench/kernels/interleave.ts";
import { QUARTILE, ratioOf } from "../../bench/kernels/record.ts";
import { openStill } from "../../bench/kernels/run.ts";
import { openBed, type Subject } from "../../bench/kernels/subject.ts";
import type { Absent, Goal, GoalContext, Measured } from "../goal.ts";

const SIDE = 4096;
const ROUNDS = 40;

/** Goal → peer, its product, and our scheme. */
interface Line {
  readonly id: string;
  readonly bound: number;
  readonly flavour: Flavour;
  readonly product: string;
  readonly scheme: string;
  open(flavour: Flavour): Promise<Product>;
}

const int4 = (block: number) => (flavour: Flavour) => int4Product(flavour, SIDE, SIDE, block);
const int8 = (flavour: Flavour) => int8Product(flavour, SIDE, SIDE);

const LINES: readonly Line[] = [
  { id: "ortweb_q4", bound: 50, flavour: "web", product: "int4 GEMV in blocks of 32 (MatMulNBits)", scheme: "q4g32", open: int4(32) },
  { id: "ortweb_q8", bound: 6, flavour: "web", product: "int8 GEMV (MatMulInteger)", scheme: "q8", open: int8 },
  { id: "ortnode_b32", bound: 1.3, flavour: "node", product: "int4 GEMV in blocks of 32 (MatMulNBits)", scheme: "q4g32", open: int4(32) },
  { id: "ortnode_b128", bound: 1.0, flavour: "node", product: "int4 GEMV in blocks of 128 (MatMulNBits)", scheme: "q4g128", open: int4(128) },
];

type Times = ReadonlyMap<string, Float64Array | Absent>;

async function openPeer({ flavour, open }: Line): Promise<Product | Absent> {
  try {
    return await open(flavour);
  } catch (e) {
    if (e instanceof SkintError && e.code === "file.missing") return { absent: e.message };
    throw e;
  }
}

const ours = (s: Subject): Timed => ({ pass: 1, prepare: s.once, run: s.once });
const theirs = (p: Product): Timed => ({ pass: 1, prepare: () => {}, run: p.run });

/** Milliseconds of each of our schemes and of each peer's product, by scheme and by goal. */
async function play({ signal, note }: GoalContext): Promise<Times> {
  const device = await openStill("auto", 1);
  const schemes = [...new Set(LINES.map((l) => l.scheme))];
  const beds = schemes.map((scheme) => openBed(device, scheme, SIDE, SIDE, [{ tokens: 1, state: "hot" }]));
  const peers = await Promise.all(LINES.map(openPeer));
  try {
    const things = new Map<string, Timed>(schemes.map((s, i) => [s, ours(beds[i].subjects[0])]));
    LINES.forEach(({ id }, i) => {
      const peer = peers[i];
      if (!("absent" in peer)) things.set(id, theirs(peer));
    });
    note(`build ${device.build}, in turn: ${[...things.keys()].join(", ")}`);
    const ms = await interleave([...things.values()], { rounds: ROUNDS, now: host.now, signal });
    const times = new Map<string, Float64Array | Absent>([...things.keys()].map((name, i) => [name, ms[i]]));
    LINES.forEach(({ id }, i) => {
      const peer = peers[i];
      if ("absent" in peer) times.set(id, peer);
    });
    return times;
  } finally {
    for (const bed of beds) bed.close();
    for (const peer of peers) if (!("absent" in peer)) await peer.close();
  }
}

let played: Promise<Times> | undefined;

function judge({ id, scheme, flavour }: Line, times: Times): Measured | Absent {
  const peer = times.get(id) as Float64Array | Absent;
  if ("absent" in peer) return peer;
  const mine = times.get(scheme) as Float64Array;
  const quarter = (ms: ArrayLike<number>) => quantile(ms, QUARTILE).toFixed(3);
  return { ...ratioOf(1, mine, 1, peer), note: `${scheme} ${quarter(mine)} ms over onnxruntime-${flavour} ${quarter(peer)} ms` };
}

export const goals: readonly Goal[] = LINES.map((line) => ({
  id: `kernels.${line.id}`,
  figure: `${line.product} over onnxruntime-${line.flavour}, ${SIDE} × ${SIDE}, 1 thread`,
  unit: "ratio",
  must: { op: ">=", value: line.bound },
  measure: async (context) => {
    played ??= play(context);
    return judge(line, await played);
  },
}));
