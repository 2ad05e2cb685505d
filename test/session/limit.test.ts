// The length from which on lists of neurons are not walked: measured when a model is loaded, kept, given; by a clock that knows what rows cost.
import { afterEach, beforeAll, expect, test } from "vitest";
import { memorySource } from "../../runtime/io/source.ts";
import { crossing, measureBreakEven } from "../../runtime/session/breakeven.ts";
import { loadModel, type Model, type ModelOptions } from "../../runtime/session/model.ts";
import { environment, open, pack, tinyCheckpoint, tokensOf } from "../support/tiny.ts";

let relu: Uint8Array;
let silu: Uint8Array;
const models: Model[] = [];

beforeAll(async () => {
  relu = (await pack(await tinyCheckpoint({ activation: "relu" }), "w4n", "auto")).bytes;
  silu = (await pack(await tinyCheckpoint({ seed: 5 }), "w4n")).bytes;
});
afterEach(() => {
  for (const m of models.splice(0)) m.close();
});

async function load(bytes: Uint8Array): Promise<Model> {
  const model = await open(bytes);
  models.push(model);
  return model;
}

/** A clock by which a step takes the share of rows it reads, `dearer` so much longer where they are listed. */
function clockOf({ engine }: Model, dearer: number): () => number {
  const { ffn, program } = engine;
  const plain = program.execute.bind(program);
  let t = 0;
  program.execute = (plan, from, to) => {
    const before = ffn.read;
    const done = plain(plan, from, to);
    t += ffn.report()?.mode === "core" ? dearer * (before < 1 ? before : ffn.read) : 1;
    return done;
  };
  return () => t;
}

test("lists are walked up to the length at which they take as long as all rows", async () => {
  for (const [bytes, dearer] of [
    [silu, 1.25],
    [silu, 2],
    [relu, 1.6],
  ] as const) {
    const model = await load(bytes);
    const points = await measureBreakEven(model.engine, { now: clockOf(model, dearer), turn: 3 });
    expect(crossing(points, "read")).toBeCloseTo(1 / dearer, 1);
    expect(points.map((p) => p.listed)).toEqual([0.4, 0.6, 0.8, 1]);
  }
});

test("where lists are never slower there is no limit; where they always are, none is walked", async () => {
  const model = await load(silu);
  expect(crossing(await measureBreakEven(model.engine, { now: clockOf(model, 0.5) }), "read")).toBe(1);
  const other = await load(silu);
  expect(crossing(await measureBreakEven(other.engine, { now: clockOf(other, 9) }), "read")).toBe(0);
});

test("measuring changes nothing that a text sees", async () => {
  const [model, fresh] = [await load(relu), await load(relu)];
  const before = model.engine.ffn.report();
  await measureBreakEven(model.engine, { now: () => performance.now() });
  expect(model.engine.ffn.report()).toEqual(before);
  const [session, other] = [model.session(), fresh.session()];
  for (const s of [session, other]) await s.feed(tokensOf(9, 300));
  expect(await session.next(3)).toEqual(await other.next(3));
});

/** What a load says of the limit, with what is kept. */
async function loaded(options: ModelOptions, kept?: number): Promise<{ limit: unknown; keeps: number[]; bits: Float32Array }> {
  const keeps: number[] = [];
  const env = { ...(await environment()), limits: { find: async () => kept, keep: async (share: number) => void keeps.push(share) } };
  const model = await loadModel(memorySource(relu, "relu"), env, options);
  models.push(model);
  const session = model.session();
  await session.feed(tokensOf(9, 300));
  const bits = (await session.next(5)).slice();
  return { limit: model.engine.ffn.report()?.limit, keeps, bits };
}

test("a load measures and keeps; the next takes what was kept; a given limit goes before both; the bits are the same", async () => {
  const measured = await loaded({});
  expect(measured.limit).toEqual({ share: measured.keeps[0], from: "measured" });
  expect(measured.keeps).toHaveLength(1);
  const kept = await loaded({}, 0.3);
  expect(kept).toMatchObject({ limit: { share: 0.3, from: "kept" }, keeps: [] });
  const given = await loaded({ limit: 0 }, 0.3);
  expect(given).toMatchObject({ limit: { share: 0, from: "given" }, keeps: [] });
  expect([kept.bits, given.bits]).toEqual([measured.bits, measured.bits]);
});

test.each([-0.1, 1.1, Number.NaN])("a limit of %d is refused, and the one before stays", async (share) => {
  const { ffn } = (await load(relu)).engine;
  expect(() => ffn.setLimit(share)).toThrow(expect.objectContaining({ code: "usage" }));
  expect(ffn.report()?.limit).toEqual({ share: 0.75, from: "given" });
});
