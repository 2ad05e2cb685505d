// Mode core beside a state of fixed size (RWKV of made-up weights): forks share the prompt's core and go their own ways, a saved state carries none.
import { readFileSync } from "node:fs";
import { afterEach, beforeAll, expect, test } from "vitest";
import type { Model } from "../../runtime/session/model.ts";
import { bitsOf, decode, STABLE } from "../support/cores.ts";
import { hashedFolder, type Shapes } from "../support/hashed.ts";
import { open, packFolder, tokensOf } from "../support/tiny.ts";

const { rwkv } = (JSON.parse(readFileSync("test/models/rwkv.json", "utf8")) as { cases: Record<string, { config: Record<string, unknown>; tensors: Shapes }> }).cases;
const PROMPT = tokensOf(21, 101);
const MORE = tokensOf(6, 101, 11);

let bytes: Uint8Array;
const models: Model[] = [];

beforeAll(async () => {
  bytes = (await packFolder(await hashedFolder(rwkv.config, rwkv.tensors), "w4n")).bytes;
});
afterEach(() => {
  for (const m of models.splice(0)) m.close();
});

async function load(core = true): Promise<Model> {
  const model = await open(bytes);
  models.push(model);
  model.engine.ffn.set(core ? { mode: "core", ...STABLE } : { mode: "dense" });
  return model;
}

/** Bits behind the prompt and what is decoded after it, in a session of its own. */
async function alone(more: Uint32Array, core = true): Promise<number[][]> {
  const session = (await load(core)).session();
  return [bitsOf(await session.feed(PROMPT)), ...(await decode(session, more))];
}

test("a core of an RWKV leaves out neurons, and is not dense", async () => {
  const model = await load();
  const session = model.session();
  await session.feed(PROMPT);
  model.engine.ffn.clear();
  const behind = await decode(session, MORE);
  expect(model.engine.ffn.report()).toMatchObject({ mode: "core", core: { made: "stable", tokens: PROMPT.length } });
  expect(model.engine.ffn.report()?.skipped).toBeGreaterThan(0.2);
  expect(behind).toEqual((await alone(MORE)).slice(1));
  expect(behind).not.toEqual((await alone(MORE, false)).slice(1));
});

test("a fork has the prompt's core, and neither disturbs the other", async () => {
  const model = await load();
  const session = model.session();
  await session.feed(PROMPT);
  const fork = session.state.fork();
  const other = tokensOf(6, 101, 29);
  const [mine, its] = [(await alone(MORE)).slice(1), (await alone(other)).slice(1)];
  for (let i = 0; i < MORE.length; i++) {
    expect(bitsOf(await session.next(MORE[i])), `text, token ${i}`).toEqual(mine[i]);
    expect(bitsOf(await fork.next(other[i])), `fork, token ${i}`).toEqual(its[i]);
  }
  // A prompt behind one of them makes that one's core anew, and only its.
  await fork.append(MORE);
  expect(model.engine.ffn.report()?.core?.tokens).toBe(PROMPT.length + MORE.length);
  await session.next(5);
  expect(model.engine.ffn.report()?.core?.tokens).toBe(PROMPT.length);
});

test("a saved state carries no core: the text is decoded with all neurons until its next prompt", async () => {
  const first = (await load()).session();
  await first.feed(PROMPT);
  const saved = first.state.save();
  const model = await load();
  const session = model.session();
  await session.state.load(saved);
  const twin = (await load(false)).session();
  await twin.state.load(saved);
  expect(await decode(session, MORE)).toEqual(await decode(twin, MORE));
  expect(model.engine.ffn.report()?.core).toMatchObject({ made: "none" });
  await session.append(PROMPT);
  expect(model.engine.ffn.report()?.core).toMatchObject({ made: "stable", tokens: PROMPT.length });
});
