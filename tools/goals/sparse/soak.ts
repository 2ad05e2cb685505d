// Does memory stay the same under mixed use? New prompts, decoding, readings that are stopped, switches of what feed-forward layers leave out, of tiny-relu.
import { memorySource } from "../../../runtime/io/source.ts";
import { createRandom } from "../../../runtime/num/random.ts";
import type { FfnOptions } from "../../../runtime/session/ffn.ts";
import { loadModel, type Model } from "../../../runtime/session/model.ts";
import type { Session } from "../../../runtime/session/session.ts";
import { openDevice, packFolder } from "../../cli/model.ts";
import type { GoalContext, Measured } from "../goal.ts";
import { reachable } from "../ssm/flat.ts";

const STEPS = 10_000;
/** Looks at the memory. */
const STRETCHES = 5;
const CONTEXT = 128;

const MODES: readonly FfnOptions[] = [
  { mode: "dense" },
  { mode: "exact" },
  { mode: "cett", eps: 0.01 },
  { mode: "topk", topk: 40 },
  { mode: "core" },
  { mode: "core", guide: "stable", beta: 0.3 },
  { mode: "core", guide: "stable", refresh: 3, window: 2 },
];

/** One step drawn at random; returns the session to go on with. */
async function mixed(model: Model, session: Session, random: ReturnType<typeof createRandom>): Promise<Session> {
  const { vocab } = model.engine.graph;
  const tokens = Uint32Array.from({ length: 1 + random.below(80) }, () => random.below(vocab));
  const what = random.below(20);
  if (what === 0) model.engine.ffn.set(MODES[random.below(MODES.length)]);
  else if (what === 1) return model.session();
  else if (what === 2) {
    const stop = new AbortController();
    const reading = session.feed(tokens, stop.signal).catch((e) => e);
    stop.abort();
    await reading;
  } else if (what < 5 || session.length === 0 || session.length === CONTEXT) await session.feed(tokens);
  else if (what === 5 && session.length + tokens.length < CONTEXT) await session.append(tokens);
  else await session.next(tokens[0]);
  return session;
}

/** Growth in bytes over `steps` mixed steps: of the device's memory, and of the heap in the stretch where it grew least, as V8 itself moves by some 10 kB. */
export async function soak(steps: number, signal?: AbortSignal): Promise<Measured> {
  const { env } = await openDevice({ threads: 1 });
  const model = await loadModel(memorySource(await packFolder("models/tiny-relu", env, "w4n"), "tiny-relu"), env, { context: CONTEXT, batch: 16 });
  try {
    const random = createRandom(7);
    const device = () => model.engine.program.view(model.engine.graph.points.logits).buffer.byteLength;
    const begin = device();
    let session = model.session();
    const heap: number[] = [];
    for (let step = 0; step <= steps; step++) {
      if (step % Math.ceil(steps / STRETCHES) === 0) {
        signal?.throwIfAborted();
        heap.push(reachable());
      }
      session = await mixed(model, session, random);
    }
    const stretches = heap.slice(1).map((bytes, i) => bytes - heap[i]);
    return { value: device() - begin + Math.max(0, Math.min(...stretches)), note: `${steps} steps; heap by stretch: ${stretches.map((b) => (b > 0 ? `+${b}` : b)).join(", ")}` };
  } finally {
    model.close();
  }
}

export const soakGoal = ({ signal }: GoalContext): Promise<Measured> => soak(STEPS, signal);
