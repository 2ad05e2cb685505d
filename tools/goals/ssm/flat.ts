// Does memory stay the same however long a text is? A stream of single tokens through one session of tiny-mamba.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { GoalContext, Measured } from "../goal.ts";
import { withTinyMamba } from "./models.ts";

const STEPS = 100_000;
/** Between two looks at the memory. */
const STRETCH = 10_000;

/** Bytes of objects that are still reachable. */
export function reachable(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  for (let i = 0; i < 3; i++) collect();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
}

/** Growth in bytes over all steps: of WebAssembly memory and a saved state, and of the heap in the stretch where it grew least. What a step keeps grows in each: 8 bytes a step are 80 kB, where V8 itself moves by some 10 kB. */
export async function growth({ signal }: GoalContext): Promise<Measured> {
  return withTinyMamba("f32", {}, async (model) => {
    const session = model.session();
    const { program, graph } = model.engine;
    await session.feed(Uint32Array.of(0));
    const fixed = () => program.view(graph.points.logits).buffer.byteLength + model.engine.copyStates().byteLength;
    const begin = fixed();
    const heap: number[] = [];
    for (let step = 0; step <= STEPS; step++) {
      if (step % STRETCH === 0) {
        signal.throwIfAborted();
        heap.push(reachable());
      }
      await session.next((step * 7919) % graph.vocab);
    }
    const stretches = heap.slice(1).map((bytes, i) => bytes - heap[i]);
    const least = Math.max(0, Math.min(...stretches));
    return {
      value: fixed() - begin + least,
      note: `${STEPS} steps, position ${session.length}; heap by ${STRETCH} steps: ${stretches.map((b) => (b > 0 ? `+${b}` : b)).join(", ")}`,
    };
  });
}
