// The compact store of mode core: rows of a text's core lie copied together, for the bits of reading them where they lie; whose rows they are is never mistaken.
import { afterEach, beforeAll, expect, test } from "vitest";
import { STORES } from "../../runtime/session/compact.ts";
import type { CoreOptions } from "../../runtime/session/coreoptions.ts";
import type { PlanName } from "../../runtime/session/engine.ts";
import type { Model, ModelOptions } from "../../runtime/session/model.ts";
import { decodeToken, readPrompt } from "../../runtime/session/prompt.ts";
import { TextCore } from "../../runtime/session/textcore.ts";
import type { WasmOptions } from "../../targets/devices/wasm/device.ts";
import { bitsOf, decode, inner, KEPT, MORE, PROMPT, STABLE, VOCAB } from "../support/cores.ts";
import { open, pack, tinyCheckpoint, tokensOf } from "../support/tiny.ts";

let relu: Uint8Array;
let silu: Uint8Array;
const models: Model[] = [];
const ROOM = 0.3;
const OTHER = tokensOf(21, VOCAB, 77);

beforeAll(async () => {
  relu = (await pack(await tinyCheckpoint({ activation: "relu", layers: 4 }), "w4n")).bytes;
  silu = (await pack(await tinyCheckpoint({ seed: 5, layers: 4 }), "w4n")).bytes;
});
afterEach(() => {
  for (const m of models.splice(0)) m.close();
});

async function load(bytes: Uint8Array, core: CoreOptions | undefined, options: ModelOptions & WasmOptions = {}): Promise<Model> {
  const model = await open(bytes, { core: ROOM, ...options });
  models.push(model);
  if (core) model.engine.ffn.set({ mode: "core", ...core });
  return model;
}

/** Where each layer's core is read now. */
const stores = (model: Model) => model.engine.ffn.report()?.layers.map((l) => l.store);
const IN_ORDER = [undefined, "compact", "compact", undefined];
const GATHERED = [undefined, "gather", "gather", undefined];

async function text(model: Model, tokens: Uint32Array): Promise<number[][]> {
  const session = model.session();
  return [bitsOf(await session.feed(tokens)), ...(await decode(session, MORE))];
}

test("on any build and number of threads a core in order gives the bits of one that is gathered", async () => {
  for (const bytes of [relu, silu]) {
    const want = await text(await load(bytes, { ...STABLE, store: "gather" }, { core: undefined, isa: "scalar" }), PROMPT);
    for (const isa of ["scalar", "simd", "relaxed"] as const)
      for (const threads of [1, 3]) {
        const model = await load(bytes, STABLE, { isa, threads, fuse: threads === 1 });
        expect(await text(model, PROMPT)).toEqual(want);
        expect(stores(model)).toEqual(IN_ORDER);
      }
  }
});

test("hidden values come out at the places of their neurons", async () => {
  const taps = ["layers.1.ffn.hidden"];
  const [values, others] = await Promise.all(
    STORES.map(async (store) => {
      const model = await load(silu, { ...STABLE, store }, { taps });
      await text(model, PROMPT);
      return [...model.engine.tap(taps[0]).slice(0, 96)];
    }),
  );
  expect(values).toEqual(others);
  expect(values.filter((v) => v !== 0).length).toBeGreaterThan(KEPT / 2);
});

test("rows that are read are counted alike, and the report says where they are and how many bytes were copied", async () => {
  const [compact, gather] = await Promise.all(
    STORES.map(async (store) => {
      const model = await load(silu, { ...STABLE, store });
      await text(model, PROMPT);
      return model.engine.ffn.report();
    }),
  );
  expect(compact?.core).toMatchObject({ store: "compact" });
  expect(gather?.core).toMatchObject({ store: "gather", storeBytes: 0 });
  // three matrices of two layers: 32 rows, 64 or 96 wide in nibbles, and their scales
  expect(compact?.core?.storeBytes).toBeGreaterThan(2 * 3 * KEPT * 4);
  expect(compact?.layers[1].skipped.first).toBe(gather?.layers[1].skipped.first);
  expect(compact?.layers[1].skipped.up).toBe(gather?.layers[1].skipped.up);
});

test("without room, or with too little of it, cores are gathered; asking for more is refused", async () => {
  const none = await load(silu, STABLE, { core: undefined });
  await text(none, PROMPT);
  expect(stores(none)).toEqual(GATHERED);
  expect(() => none.engine.ffn.set({ mode: "core", ...STABLE, store: "compact" })).toThrow(/load the model with core: 0.3/);
  const few = await load(silu, STABLE, { core: 0.1 });
  expect(few.engine.ffn.report()?.core?.store).toBe("gather");
  expect(() => few.engine.ffn.set({ mode: "core", ...STABLE, store: "compact" })).toThrow(/room for the share 0.3/);
  expect(() => few.engine.ffn.set({ mode: "core", ...STABLE, store: "disk" as never })).toThrow(/none of compact, gather/);
});

test.each([0, -1, 1.5, Number.NaN])("room for a core of %d is refused", async (core) => {
  await expect(open(silu, { core })).rejects.toMatchObject({ code: "usage", place: { what: "core" } });
});

/** Two texts by turns in one engine, as those of recurrent models are, and a fork of the first; then the second alone. Logits, and where cores were read. */
async function turns(model: Model) {
  const { engine } = model;
  const texts = [new TextCore(), new TextCore()];
  const prompts = [PROMPT, OTHER];
  let at = 0;
  const feed = async (tokens: Uint32Array, plan: PlanName) => {
    const logits = bitsOf(await engine.run(plan, tokens, at));
    at += tokens.length;
    return logits;
  };
  const logits: number[][] = [];
  const seen: unknown[] = [];
  const step = async (text: TextCore, token: number) => {
    await decodeToken(engine, text, async (plan) => {
      logits.push(await feed(Uint32Array.of(token), plan));
      return new Float32Array();
    });
    seen.push(stores(model)?.[1]);
  };
  for (const [i, text] of texts.entries()) logits.push(await readPrompt(engine, text, prompts[i], 0, feed));
  const fork = texts[1].copy();
  for (const token of [1, 2]) for (const text of [...texts, fork]) await step(text, token);
  for (let token = 0; token < 9; token++) await step(texts[0], token);
  return { logits, seen };
}

test("texts in turns decode each by its own core: the rows of one are copied, a fork shares them, another's are copied when it stays", async () => {
  const compact = await turns(await load(silu, STABLE));
  const gather = await turns(await load(silu, { ...STABLE, store: "gather" }));
  expect(compact.logits).toEqual(gather.logits);
  const turn = ["gather", "compact", "compact"];
  expect(compact.seen).toEqual([...turn, ...turn, ...new Array(8).fill("gather"), "compact"]);
  expect(new Set(gather.seen)).toEqual(new Set(["gather"]));
});

test("refreshed cores are those that are copied", async () => {
  const refreshed = { ...STABLE, refresh: 2, window: 2 };
  const tokens = tokensOf(12, VOCAB, 3);
  const run = async (model: Model) => {
    const session = model.session();
    await session.feed(PROMPT);
    return decode(session, tokens);
  };
  const model = await load(silu, refreshed);
  expect(await run(model)).toEqual(await run(await load(silu, { ...refreshed, store: "gather" })));
  expect(model.engine.ffn.report()?.core?.refreshes).toBeGreaterThan(1);
});

test("a reading that was stopped leaves no core; another prompt, another mode and a core by hand have their own", async () => {
  const want = { other: await text(await load(silu, STABLE), OTHER), dense: await text(await load(silu, { ...STABLE, beta: 1 }), PROMPT) };
  const model = await load(silu, STABLE, { batch: 4 });
  const { ffn } = model.engine;
  await text(model, PROMPT);
  const stop = new AbortController();
  const reading = model.session().feed(OTHER, stop.signal);
  stop.abort();
  await expect(reading).rejects.toMatchObject({ code: "aborted" });
  expect(stores(model)).toEqual([undefined, undefined, undefined, undefined]);
  expect(await text(model, OTHER)).toEqual(want.other);
  ffn.set({ mode: "dense" });
  expect(await text(model, PROMPT)).toEqual(want.dense);
  const [layer] = inner(model);
  ffn.setCore(layer, [1, 5, 90]);
  const given = await text(model, PROMPT);
  expect(stores(model)).toEqual([undefined, "compact", undefined, undefined]);
  ffn.setCore(layer, [1, 5, 90], "gather");
  expect(await text(model, PROMPT)).toEqual(given);
  ffn.set({ mode: "core", ...STABLE });
  expect(await text(model, OTHER)).toEqual(want.other);
});

test("weights that were written anew are copied anew", async () => {
  const model = await load(silu, undefined);
  const [layer] = inner(model);
  model.engine.ffn.setCore(layer, [1, 5, 90]);
  const before = await text(model, PROMPT);
  model.engine.placements().get("layers.1.ffn.up.weight")?.fill(0x99, 64);
  model.engine.ffn.reset();
  model.engine.ffn.setCore(layer, [1, 5, 90]);
  expect(await text(model, PROMPT)).not.toEqual(before);
});
