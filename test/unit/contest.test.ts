// Contests with other engines, as far as they need no other engine: the model all play, taking turns, figures, goals, and who is absent.
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SkintError } from "../../runtime/errors.ts";
import { fromContest, judge } from "../../tools/goals/byo/contests.ts";
import { divergence } from "../../tools/goals/byo/kl.ts";
import { goals } from "../../tools/goals/kernels/peers.ts";
import { fastest, type Outcome, playContest, type Row, rateOf, ratio } from "../peers/contest.ts";
import { CONTESTS, type Contest, type Entrant } from "../peers/entrants.ts";
import { type Player, promptTokens, startProcess, startScript, type Work } from "../peers/players/player.ts";
import { Stage } from "../peers/stage.ts";
import { SMOL, syntheticFile, syntheticGguf } from "../peers/synthetic.ts";

const folder = mkdtempSync(join(tmpdir(), "skint-contest-"));
const kept = { SKINT_CACHE: process.env.SKINT_CACHE, SKINT_PEERS: process.env.SKINT_PEERS };
beforeAll(() => {
  process.env.SKINT_CACHE = folder;
  process.env.SKINT_PEERS = folder;
});
afterAll(() => {
  for (const [key, value] of Object.entries(kept)) {
    if (value === undefined) delete process.env[key];
    else process.env[key] = value;
  }
  rmSync(folder, { recursive: true, force: true });
});

const SMALL = { ...SMOL, layers: 2, width: 64, heads: 2, kvHeads: 1, hidden: 96, vocab: 300, context: 1024 };

describe("the synthetic model", () => {
  test("same shape, same bytes; another seed, other bytes; kept in the cache by its shape", async () => {
    expect(syntheticGguf(SMALL)).toEqual(syntheticGguf(SMALL));
    expect(syntheticGguf(SMALL)).not.toEqual(syntheticGguf({ ...SMALL, seed: 2 }));
    const path = await syntheticFile(SMALL);
    const { mtimeMs } = statSync(path);
    expect(await syntheticFile(SMALL)).toBe(path);
    expect(statSync(path).mtimeMs).toBe(mtimeMs);
    expect(await syntheticFile({ ...SMALL, seed: 2 })).not.toBe(path);
    expect(readdirSync(join(folder, "peers")).length).toBe(2);
  });

  test("every matrix is Q4_0; a byte of a text is a token", async () => {
    const { openGguf } = await import("../../runtime/formats/gguf/open.ts");
    const { memorySource } = await import("../../runtime/io/source.ts");
    const { tokenizerFromGguf } = await import("../../runtime/text/gguf/tokenizer.ts");
    const { createTokenizer } = await import("../../runtime/text/tokenizer.ts");
    const file = await openGguf(memorySource(syntheticGguf(SMALL), "small.gguf"));
    for (const { name, dtype, shape } of file.tensors.values()) expect(dtype, name).toBe(shape.length > 1 ? "Q4_0" : "F32");
    const { tokenizer, config } = tokenizerFromGguf(file.metadata);
    expect([...createTokenizer(JSON.stringify(tokenizer), JSON.stringify(config)).encode("!z<")]).toEqual([3 + 33, 3 + 122, 3 + 60]);
  });

  test("Skint plays it in a process of its own; what it cannot play ends it", { timeout: 120_000 }, async () => {
    const stage = new Stage({ shape: SMALL });
    try {
      const player = await startScript("skint", "skint-node.ts", [await stage.pack("source"), "1", "simd"]);
      expect(player.engine).toMatch(/^Skint simd, Node \d/);
      for (const work of [
        { prompt: 70, decode: 5 },
        { prompt: 512, decode: 0 },
      ])
        expect((await player.play(work)).prefillMs).toBeGreaterThan(0);
      await expect(player.play({ prompt: 1025, decode: 0 })).rejects.toMatchObject({ code: "session.failed", message: expect.stringContaining("1025 tokens") });
      await player.close();
    } finally {
      await stage.close();
    }
  });
});

test("a player that dies says why, and one that cannot start too", async () => {
  const start = (...args: string[]) => startProcess("it", process.execPath, args);
  await expect(start("-e", "console.error('no model'); process.exit(1)")).rejects.toMatchObject({ code: "session.failed", message: expect.stringContaining("no model") });
  await expect(startProcess("it", join(folder, "nothing"), [])).rejects.toMatchObject({ code: "session.failed", message: expect.stringContaining("ENOENT") });
  const player = await start("-e", "console.log('{\"engine\":\"a  b\"}'); process.stdin.once('data', () => process.exit(1))");
  expect(player.engine).toBe("a b");
  await expect(player.play({ prompt: 1, decode: 1 })).rejects.toMatchObject({ code: "session.failed" });
  await player.close();
});

/** Plays by a script: the milliseconds of each play in turn; keeps what it was asked. */
function scripted(id: string, times: readonly number[], asked: string[]): Entrant {
  let at = 0;
  const player: Player = {
    engine: `${id} 1.0`,
    async play({ prompt, decode }) {
      asked.push(`${id} ${prompt} ${decode}`);
      const ms = times[at++ % times.length];
      return { prefillMs: ms, decodeMs: 2 * ms };
    },
    async close() {
      asked.push(`${id} closed`);
    },
  };
  return { id, open: async () => player };
}

const lacking = (id: string, error: Error): Entrant => ({ id, open: () => Promise.reject(error) });
const contest = (entrants: readonly Entrant[], rounds = 2): Contest => ({ name: "c", threads: 1, works: { decode: { prompt: 4, decode: 10 } }, rounds, entrants });

describe("a contest", () => {
  test("warms up, then all play in turn, each round beginning with the next; all are closed", async () => {
    const asked: string[] = [];
    await playContest(contest([scripted("a", [1], asked), scripted("b", [1], asked)]), new Stage());
    expect(asked.map((line) => line.split(" ")[0])).toEqual(["a", "b", "a", "b", "b", "a", "a", "b"]);
    expect(asked.slice(-2)).toEqual(["a closed", "b closed"]);
  });

  test("rates leave out the warm-up; an absent entrant is reported and the others play", async () => {
    const { rows, absent } = await playContest(contest([scripted("llama", [1000, 5, 10], []), lacking("peer", new SkintError("file.missing", "install it"))]), new Stage());
    expect(rows).toMatchObject([{ entrant: "llama", engine: "llama 1.0", figure: "decode", rates: [1000, 500], median: 750, min: 500, max: 1000 }]);
    expect(absent).toEqual([{ contest: "c", entrant: "peer", reason: "install it" }]);
  });

  test("without a peer nothing is loaded or played", async () => {
    const asked: string[] = [];
    const { rows, absent } = await playContest(contest([scripted("skint", [1], asked), lacking("peer", new SkintError("file.missing", "install it"))]), new Stage());
    expect([rows, absent.length, asked]).toEqual([[], 1, []]);
  });

  test("a failure that is no absence ends it, and who has loaded is closed", async () => {
    const asked: string[] = [];
    await expect(playContest(contest([scripted("a", [1], asked), lacking("b", new SkintError("session.failed", "crashed"))]), new Stage())).rejects.toThrow("crashed");
    expect(asked).toEqual(["a closed"]);
  });

  test("it stops when asked to", async () => {
    await expect(playContest(contest([scripted("a", [1], [])]), new Stage(), { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "aborted" });
  });

  test("a work that decodes counts what was decoded, one that does not what was read", () => {
    const rate = (work: Work) => rateOf(work, { prefillMs: 100, decodeMs: 50 });
    expect([rate({ prompt: 128, decode: 10 }), rate({ prompt: 128, decode: 0 })]).toEqual([200, 1280]);
  });
});

describe("goals out of a contest", () => {
  const outcome = async (...entrants: Entrant[]): Promise<Outcome> => playContest(contest(entrants, 3), new Stage());
  const comparison = { contest: "c", figure: "decode", ours: "skint int4" };

  test("our median over the faster peer's, whatever else of ours was faster", async () => {
    const o = await outcome(scripted("skint int4", [2], []), scripted("skint w4", [1], []), scripted("slow", [8], []), scripted("fast", [4], []));
    expect(fastest(o.rows.filter((r) => !r.entrant.startsWith("skint")))?.entrant).toBe("fast");
    const [fast, ours] = ["fast", "skint int4"].map((id) => o.rows.find(({ entrant }) => entrant === id) as Row);
    expect(ratio(ours, fast)).toEqual({ value: 2, low: 2, high: 2 });
    expect(judge(o, comparison)).toMatchObject({ value: 2, low: 2, high: 2, note: expect.stringContaining("skint int4 2500.0 over fast 1250.0") });
  });

  test("one peer of two is enough, and the note names the other; none is an absence, as is our own", async () => {
    const gone = (id: string) => lacking(id, new SkintError("device.unavailable", `no ${id} here`));
    const ours = scripted("skint int4", [2], []);
    expect(judge(await outcome(ours, gone("driver"), scripted("api", [4], [])), comparison)).toMatchObject({ value: 2, note: expect.stringContaining("no driver here") });
    expect(judge(await outcome(ours, gone("driver"), gone("api")), comparison)).toEqual({ absent: "no driver here" });
    expect(judge(await outcome({ ...ours, lacks: "this Node is too old" }, scripted("api", [4], [])), comparison)).toEqual({ absent: "this Node is too old" });
    await expect(outcome(gone("skint int4"), scripted("api", [4], []))).rejects.toThrow("no skint int4 here");
  });

  test("every goal names a contest, a work of it and one of us", () => {
    expect(goals.map(({ id }) => id)).toEqual(["native_1t", "native_2t", "native_simd_1t", "wllama_1t", "wllama_2t", "prefill_1t", "prefill_1t_rv"].map((id) => `kernels.${id}`));
    for (const { name, entrants, works } of CONTESTS) {
      expect(entrants.filter(({ id }) => !id.startsWith("skint")).length, name).toBe(2);
      expect(works, name).toHaveProperty("decode");
    }
    expect(fromContest(comparison)).toBeTypeOf("function");
  });
});

test("all engines are given the same tokens, none of them special", () => {
  const tokens = promptTokens(600);
  expect([tokens.length, Math.min(...tokens), Math.max(...tokens)]).toEqual([600, 3, 258]);
});

test("KL of two rows: nought for the same distribution, the textbook value otherwise", () => {
  const row = (...p: number[]) => Float32Array.from(p, Math.log);
  expect(
    divergence(
      row(0.5, 0.5),
      row(0.5, 0.5).map((v) => v + 7),
    ),
  ).toBeCloseTo(0, 6);
  expect(divergence(row(0.5, 0.5), row(0.25, 0.75))).toBeCloseTo(0.5 * Math.log(4 / 3), 6);
  expect(divergence(row(0.9, 0.1), row(0.1, 0.9))).toBeCloseTo(0.8 * Math.log(9), 6);
});
