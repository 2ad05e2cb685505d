// Golden vectors and rules of exactness of the four specs on sparse activation, as named checks of what ships; tests ask each (test/unit/sparse-specs.test.ts).
import { parseClusters } from "../../../runtime/cores/clusters.ts";
import { coreOf, coreSize } from "../../../runtime/cores/rank.ts";
import { DeltaCoder } from "../../../runtime/delta/codes.ts";
import { memorySource } from "../../../runtime/io/source.ts";
import { createRandom } from "../../../runtime/num/random.ts";
import { DEFAULT_LIMIT, type FfnOptions } from "../../../runtime/session/ffn.ts";
import { loadImageModel } from "../../../runtime/session/images/model.ts";
import { loadModel, type Model, type ModelOptions } from "../../../runtime/session/model.ts";
import { openDevice, packFolder } from "../../cli/model.ts";
import type { Measured } from "../goal.ts";
import { boundHolds, cettHits, countedWork, keptWork, nanIsError } from "./formularules.ts";
import { coreGolden, topkGolden, topkOfMany, topkSorted } from "./kernelrules.ts";

export interface Rule {
  /** Spec, section and what it asks for. */
  readonly name: string;
  holds(): boolean | Promise<boolean>;
}

const RELU = "models/tiny-relu";
const SILU = "models/tiny-swiglu";
const packs = new Map<string, Promise<Uint8Array>>();

async function withModel<T>(path: string, options: ModelOptions, use: (model: Model) => Promise<T>): Promise<T> {
  const { env } = await openDevice({ threads: 1 });
  if (!packs.has(path)) packs.set(path, packFolder(path, env, "w4n"));
  const model = await loadModel(memorySource((await packs.get(path)) as Uint8Array, path), env, { context: 128, golden: false, limit: DEFAULT_LIMIT, ...options });
  try {
    return await use(model);
  } finally {
    model.close();
  }
}

const tokens = (many: number, seed: number) => {
  const random = createRandom(seed);
  return Uint32Array.from({ length: many }, () => random.below(250));
};
const PROMPT = tokens(30, 1);
const MORE = tokens(6, 2);
const bits = (f: Float32Array) => [...new Int32Array(f.buffer, f.byteOffset, f.length)];
const equal = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

/** Bits of logits behind a prompt and behind each token decoded after it; one: the prompt token by token, too. */
async function answers(model: Model, ffn: FfnOptions, { one = false, limit = DEFAULT_LIMIT } = {}): Promise<number[]> {
  const { engine } = model;
  engine.ffn.set(ffn);
  engine.ffn.setLimit(limit);
  const session = model.session();
  let last = await session.feed(one ? PROMPT.subarray(0, 1) : PROMPT);
  if (one) for (const t of PROMPT.subarray(1)) last = await session.next(t);
  const out = bits(last);
  for (const t of MORE) out.push(...bits(await session.next(t)));
  return out;
}

/** Do two ways give the same bits on both models? */
const same =
  (a: Parameters<typeof answers>[1], b: typeof a, how: [Parameters<typeof answers>[2]?, Parameters<typeof answers>[2]?] = [], paths = [RELU, SILU]) =>
  async (): Promise<boolean> => {
    for (const path of paths) if (!(await withModel(path, {}, async (m) => equal(await answers(m, a, how[0]), await answers(m, b, how[1]))))) return false;
    return true;
  };

/** Is each of these refused, with the code? */
const refused = (code: string, calls: readonly (() => unknown)[]) =>
  calls.every((call) => {
    try {
      call();
      return false;
    } catch (e) {
      return (e as { code?: string }).code === code;
    }
  });
const refusedModes = (modes: readonly FfnOptions[]) => (): Promise<boolean> =>
  withModel(RELU, {}, async ({ engine }) =>
    refused(
      "usage",
      modes.map((m) => () => engine.ffn.set(m)),
    ),
  );

const all = (model: Model) => model.engine.ffn.report()?.layers[0].neurons as number;
const STABLE = { mode: "core", guide: "stable", beta: 0.3 } as const;

/** Bits behind a prompt under a core, by steps of `batch` tokens. */
const cores = (batch: number) => withModel(RELU, { batch }, (m) => answers(m, STABLE));

const codesOf = (xs: readonly number[], step: number) => {
  const coder = new DeltaCoder(1, { step });
  return xs.map((x) => {
    const delta = coder.encode(Float32Array.of(x)).deltas[0] ?? 0;
    return { code: coder.sent[0], delta };
  });
};

/** The greatest distance of a slow walk from what was sent, in steps. */
function walked(hold: number): number {
  const random = createRandom(5);
  const coder = new DeltaCoder(1, { step: 0.01, hold, bits: 16 });
  let [x, worst] = [0, 0];
  for (let t = 0; t < 5000; t++) {
    x = Math.fround(x + (random.f64() - 0.5) * 0.02);
    coder.encode(Float32Array.of(x));
    worst = Math.max(worst, Math.abs(coder.sent[0] * 0.01 - x));
  }
  return worst / 0.01;
}

async function streamIsDense(): Promise<boolean> {
  const { env } = await openDevice({ threads: 1 });
  const model = await loadImageModel(memorySource(await packFolder("models/mnist", env, "w8"), "mnist"), env, { stream: true });
  try {
    const stream = model.stream();
    const random = createRandom(4);
    const image = new Uint8Array(784);
    for (let step = 0; step < 200; step++) {
      for (let i = 0; i < 1 + (step % 40); i++) image[random.below(784)] = random.u32() & 255;
      if (!equal(bits(await stream.push(image)), bits(await model.classify(image)))) return false;
    }
    return true;
  } finally {
    model.close();
  }
}

const LAYERS = new Map([["a", 4]]);
const DOCUMENT = { version: 1, model: "0".repeat(64), probe: "a", neurons: 4, alpha: 0.4, top: 1, centroids: ["ff000000"], layers: { a: ["00010000"] } };
const document = (change: object) => JSON.stringify({ ...DOCUMENT, ...change });

export const RULES: readonly Rule[] = [
  { name: "coreinfer §9: counts 1 6 4 7", holds: () => coreGolden().every(({ counts }) => equal([...counts], [0, 1, 0, 0, 2, 0, 1, 2])) },
  {
    name: "coreinfer §9: cores at 0.25 and 0.375",
    holds: () => coreGolden().every((t) => equal([...coreOf(t, coreSize(8, 0.25, 1))], [4, 7]) && equal([...coreOf(t, coreSize(8, 0.375, 1))], [4, 6, 7])),
  },
  { name: "coreinfer §4: a short set is not filled up", holds: () => coreGolden().every((t) => coreOf(t, 8).length === 4) },
  { name: "coreinfer §10.1: beta 1 is dense", holds: same({ mode: "core", guide: "stable", beta: 1 }, { mode: "dense" }) },
  {
    name: "coreinfer §8: a prompt in steps of any size",
    holds: async () => {
      const want = await cores(128);
      return equal(await cores(4), want) && equal(await cores(7), want);
    },
  },
  {
    name: "coreinfer §8: a prompt of one token is counted",
    holds: () =>
      withModel(RELU, {}, async (m) => {
        m.engine.ffn.set(STABLE);
        await m.session().feed(PROMPT.subarray(0, 1));
        return m.engine.ffn.report()?.core?.tokens === 1;
      }),
  },
  {
    name: "coreinfer §8: a core for each sequence",
    holds: () =>
      withModel(RELU, {}, async (m) => {
        const want = await answers(m, STABLE);
        await m.session().feed(MORE);
        return equal(await answers(m, STABLE), want);
      }),
  },
  {
    name: "coreinfer §8: ranges",
    holds: refusedModes(
      [0, 1.1, -1, Number.NaN].flatMap(
        (v) =>
          [
            { mode: "core", alpha: v },
            { mode: "core", beta: v },
          ] as const,
      ),
    ),
  },
  {
    name: "coreinfer §8: duplicate and out-of-range neurons",
    holds: () =>
      refused(
        "format.header",
        [{ layers: { a: ["00010001"] } }, { layers: { a: ["0004"] } }, { neurons: 5 }].map((c) => () => parseClusters(document(c), LAYERS)),
      ) && parseClusters(document({}), LAYERS).top === 1,
  },
  {
    name: "coreinfer §8: clusters of another model",
    holds: () =>
      withModel(RELU, {}, async ({ engine }) => {
        const [probe] = engine.ffn.names;
        const n = engine.ffn.report()?.layers[0].neurons as number;
        const d = document({ probe, neurons: n, centroids: ["00".repeat(n)], layers: { [probe]: ["0000"] } });
        const { env } = await openDevice({ threads: 1 });
        return refused("format.hash", [() => engine.ffn.setClusters(d, env.sha256)]);
      }),
  },
  { name: "lazy-topk §8: k 2", holds: topkGolden(2, [1, 4]) },
  { name: "lazy-topk §8: k 3", holds: topkGolden(3, [1, 4, 5]) },
  { name: "lazy-topk §8: k 5, four positive values", holds: topkGolden(5, [1, 2, 4, 5]) },
  { name: "lazy-topk §8: k 6", holds: topkGolden(6, [1, 2, 4, 5]) },
  { name: "lazy-topk §9.5: sets of a full sort on every build", holds: topkSorted },
  { name: "lazy-topk §9.5: sets of a full sort of 100,000 vectors", holds: topkOfMany },
  { name: "lazy-topk §8: multiply-adds that are kept", holds: keptWork },
  { name: "lazy-topk §4: rows that are read", holds: () => withModel(SILU, {}, (m) => countedWork(m, 24, PROMPT)) },
  ...[RELU, SILU].map((path) => ({ name: `lazy-topk §7: NaN is an error in every mode, ${path}`, holds: () => withModel(path, {}, (m) => nanIsError(m, PROMPT)) })),
  { name: "sparsing-law §10.2: thresholds hit their CETT", holds: cettHits },
  { name: "sparsing-law §10.6: no neuron beyond its bound", holds: () => withModel(SILU, {}, async (m) => boundHolds(m)) },
  {
    name: "lazy-topk §9.3: k = N is dense",
    holds: async () => {
      for (const path of [RELU, SILU])
        if (!(await withModel(path, {}, async (m) => equal(await answers(m, { mode: "topk", topk: all(m) }), await answers(m, { mode: "dense" }))))) return false;
      return true;
    },
  },
  {
    name: "lazy-topk §7: ranges",
    holds: () =>
      withModel(RELU, {}, async (m) =>
        refused(
          "usage",
          [0, -1, 1.5, all(m) + 1].map((topk) => () => m.engine.ffn.set({ mode: "topk", topk })),
        ),
      ),
  },
  { name: "lazy-topk §4: a prompt and single tokens keep the same", holds: same({ mode: "topk", topk: 20 }, { mode: "topk", topk: 20 }, [{ one: true }]) },
  { name: "sparsing-law §10.1: eps 0 is dense", holds: same({ mode: "cett", eps: 0 }, { mode: "dense" }) },
  { name: "sparsing-law §10.1: exact is dense", holds: same({ mode: "exact" }, { mode: "dense" }) },
  {
    name: "sparsing-law §9: all neurons dropped is valid",
    holds: () =>
      withModel(RELU, {}, async (m) => {
        await answers(m, { mode: "cett", eps: 1e9 });
        return m.engine.ffn.report()?.layers.every((l) => l.skipped.down === 1) === true;
      }),
  },
  { name: "sparsing-law §9: eps negative, NaN or infinite", holds: refusedModes([-1, Number.NaN, Number.POSITIVE_INFINITY].map((eps) => ({ mode: "cett", eps }))) },
  ...([{ mode: "exact" }, { mode: "cett", eps: 0.02 }, { mode: "topk", topk: 20 }] as const).map((mode) => ({
    name: `sparsing-law §5: ${mode.mode} falls back to all rows with the same bits`,
    holds: same(mode, mode, [{ limit: 0 }, { limit: 1 }]),
  })),
  { name: "sparsing-law §5: cett of a prompt and of single tokens", holds: same({ mode: "cett", eps: 0.02 }, { mode: "cett", eps: 0.02 }, [{ one: true }]) },
  {
    name: "delta-activation §11: codes and changes",
    holds: () => {
      const got = codesOf([0.2, 0.3, 0.9, 0.8, -0.1], 0.5);
      return (
        equal(
          got.map((g) => g.code),
          [0, 1, 2, 2, 0],
        ) &&
        equal(
          got.map((g) => g.delta),
          [0, 1, 1, 0, -2],
        )
      );
    },
  },
  {
    name: "delta-activation §11: sums with w = 7",
    holds: () => {
      let sum = 0;
      return equal(
        codesOf([0.2, 0.3, 0.9, 0.8, -0.1], 0.5).map(({ delta }) => {
          sum += 7 * delta;
          return sum;
        }),
        [0, 7, 14, 14, 0],
      );
    },
  },
  { name: "delta-activation §11: halves to even", holds: () => codesOf([0.25], 0.5)[0].code === 0 && codesOf([0.75], 0.5)[0].code === 2 },
  { name: "delta-activation §5: quant stays within half a step", holds: () => walked(0) <= 0.5 + 1e-4 },
  { name: "delta-activation §5: hysteresis stays within its threshold", holds: () => walked(4) <= 4.5 + 1e-4 },
  {
    name: "delta-activation §10: steps that no codes come of",
    holds: () =>
      refused(
        "usage",
        [0, -1, Number.NaN, Number.POSITIVE_INFINITY].map((step) => () => new DeltaCoder(1, { step })),
      ),
  },
  { name: "delta-activation §10: NaN in a signal", holds: () => refused("session.nan", [() => new DeltaCoder(1, { step: 1 }).encode(Float32Array.of(Number.NaN))]) },
  { name: "delta-activation §4: a stream has the bits of the whole network", holds: streamIsDense },
];

/** Share of the rules that hold. */
export async function specs(): Promise<Measured> {
  const broken: string[] = [];
  for (const { name, holds } of RULES) if (!(await holds())) broken.push(name);
  return { value: 1 - broken.length / RULES.length, note: `${RULES.length} rules${broken.length ? `; broken: ${broken.join("; ")}` : ""}` };
}
