// What a careful flasher never does to a flash, counted by the twins' memories: programming what is not erased, wrapping round in a page, leaving
// the user's region, writing without the latch, talking to a chip that is at work.
import type { LineProtocol, Twin } from "../../../targets/flash/protocol.ts";
import { TARGETS, targetOf } from "../../../targets/flash/targets.ts";
import type { GoalContext, Measured } from "../goal.ts";
import { flashOver, holds, madeUp } from "./cuts.ts";

/** Adds a twin's violations to what there were. */
export function sumOf(twin: Twin, into: Map<string, number>): void {
  for (const [name, n] of Object.entries(twin.violations)) into.set(name, (into.get(name) ?? 0) + n);
}

/** Of the region: one byte, a part of a sector, all of it. */
const SHARES = [0, 0.37, 1];

export async function violations({ note }: GoalContext): Promise<Measured> {
  const all = new Map<string, number>();
  const boards: string[] = [];
  for (const name of TARGETS.keys()) {
    const { target, protocol } = targetOf(name);
    if (protocol.kind !== "line") continue;
    boards.push(name);
    const size = Math.min(200_000, target.region.end - target.region.start);
    const twin = protocol.twin(target);
    for (const [i, share] of SHARES.entries()) {
      const image = madeUp(target, Math.max(1, Math.round(share * size)), i + 1);
      await flashOver(twin.line, protocol as LineProtocol, target, image);
      if (!holds(twin, image)) note(`flash.nor: ${name} did not take an image of ${image.bytes.length} bytes`);
      twin.reset();
    }
    sumOf(twin, all);
  }
  const kinds = [...all].map(([what, n]) => `${what} ${n}`).join(", ");
  return { value: [...all.values()].reduce((a, b) => a + b, 0), note: `${boards.join(", ")}, three images each, one over the other: ${kinds}` };
}
