// What a careful flasher never does to a flash, counted by the twins' memories: programming what is not erased, wrapping round in a page, leaving
// the user's region, writing without the latch, talking to a chip that is at work.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LineProtocol, Target, Twin } from "../../../targets/flash/protocol.ts";
import { TARGETS, targetOf } from "../../../targets/flash/targets.ts";
import { buildLoader, loaderSimulator } from "../../../targets/hosts/node/loader-simulator.ts";
import { lacksSimulator } from "../../../targets/hosts/node/simulator.ts";
import type { GoalContext, Measured } from "../goal.ts";
import { flashOver, holds, madeUp } from "./cutting.ts";

/** Adds a twin's violations to what there were. */
function sumOf(twin: Twin, into: Map<string, number>): void {
  for (const [name, n] of Object.entries(twin.violations)) into.set(name, (into.get(name) ?? 0) + n);
}

/** Of the region: one byte, a part of a sector, all of it. */
const SHARES = [0, 0.37, 1];

async function take(twin: Twin, board: string, all: Map<string, number>, note: GoalContext["note"]): Promise<void> {
  const { target, protocol } = targetOf(board) as { target: Target; protocol: LineProtocol };
  const size = Math.min(200_000, target.region.end - target.region.start);
  for (const [i, share] of SHARES.entries()) {
    const image = madeUp(target, Math.max(1, Math.round(share * size)), i + 1);
    await flashOver(twin.line, protocol, target, image);
    if (!holds(twin, image)) note(`flash.nor: ${board} did not take an image of ${image.bytes.length} bytes`);
    twin.reset();
  }
  sumOf(twin, all);
}

/** The resident loader in Verilog before the flash in C++. */
async function takeVerilated(all: Map<string, number>, { signal, note }: GoalContext): Promise<string> {
  const why = await lacksSimulator("loader");
  if (why) return why;
  const folder = mkdtempSync(join(tmpdir(), "skint-nor-"));
  const twin = loaderSimulator(await buildLoader(targetOf("icebreaker").target, signal), folder);
  try {
    await take(twin, "icebreaker", all, note);
    return "the Verilated loader";
  } finally {
    await twin.line.close();
    rmSync(folder, { recursive: true });
  }
}

export async function violations(context: GoalContext): Promise<Measured> {
  const all = new Map<string, number>();
  const boards = [...TARGETS.keys()].filter((name) => targetOf(name).protocol.kind === "line");
  for (const name of boards) {
    const { target, protocol } = targetOf(name) as { target: Target; protocol: LineProtocol };
    await take(protocol.twin(target), name, all, context.note);
  }
  boards.push(await takeVerilated(all, context));
  const kinds = [...all].map(([what, n]) => `${what} ${n}`).join(", ");
  return { value: [...all.values()].reduce((a, b) => a + b, 0), note: `${boards.join(", ")}, three images each, one over the other: ${kinds}` };
}
