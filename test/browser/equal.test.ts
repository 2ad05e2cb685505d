// Chromium gives the bits that Node gives: recipes, builds, threads on and off, under a strict Content-Security-Policy.
import { beforeAll, expect, test } from "vitest";
import "./door.ts";
import { fixture } from "./fixture.ts";
import { PROMPT, RECIPES, type Run, runInNode } from "./models.ts";
import { runInPage } from "./run.ts";

const f = fixture();
const node = new Map<string, Run>();
beforeAll(async () => {
  for (const [name, bytes] of f.packs ?? []) node.set(name, await runInNode(bytes, { isa: "scalar", threads: 1 }));
}, 120_000);

const CASES = RECIPES.flatMap((recipe) => (["simd", "relaxed"] as const).flatMap((isa) => [1, 2].map((threads) => ({ recipe, isa, threads }))));

test.each(CASES)("$recipe on $isa with $threads threads", async ({ recipe, isa, threads }) => {
  const page = await f.page(threads > 1 ? f.isolated : f.plain);
  const name = `${recipe}.skint`;
  const { build, lanes, whySingle, run } = await page.evaluate(runInPage, { name, options: { isa, threads }, prompt: PROMPT });
  expect({ build, lanes }).toEqual({ build: threads > 1 ? `${isa}-threads` : isa, lanes: threads });
  if (threads > 1) expect(whySingle).toBeUndefined();
  else expect(whySingle).toMatch(/not cross-origin isolated.*Cross-Origin-Opener-Policy: same-origin.*Cross-Origin-Embedder-Policy: require-corp/);
  expect(run.tokens.length).toBe(64);
  expect(run).toEqual(node.get(name));
});

test("scalar too, and scores are the same as in Node", async () => {
  const page = await f.page(f.isolated);
  const scalar = await page.evaluate(runInPage, { name: "w4.skint", options: { isa: "scalar" }, prompt: PROMPT });
  expect(scalar.run).toEqual(node.get("w4.skint"));
  const { open } = await import("../support/tiny.ts");
  const options = { window: 40, stride: 20 };
  const model = await open(f.packs.get("w4.skint") as Uint8Array, { score: true });
  const want = await model.score(Uint32Array.from(PROMPT), options);
  model.close();
  const got = await page.evaluate(
    async ({ prompt, options }) => {
      const model = await skint.load("models/w4.skint", { score: true });
      const seen: number[] = [];
      const scores = await model.score(Uint32Array.from(prompt), { ...options, onProgress: (done) => seen.push(done) });
      model.close();
      return { scores: [...scores], seen };
    },
    { prompt: PROMPT, options },
  );
  expect(got.scores).toEqual([...want]);
  expect(got.seen.at(-1)).toBe(PROMPT.length - 1);
});

test("a state that a page saves goes on in Node, and one that Node saves in a page", async () => {
  const page = await f.page(f.isolated);
  const { open } = await import("../support/tiny.ts");
  const model = await open(f.packs.get("mamba.skint") as Uint8Array);
  const [first, second] = [PROMPT.slice(0, 50), PROMPT.slice(50)].map((p) => p.map((t) => t % 265));
  const session = model.session();
  await session.feed(Uint32Array.from(first));
  const saved = session.state.save();
  const want = [...(await session.append(Uint32Array.from(second)))];
  const got = await page.evaluate(
    async ({ saved, first, second }) => {
      const model = await skint.load("models/mamba.skint");
      const loaded = model.session();
      await loaded.state.load(Uint8Array.from(saved));
      const length = loaded.length;
      const fork = await loaded.state.fork();
      const logits = [...(await loaded.append(Uint32Array.from(second)))];
      const forked = [...(await fork.append(Uint32Array.from(second)))];
      const own = model.session();
      await own.feed(Uint32Array.from(first));
      const state = [...(await own.state.save())];
      const refused = await own.state.load(new Uint8Array(3)).catch((e) => e.code);
      model.close();
      return { length, logits, forked, state, refused };
    },
    { saved: [...saved], first, second },
  );
  expect(got).toMatchObject({ length: 50, logits: want, forked: want, refused: "format.truncated" });
  const back = model.session();
  await back.state.load(Uint8Array.from(got.state));
  expect([...(await back.append(Uint32Array.from(second)))]).toEqual(want);
  model.close();
});
