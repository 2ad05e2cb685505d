// Goals of the executor and of attention: SmolLM2-135M's shape, int4 weights, int8 caches, made-up values.
import { type ChildProcess, spawn } from "node:child_process";
import { memorySink, memorySource } from "../../../runtime/io/source.ts";
import { i8Cache } from "../../../runtime/ops/kvappend/i8cache.ts";
import { loadModel, type Model } from "../../../runtime/session/model.ts";
import { bootstrapRatio, type Interval } from "../../../runtime/stats/bootstrap.ts";
import { openDevice } from "../../cli/model.ts";
import { compressModel } from "../../compress/compress.ts";
import { recipeNamed } from "../../compress/recipe.ts";
import type { Absent, Goal, GoalContext, Measured } from "../goal.ts";
import { madeUp } from "../madeup.ts";

const LONG = 8192;
const SHORT = 128;
const SHAPE = {
  model_type: "llama",
  hidden_size: 576,
  num_attention_heads: 9,
  num_key_value_heads: 3,
  intermediate_size: 1536,
  num_hidden_layers: 30,
  vocab_size: 49152,
  max_position_embeddings: LONG,
  tie_word_embeddings: true,
};
const HEAD = SHAPE.hidden_size / SHAPE.num_attention_heads;

let packed: Promise<Uint8Array> | undefined;

async function pack(signal: AbortSignal): Promise<Uint8Array> {
  const { env } = await openDevice({ threads: 1 });
  const sink = memorySink();
  await compressModel(madeUp(SHAPE), sink, env, { recipe: recipeNamed("w4kv8"), golden: "never", signal });
  return sink.bytes();
}

async function open(threads: number, context: number, signal: AbortSignal): Promise<Model> {
  packed ??= pack(signal);
  const { env } = await openDevice({ threads });
  return loadModel(memorySource(await packed, "made up"), env, { context });
}

/** Puts keys and values of random codes behind every position, so that a long context can be looked at without reading it. */
function fillCaches(model: Model): void {
  const { map, program } = model.engine;
  const { bytes, scale } = i8Cache(SHAPE.num_key_value_heads, LONG, HEAD);
  const codes = Uint8Array.from({ length: scale(0, 0) }, (_, i) => (Math.imul(i, 2654435761) >>> 13) & 0xff);
  for (const name of map.tensors.keys())
    if (/\.[kv]cache$/.test(name)) {
      const cache = program.view(name);
      cache.set(codes);
      new Float32Array(cache.buffer, cache.byteOffset + codes.length, (bytes - codes.length) / 4).fill(1 / 127);
    }
}

/** Milliseconds of one decode step at a position. */
async function step(model: Model, position: number): Promise<number> {
  const start = performance.now();
  await model.engine.run("decode", Uint32Array.of(7), position);
  return performance.now() - start;
}

const ROUNDS = 60;
const WARM = 40;

async function longContext({ signal }: GoalContext): Promise<Measured> {
  const model = await open(1, LONG, signal);
  try {
    fillCaches(model);
    const [short, long] = [[] as number[], [] as number[]];
    for (let i = 0; i < WARM; i++) await step(model, i % 2 ? LONG - 1 : SHORT);
    for (let i = 0; i < ROUNDS; i++) {
      signal.throwIfAborted();
      short.push(await step(model, SHORT));
      long.push(await step(model, LONG - 1));
    }
    const { value, low, high } = speedOver(long, short);
    return { value, low, high, note: `${model.engine.device.build}, 1 thread, ${ROUNDS} alternating steps` };
  } finally {
    model.close();
  }
}

/** A process that keeps one core busy: the first, where the system can say so. */
function busyProcess(): ChildProcess {
  const spin = ["-e", "for (;;);"];
  return process.platform === "linux" ? spawn("taskset", ["-c", "0", process.execPath, ...spin]) : spawn(process.execPath, spin);
}

/** Steps of a turn: more than the governor waits at most before it tries all lanes again. */
const TURN = 80;
const TURNS = 8;

async function withBusyNeighbour({ signal }: GoalContext): Promise<Measured | Absent> {
  if (process.platform === "win32") return { absent: "a process cannot be halted and resumed on this system" };
  const [two, one] = [await open(2, 1024, signal), await open(1, 1024, signal)];
  const neighbour = busyProcess();
  const failed = new Promise<Absent>((resolve) => neighbour.once("error", (e) => resolve({ absent: `no busy process: ${e.message}` })));
  try {
    return await Promise.race([failed, alternate(two, one, neighbour, signal)]);
  } finally {
    neighbour.kill("SIGKILL");
    two.close();
    one.close();
  }
}

/** Speed of `mine` as a share of that of `other`, of times in ms taken in turn. */
export const speedOver = (mine: readonly number[], other: readonly number[]): Interval => bootstrapRatio(other, mine, "median");

async function alternate(two: Model, one: Model, neighbour: ChildProcess, signal: AbortSignal): Promise<Measured> {
  const times = { two: [] as number[], one: [] as number[] };
  for (let turn = 0; turn <= TURNS; turn++) {
    signal.throwIfAborted();
    for (const [name, model, how] of [
      ["two", two, "SIGCONT"],
      ["one", one, "SIGSTOP"],
    ] as const) {
      neighbour.kill(how);
      const start = performance.now();
      for (let i = 0; i < TURN; i++) await step(model, SHORT + i);
      if (turn > 0) times[name].push((performance.now() - start) / TURN);
    }
  }
  const { value, low, high } = speedOver(times.two, times.one);
  const { executions, oneLane } = two.engine.program.meter();
  return { value, low, high, note: `${two.engine.device.build}, ${TURNS} turns of ${TURN} steps; one lane in ${oneLane} of ${executions}` };
}

export const goals: Goal[] = [
  { id: "kernels.ctx8k", figure: "decode at 8k context over decode at 128, int8 caches, 1 thread", unit: "ratio", must: { op: ">=", value: 0.6 }, measure: longContext },
  {
    id: "kernels.busy",
    figure: "two threads beside a foreign process that keeps one core busy, over one thread alone",
    unit: "ratio",
    must: { op: ">=", value: 0.8 },
    measure: withBusyNeighbour,
  },
];
