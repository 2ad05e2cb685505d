// How far the states of selective scans wander: those of an f32 model from the same recurrence in f64, and those of another model of its shape from the
// f32 model's. Both models read the same tokens; states are looked at every so many. Distances are relative, ‖h − h'‖ / ‖h'‖ over all layers.
import { SkintError, throwIfAborted } from "../../runtime/errors.ts";
import type { GraphNode } from "../../runtime/graph/types.ts";
import { SCHEMES } from "../../runtime/quant/catalogue.gen.ts";
import { BLOCK_ROWS } from "../../runtime/quant/scheme.ts";
import { Engine } from "../../runtime/session/engine.ts";
import type { Model } from "../../runtime/session/model.ts";
import { withCopies } from "../compress/calibrate/copies.ts";

export interface Drift {
  /** Tokens read when it was looked. */
  readonly tokens: number;
  /** f32 from f64. */
  readonly f64: number;
  /** The other model from f32. */
  readonly against?: number;
}

/** Tokens of a step. */
const BATCH = 64;

/** Inputs of the recurrence that f64 is given too. */
const INPUTS = ["x", "dt", "b"] as const;

const scansOf = ({ graph }: Engine): GraphNode[] => graph.nodes.filter((n) => n.op === "scan");

const asF32 = (bytes: Uint8Array) => new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);

/** h [channels, states] of a scan as numbers, whatever its variant keeps. */
export function stateOf({ program }: Engine, { tensors, attrs, variant }: GraphNode): Float32Array {
  const { channels, states } = attrs as Record<string, number>;
  const bytes = program.view(tensors.hidden);
  if (variant !== "i8i8") return SCHEMES.f32.decode(bytes, channels, states);
  const codes = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  const range = asF32(program.view(tensors.rangehidden));
  return Float32Array.from({ length: channels * states }, (_, at) => {
    const [i, n] = [Math.floor(at / states), at % states];
    return (codes[(Math.floor(i / BLOCK_ROWS) * states + n) * BLOCK_ROWS + (i % BLOCK_ROWS)] * range[n]) / 127;
  });
}

/** The recurrence of one scan in f64 (runtime/ops/scan/op.ts), of what the f32 model gives it. */
class Exact {
  readonly h: Float64Array;
  private readonly a: Float32Array;
  private readonly bias: Float32Array;

  constructor(
    private readonly engine: Engine,
    private readonly scan: GraphNode,
  ) {
    const { channels, states } = scan.attrs as Record<string, number>;
    this.h = new Float64Array(channels * states);
    this.a = SCHEMES.f32.decode(engine.program.view(scan.tensors.a), channels, states);
    this.bias = asF32(engine.program.view(scan.tensors.bias)).slice();
  }

  step(rows: number): void {
    const { channels, states } = this.scan.attrs as Record<string, number>;
    const [x, dt, b] = INPUTS.map((field) => this.engine.tap(`${this.scan.name}.${field}`));
    for (let r = 0; r < rows; r++)
      for (let i = 0; i < channels; i++) {
        const delta = Math.log1p(Math.exp(dt[r * channels + i] + this.bias[i]));
        const input = delta * x[r * channels + i];
        for (let n = 0; n < states; n++) {
          const at = i * states + n;
          this.h[at] = Math.exp(delta * this.a[at]) * this.h[at] + input * b[r * states + n];
        }
      }
  }
}

/** The engine of a model with its scans' inputs copied out. */
function observed({ engine, name }: Model): Engine {
  const scans = scansOf(engine);
  if (scans.length === 0 || scans.some((n) => n.variant !== "f32"))
    throw new SkintError("usage", `${name} has no selective scans in f32; give a Mamba model of the recipe f32 first`, { what: name });
  const copies = scans.flatMap((n) => INPUTS.map((field) => ({ point: `${n.name}.${field}`, tensor: n.tensors[field], before: n.name })));
  const made = new Engine(withCopies(engine.graph, copies), engine.device, { ...engine.options, batch: BATCH, taps: [] });
  for (const t of engine.weights) made.program.view(t.name).set(engine.program.view(t.name));
  return made;
}

/** Σ (got − want)² and Σ want². */
function distance(got: ArrayLike<number>, want: ArrayLike<number>): [number, number] {
  let [apart, all] = [0, 0];
  for (let i = 0; i < want.length; i++) {
    apart += (got[i] - want[i]) ** 2;
    all += want[i] ** 2;
  }
  return [apart, all];
}

const relative = (parts: readonly [number, number][]) => Math.sqrt(parts.reduce((s, [apart]) => s + apart, 0) / parts.reduce((s, [, all]) => s + all, 0));

export interface DriftOptions {
  /** Tokens between two looks, rounded up to whole steps. */
  readonly every: number;
  readonly signal: AbortSignal;
  onToken(read: number): void;
}

/**
 * @param model with selective scans in f32
 * @param other of the same shape, in any precision
 * @param text token ids
 */
export async function driftOf(model: Model, other: Model | undefined, text: Uint32Array, o: DriftOptions): Promise<Drift[]> {
  const engine = observed(model);
  try {
    const scans = scansOf(engine);
    const theirs = other ? scansOf(other.engine) : [];
    if (other && theirs.map((n) => `${n.name} ${n.attrs.channels} ${n.attrs.states}`).join() !== scans.map((n) => `${n.name} ${n.attrs.channels} ${n.attrs.states}`).join())
      throw new SkintError("usage", `${other.name} and ${model.name} do not have the same scans; compare models of one shape`, { what: other.name });
    const exact = scans.map((n) => new Exact(engine, n));
    const found: Drift[] = [];
    for (let at = 0, next = 0; at < text.length; at += BATCH) {
      throwIfAborted(o.signal, "measuring drift");
      const step = text.subarray(at, at + BATCH);
      await engine.run("prefill", step, at);
      for (const e of exact) e.step(step.length);
      if (other) await readInto(other.engine, step, at);
      const tokens = at + step.length;
      o.onToken(tokens);
      if (tokens < next && tokens < text.length) continue;
      next = tokens + o.every;
      const states = scans.map((n) => stateOf(engine, n));
      found.push({
        tokens,
        f64: relative(states.map((h, i) => distance(h, exact[i].h))),
        ...(other ? { against: relative(theirs.map((n, i) => distance(stateOf(other.engine, n), states[i]))) } : {}),
      });
    }
    return found;
  } finally {
    engine.program.close();
  }
}

/** Feeds tokens in steps that the engine can take. */
async function readInto(engine: Engine, tokens: Uint32Array, pos: number): Promise<void> {
  const { batch } = engine.options;
  for (let at = 0; at < tokens.length; at += batch) await engine.run("prefill", tokens.subarray(at, at + batch), pos + at);
}
