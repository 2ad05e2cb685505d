// The Verilated core against the twin: the same bytes back for the same bytes there, the same clocks, the same memories; with the vendor's models of
// its cells too. Its faults are those of a real line.
import { type ChildProcess, spawn } from "node:child_process";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { createRandom, type Random } from "../../../runtime/num/random.ts";
import { encodeFrame, FRAME_TYPES } from "../../../targets/devices/fpga/link/frame.ts";
import type { Line } from "../../../targets/devices/fpga/link/line.ts";
import { encodeWrite, MEMORIES, OPS } from "../../../targets/devices/fpga/link/protocol.ts";
import { DeviceReset, Session } from "../../../targets/devices/fpga/link/session.ts";
import { encodeLayer, type Layer } from "../../../targets/devices/fpga/twin/layer.ts";
import { twinLine } from "../../../targets/devices/fpga/twin/line.ts";
import { buildSimulator, type Level, lacksSimulator, simulatorLine } from "../../../targets/hosts/node/simulator.ts";
import { burst } from "../../../tools/goals/fpga/bursts.ts";
import { expected, ladder, runJob } from "../../../tools/goals/fpga/ladder.ts";
import { plainTwin } from "./line.ts";

const lines: Line[] = [];
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const l of lines.splice(0)) await l.close();
  for (const c of children.splice(0)) c.kill();
});

const programs = new Map<Level, string>();
const missing = new Map<Level, string | undefined>();
const BUILD_MS = 240_000;

beforeAll(async () => {
  for (const level of ["rtl", "cells"] as const) {
    missing.set(level, await lacksSimulator(level));
    if (!missing.get(level)) programs.set(level, await buildSimulator(level));
  }
}, BUILD_MS);

/** A line to a simulator; skips the test where there is none. */
function simulated(skip: (why: string) => void, level: Level = "rtl", faults: readonly string[] = []): Line {
  const why = missing.get(level);
  if (why) skip(why);
  const line = simulatorLine(programs.get(level) as string, faults);
  lines.push(line);
  return line;
}

describe.each(["rtl", "cells"] as const)("%s", (level) => {
  test("gives what twin and reference give over the whole ladder, in as many clocks as the twin says", async ({ skip }) => {
    const core = await Session.open(simulated(skip, level));
    const twin = await Session.open(twinLine(plainTwin()));
    expect(core.hello).toEqual(twin.hello);
    for (const job of ladder()) {
      const outcome = await runJob(core, job);
      expect(outcome.values, job.name).toEqual(expected(job));
      expect(outcome, job.name).toEqual(await runJob(twin, job));
    }
    for (const memory of ["weights", "activations", "parameters"] as const)
      expect(await core.sum(memory, 0, core.hello.words[memory]), memory).toBe(await twin.sum(memory, 0, core.hello.words[memory]));
  }, 60_000);
});

/** Anything anywhere. */
const WILD = { words: 31, address: (random: Random) => random.below(65536), first: () => 0 };

test("the core answers 600 bursts of good, damaged, cut and foreign bytes with the twin's very bytes", async ({ skip }) => {
  const core = simulated(skip);
  const twin = twinLine(plainTwin());
  const random = createRandom(77);
  const layer: Layer = { mode: "int8", rows: 3, steps: 4, weights: 0, activations: 0, results: 200, parameters: 4, requantise: true, relu: false };
  let seq = 1;
  const both = async (bytes: Uint8Array) => {
    const answers = [];
    for (const line of [core, twin]) {
      await line.write(bytes);
      const all: number[] = [];
      for (let part = await line.read(1); ; part = await line.read(1)) {
        all.push(...part);
        if (part.length === 0) break;
      }
      answers.push(Buffer.from(all).toString("hex"));
    }
    expect(answers[0]).toBe(answers[1]);
    return answers[0];
  };
  const request = (op: number, payload: Uint8Array) => encodeFrame({ type: FRAME_TYPES.request, op, seq, flags: 0, payload });
  await both(request(OPS.status, new Uint8Array(0)));
  await both(request(OPS.hello, new Uint8Array(0)));
  seq++;
  await both(request(OPS.write, encodeWrite(MEMORIES.parameters, 0, encodeLayer(layer))));
  seq++;
  for (let i = 0; i < 600; i++) {
    const answer = await both(burst(random, seq, WILD));
    // the sequence goes on where the core did something: a reply to `seq`
    if (answer.startsWith(`a55a12`) && Number.parseInt(answer.slice(8, 10), 16) === seq) seq = (seq + 1) & 255;
  }
}, 120_000);

describe("faults", () => {
  const data = Uint8Array.from({ length: 800 }, (_, i) => (i * 31) & 255);
  const through = async (line: Line) => {
    const session = await Session.open(line);
    await session.write("weights", 0, data);
    expect(await session.read("weights", 0, 100)).toEqual(data);
    return session.traffic.repeats;
  };

  test.each([
    ["bit flips and lost bytes", ["--flip", "0.004", "--drop", "0.004"], 1],
    ["a host 3 % fast", ["--baud", "1.03"], 0],
    ["a host 3 % slow", ["--baud", "0.97"], 0],
    ["an adapter that holds 300 bytes", ["--overrun", "300"], 1],
  ])("%s", async (_, faults, repeats) => {
    const line = simulated((why) => expect(why).toBeDefined(), "rtl", faults as string[]);
    const had = await through(line);
    if (repeats) expect(had).toBeGreaterThan(0);
    else expect(had).toBe(0);
  });

  test("a core that does not end its work is given up, with a word on why", async ({ skip }) => {
    const session = await Session.open(simulated(skip, "rtl", ["--work", "20000"]));
    await session.sum("weights", 0, 100);
    await expect(session.sum("weights", 0, 4000)).rejects.toMatchObject({ code: "device.lost", message: expect.stringContaining("more clocks than --work allows") });
  });

  test("a reset in the middle of a frame ends the session, not the memories", async ({ skip }) => {
    const session = await Session.open(simulated(skip, "rtl", ["--reset", "700"]));
    await expect(session.write("weights", 0, data)).rejects.toBeInstanceOf(DeviceReset);
    await session.reopen();
    expect(await session.read("weights", 0, 31)).toEqual(data.subarray(0, 248));
    await session.write("weights", 0, data);
    expect(await session.read("weights", 0, 100)).toEqual(data);
  });
});

test("the simulator is a terminal too", async ({ skip }) => {
  const why = missing.get("rtl");
  if (why) skip(why);
  const child = spawn(programs.get("rtl") as string, ["--pty"], { stdio: ["pipe", "pipe", "inherit"] });
  children.push(child);
  const name = await new Promise<string>((resolve) => child.stdout.once("data", (d) => resolve(String(d).trim())));
  expect(name).toMatch(/^\/dev\/pts\/\d+$/);
  child.stdin.end();
  expect(await new Promise((resolve) => child.once("exit", resolve))).toBe(0);
});
