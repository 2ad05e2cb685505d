// The engine: a graph lowered to its plans, in memory on a device. Steps in, logits out; knows positions, not text.
//   decode    one token            prefill   up to `batch` tokens, logits of the last
//   score     up to `batch` tokens, logits of all       diagnose  one token, with the residual stream copied out
import { SkintError } from "../errors.ts";
import { isMatrix, isPlainState, isRecurrent } from "../graph/formats.ts";
import type { Graph, TensorDef } from "../graph/types.ts";
import { peaksOf } from "../ops/peaks/op.ts";
import { fillRopeTable } from "../ops/rope/table.ts";
import type { Device, Program } from "../plan/device.ts";
import { lower } from "../plan/lower.ts";
import { type MemoryMap, memoryMap } from "../plan/memory.ts";
import { PEAKS } from "../plan/passes.ts";
import type { Plan } from "../plan/types.ts";

import { Ffn } from "./ffn.ts";

export interface EngineOptions {
  /** Positions of context to make room for. */
  readonly context: number;
  /** Most tokens of a prefill step. */
  readonly batch: number;
  readonly fuse: boolean;
  /** Plans beside decode and prefill. */
  readonly score: boolean;
  /** Points copied out by every plan (`tap:<point>` outputs). */
  readonly taps: readonly string[];
  /** Share of a feed-forward layer's neurons for whose rows there is room apart (runtime/session/compact.ts); default: no room. */
  readonly core?: number;
}

/** A text that is in the caches. */
export interface Holder {
  /** The caches are about to become another's. */
  leave(): void;
}

export type PlanName = "decode" | "prefill" | "score" | "diagnose";

export class Engine {
  readonly program: Program;
  readonly plans: readonly Plan[];
  readonly map: MemoryMap;
  /** Feed-forward layers that can leave out neurons. */
  readonly ffn: Ffn;
  private holder: Holder | undefined;
  private readonly tokens: Uint32Array;
  /** Positions of the step, for models that learn them. */
  private readonly positions: Uint32Array | undefined;
  private readonly logits: Float32Array;
  /** Of the last decode or prefill: the greatest of each SPAN logits, NaN where one of them is not finite (runtime/ops/peaks). */
  readonly peaks: Float32Array;
  /** States that hold a summary of the text instead of its positions. */
  private readonly summaries: readonly TensorDef[];
  /** Tokens that went into them; NaN while a step runs. */
  private fed = 0;

  constructor(
    readonly graph: Graph,
    readonly device: Device,
    readonly options: EngineOptions,
  ) {
    this.plans = planAll(graph, device.kernels, options);
    this.map = memoryMap(this.plans);
    this.program = device.allocate(this.map, this.plans);
    this.ffn = new Ffn(graph, this.program, this.plans);
    this.tokens = asU32(this.program.view("tokens"));
    if (graph.tensors.some((t) => t.name === "positions" && t.role === "input")) this.positions = asU32(this.program.view("positions"));
    this.logits = asF32(this.program.view(graph.points.logits));
    this.summaries = graph.tensors.filter(isRecurrent);
    this.peaks = asF32(this.program.view(PEAKS)).subarray(0, peaksOf(graph.vocab));
    for (const t of graph.tensors) if (t.constant) fillRopeTable(asF32(this.program.view(t.name)), options.context, t.constant.frequencies, t.constant.scale);
  }

  /** Weights in the order of memory. */
  get weights(): TensorDef[] {
    const at = (t: TensorDef) => this.map.tensors.get(t.name)?.offset ?? 0;
    return this.graph.tensors.filter((t) => t.role === "weight").sort((a, b) => at(a) - at(b));
  }

  /** Places for the weights, by name, each with the padding a file has. */
  placements(): Map<string, Uint8Array> {
    return new Map(this.weights.map((t) => [t.name, this.program.view(t.name)]));
  }

  /** Is a text kept as a summary, that can go on but not back? */
  get recurrent(): boolean {
    return this.summaries.length > 0;
  }

  /** Whose text is in the caches. */
  heldBy(who: Holder): boolean {
    return this.holder === who;
  }

  /** Gives the caches to another text, or to none; who held them is told before. */
  take(who: Holder | undefined): void {
    if (this.holder !== who) this.holder?.leave();
    this.holder = who;
  }

  /** Recurrent states by name. */
  get states(): { readonly name: string; readonly format: string; readonly bytes: Uint8Array }[] {
    return this.summaries.map(({ name, format }) => ({ name, format, bytes: this.program.view(name) }));
  }

  get stateBytes(): number {
    return this.states.reduce((sum, s) => sum + s.bytes.length, 0);
  }

  /** All recurrent states, one behind the other, into `into` if it is given. */
  copyStates(into?: Uint8Array): Uint8Array {
    const out = into ?? new Uint8Array(this.stateBytes);
    let at = 0;
    for (const { bytes } of this.states) {
      out.set(bytes, at);
      at += bytes.length;
    }
    return out;
  }

  /** Name of the first state in what `copyStates` gave that holds a number that is not finite. */
  findDamage(copy: Uint8Array): string | undefined {
    let at = 0;
    for (const { name, format, bytes } of this.states) {
      const part = copy.slice(at, at + bytes.length);
      at += bytes.length;
      if (isPlainState(format) && !new Float32Array(part.buffer).every(Number.isFinite)) return name;
    }
    return undefined;
  }

  /** Puts back what `copyStates` gave behind the first `fed` tokens of a text. */
  putStates(from: Uint8Array, fed: number): void {
    let at = 0;
    for (const { bytes } of this.states) {
      bytes.set(from.subarray(at, at + bytes.length));
      at += bytes.length;
    }
    this.fed = fed;
  }

  /** Position at which a text goes on that shares its first `shared` tokens with the one that was fed: a recurrent model starts anew if it must go back. */
  resume(shared: number): number {
    return this.summaries.length === 0 || shared === this.fed ? shared : 0;
  }

  /**
   * Feeds tokens (at most `batch`, one for decode and diagnose) that stand at positions pos, pos + 1, …; returns a view of the logits
   * f32 [rows, vocab] that the next call overwrites: one row, or for `score` one a token. A recurrent model takes position 0 for the
   * beginning of a text, any other only if it is the next one.
   */
  async run(plan: PlanName, tokens: Uint32Array, pos: number): Promise<Float32Array> {
    const rows = plan === "score" ? tokens.length : 1;
    const vocab = this.graph.vocab;
    const outside = tokens.findIndex((t) => t >= vocab);
    if (outside >= 0)
      throw new SkintError("session.token", `token ${tokens[outside]} at position ${pos + outside} is outside the vocabulary of ${vocab}; use the tokenizer of this model`);
    if (pos + tokens.length > this.options.context)
      throw new SkintError(
        "session.context",
        `position ${pos + tokens.length} is beyond the context of ${this.options.context}; load with a longer context (the model allows ${this.graph.context}) or start anew`,
      );
    this.stand(pos);
    this.tokens.set(tokens);
    if (this.positions) for (let i = 0; i < tokens.length; i++) this.positions[i] = pos + i;
    this.program.setSlot("T", tokens.length);
    this.program.setSlot("L", rows);
    this.program.setSlot("pos", pos);
    await this.program.execute(plan);
    this.fed = pos + tokens.length;
    return this.logits.subarray(0, rows * vocab);
  }

  /** Recurrent states as they are before position `pos`. */
  private stand(pos: number): void {
    if (this.summaries.length === 0) return;
    if (pos === 0) for (const t of this.summaries) this.program.view(t.name).fill(0);
    else if (pos !== this.fed)
      throw new SkintError("session.failed", `the state of this model stands at position ${this.fed} and cannot go to ${pos}; feed the whole text again`, { what: "state" });
    this.fed = Number.NaN;
  }

  /** A tap's output as f32 [rows · width]. */
  tap(point: string): Float32Array {
    return asF32(this.program.view(`tap:${point}`));
  }

  /** Points at the end of each layer, in order: where `diagnose` looks. */
  get residuals(): string[] {
    return Object.keys(this.graph.points).filter((p) => /^layers\.\d+\.out$/.test(p));
  }

  /** Bytes of packed weights. */
  get weightBytes(): number {
    return this.weights.reduce((sum, t) => sum + this.program.view(t.name).length, 0);
  }
}

function planAll(graph: Graph, kernels: readonly string[], o: EngineOptions): Plan[] {
  const one = { T: 1, L: 1, C: o.context };
  const many = { T: o.batch, L: 1, C: o.context };
  const common = { kernels, fuse: o.fuse, logits: "last" as const, taps: o.taps, core: o.core };
  const residuals = Object.keys(graph.points).filter((p) => /^layers\.\d+\.out$/.test(p));
  return [
    lower(graph, { ...common, name: "decode", symbols: one }),
    lower(graph, { ...common, name: "prefill", symbols: many }),
    lower(graph, { ...common, name: "diagnose", symbols: one, taps: [...new Set([...o.taps, ...residuals])] }),
    ...(o.score ? [lower(graph, { ...common, name: "score", symbols: { ...many, L: o.batch }, logits: "all" as const })] : []),
  ];
}

const asF32 = (b: Uint8Array<ArrayBufferLike>) => new Float32Array(b.buffer, b.byteOffset, b.length / 4);
const asU32 = (b: Uint8Array<ArrayBufferLike>) => new Uint32Array(b.buffer, b.byteOffset, b.length / 4);

/** Bytes of the weights by scheme, for cards and tables. */
export function bytesByScheme(engine: Engine): Map<string, number> {
  const sums = new Map<string, number>();
  for (const t of engine.weights) {
    const key = isMatrix(t) ? t.format : "vectors";
    sums.set(key, (sums.get(key) ?? 0) + engine.program.view(t.name).length);
  }
  return sums;
}
