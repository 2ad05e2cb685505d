// The calibration pass: segment after segment, tokens flow through the model as it will run, each linear's input is measured, its weights are
// compressed with what was learnt, and the compressed segment makes the inputs of the next. In memory are one segment's weights, its
// Gram matrices, and the values between two segments (tokens × width).
import { SkintError, throwIfAborted } from "../../../runtime/errors.ts";
import { isMatrix } from "../../../runtime/graph/formats.ts";
import type { Graph, TensorDef } from "../../../runtime/graph/types.ts";
import type { Device } from "../../../runtime/plan/device.ts";
import type { Linalg } from "../linalg/linalg.ts";
import type { FittedPath } from "../lowrank.ts";
import type { Calibrated, MatrixReport } from "../method.ts";
import { pathsOf, withoutLowRank, withRanks } from "../paths.ts";
import { withoutInt8 } from "../recurrent.ts";
import { withCopies } from "./copies.ts";
import { type Carried, SegmentRunner } from "./runner.ts";
import { type Segment, segmentsOf } from "./segments.ts";
import { countTokens, type Sequences } from "./sequences.ts";
import type { CalibrationState } from "./state.ts";
import { Collector, type InputStatistics, type Need } from "./statistics.ts";

export interface PassOptions {
  /** With the formats of the recipe. */
  readonly graph: Graph;
  readonly device: Device;
  readonly la: Linalg;
  readonly sequences: Sequences;
  readonly state: CalibrationState;
  /** Inputs come from segments that are compressed already, as the device will run them; else from the model as it was. */
  readonly compressedInputs: boolean;
  /** What a matrix's method and the path beside it want to know; nothing if they do without calibration. */
  needsOf(matrix: TensorDef): readonly Need[];
  /** Reads a weight as a device holds it in scheme f32 (vectors as they are), bytes handed to `write` in order. */
  readPlain(weight: TensorDef, write: (bytes: Uint8Array) => void): Promise<void>;
  /** Brings a matrix into its scheme, less what a path makes beside it. */
  compress(matrix: TensorDef, write: (bytes: Uint8Array) => void, calibrated?: Calibrated, beside?: Float32Array): Promise<MatrixReport>;
  /** Operands of a graph that are measured although no matrix reads them. */
  operands?(graph: Graph): readonly { readonly node: string; readonly field: string; readonly tensor: string; readonly need: Need }[];
  /** Bytes of other weights that are made of what was learnt of input x, by name. */
  derive?(x: string, inputs: InputStatistics): Promise<ReadonlyMap<string, Uint8Array>>;
  /** Makes the path beside the linears that share `down`, whose matrices `packedOf` has. */
  fit(down: string, packedOf: (matrix: TensorDef) => Promise<Uint8Array>, inputs?: InputStatistics, near?: FittedPath): Promise<FittedPath>;
  /** Is the path a part of the weights? It is then made first, and the matrix of what it leaves. */
  isPart(down: string): boolean;
  /** How often a path and the matrices beside it are made, each for what the other leaves. */
  turnsOf(down: string): number;
  readonly signal?: AbortSignal;
  /** Tokens × segments. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Compresses every matrix that needs calibration, and makes the paths of the segments that it runs through; the results are in the state. Returns
 * the names of those segments' nodes. Throws `recipe.invalid`, `session.nan`.
 */
export async function calibrate(o: PassOptions): Promise<ReadonlySet<string>> {
  const segments = segmentsOf(o.graph);
  const wanted = segments.map((s) => inputsWanted(o, s, segments));
  const last = wanted.findLastIndex((w) => w.size > 0);
  const runs = (i: number) => (wanted[i].size > 0 || !o.compressedInputs ? 1 : 0) + (o.compressedInputs && i < last ? 1 : 0);
  const tokens = countTokens([...o.sequences.fit, ...o.sequences.held]);
  const total = tokens * segments.slice(0, last + 1).reduce((sum, _, i) => sum + runs(i), 0);
  let done = tokens * segments.slice(0, o.state.finished).reduce((sum, _, i) => sum + runs(i), 0);
  const onProgress = (more: number) => {
    done += more;
    o.onProgress?.(done, total);
  };
  let carried = o.state.carried();
  for (let i = o.state.finished; i <= last; i++) {
    const pass = new SegmentPass({ ...o }, segments[i], wanted[i], carried, onProgress);
    carried = await pass.run(i < last);
  }
  return new Set(segments.slice(0, last + 1).flatMap((s) => s.graph.nodes.map((n) => n.name)));
}

/** A point whose tensor several matrices read: one statistic for all. */
interface Input {
  readonly point: string;
  readonly tensor: string;
  readonly needs: Set<Need>;
  readonly matrices: TensorDef[];
  /** The node before which it is measured, where it is no point of the graph. */
  readonly before?: string;
}

/** Inputs to be measured in a segment, by tensor. */
function inputsWanted(o: PassOptions, segment: Segment, all: readonly Segment[]): Map<string, Input> {
  const inputs = new Map<string, Input>();
  for (const t of segment.graph.tensors.filter(isMatrix)) {
    const needs = o.needsOf(t);
    if (needs.length === 0) continue;
    const readers = all.flatMap((s) => s.graph.nodes.filter((n) => Object.values(n.tensors).includes(t.name)));
    const [node] = readers;
    if (readers.length > 1 || node.op !== "linear")
      throw new SkintError(
        "recipe.invalid",
        `${t.name} is read by ${readers.map((n) => `${n.name} (${n.op})`).join(" and ")}; a method that calibrates takes weights of a single linear. Give it a rule with "method": "rtn"`,
        { what: t.name },
      );
    const input = inputs.get(node.tensors.x) ?? { point: `${node.name}.in`, tensor: node.tensors.x, needs: new Set(), matrices: [] };
    for (const need of needs) input.needs.add(need);
    input.matrices.push(t);
    inputs.set(node.tensors.x, input);
  }
  for (const { node, field, tensor, need } of o.operands?.(segment.graph) ?? []) {
    const input = inputs.get(tensor) ?? { point: `${node}.${field}`, tensor, needs: new Set(), matrices: [], before: node };
    input.needs.add(need);
    inputs.set(tensor, input);
  }
  return inputs;
}

interface CompressedMatrix {
  readonly packed: Uint8Array;
  readonly report: MatrixReport;
}

/** Relative squared output error that ends the turns: int8 activations cost more. */
const SETTLED = 1e-4;

/** Relative squared errors of the outputs beside a path, together. */
const leftBy = ({ reports }: FittedPath) => [...reports.values()].reduce((sum, r) => sum + (r.output?.predicted ?? 0), 0);

/** One segment's turn. */
class SegmentPass {
  private readonly packed = new Map<string, Uint8Array>();
  private readonly reports: MatrixReport[] = [];
  /** Ranks of the paths that are made, by `down`. */
  private readonly ranks = new Map<string, number>();

  constructor(
    private readonly o: PassOptions,
    private readonly segment: Segment,
    private readonly inputs: ReadonlyMap<string, Input>,
    private readonly carried: Carried,
    private readonly onProgress: (tokens: number) => void,
  ) {}

  /** Returns what the next segment reads, if there is one that matters. */
  async run(hasNext: boolean): Promise<Carried> {
    const { o } = this;
    let next: Carried = new Map();
    if (this.inputs.size > 0 || !o.compressedInputs) {
      const mark = o.la.mark();
      try {
        const collectors = this.collectors();
        next = await this.measure(collectors);
        for (const [tensor, input] of this.inputs) {
          const inputs = (collectors.get(tensor) as Collector).result();
          await this.compressReaders(input, inputs);
          await this.fitPaths(tensor, inputs);
        }
      } finally {
        o.la.release(mark);
      }
    }
    await this.fitPaths();
    if (o.compressedInputs && hasNext) next = await this.advance();
    await o.state.save({ packed: this.packed, reports: this.reports }, hasNext ? next : new Map());
    return next;
  }

  private collectors(): Map<string, Collector> {
    const held = countTokens(this.o.sequences.held);
    const width = (tensor: string) => this.segment.graph.tensors.find((t) => t.name === tensor)?.shape[1] as number;
    return new Map([...this.inputs].map(([tensor, { point, needs }]) => [tensor, new Collector(this.o.la, point, width(tensor), needs, held)]));
  }

  private sequences(): Uint32Array[] {
    return [...this.o.sequences.fit, ...this.o.sequences.held];
  }

  /** Runs the segment as it is in the checkpoint, in f32. */
  private async measure(collectors: ReadonlyMap<string, Collector>): Promise<Carried> {
    const { o, segment } = this;
    const bare = withoutInt8(withoutLowRank(segment.graph));
    const observed = [...this.inputs.values()].flatMap(({ point, tensor, before }) => (before === undefined ? [] : [{ point, tensor, before }]));
    const plain = withCopies(
      {
        ...bare,
        tensors: bare.tensors.map((t) => (isMatrix(t) ? { ...t, format: "f32" } : t)),
        nodes: bare.nodes.map((n) => (n.op === "linear" ? { ...n, variant: "" } : n)),
      },
      observed,
    );
    const byPoint = new Map([...this.inputs.values()].map((i) => [i.point, collectors.get(i.tensor) as Collector]));
    return this.through(
      plain,
      [...byPoint.keys()],
      (t, write) => o.readPlain(t, write),
      (tap, x, rows, sequence) => {
        const collector = byPoint.get(tap) as Collector;
        if (sequence < o.sequences.fit.length) collector.add(x, rows);
        else collector.hold(x, rows);
      },
    );
  }

  private async compressReaders(input: Input, inputs: InputStatistics): Promise<void> {
    for (const [name, bytes] of (await this.o.derive?.(input.tensor, inputs)) ?? []) this.packed.set(name, bytes);
    const rests = new Set([...pathsOf(this.segment.graph)].flatMap(([down, nodes]) => (this.o.isPart(down) ? nodes.map((n) => n.tensors.w) : [])));
    for (const t of input.matrices) if (!rests.has(t.name)) await this.compress(t, { inputs, la: this.o.la });
  }

  private async compress(t: TensorDef, calibrated?: Calibrated, beside?: Float32Array): Promise<Uint8Array> {
    const { packed, report } = await this.packedWith(t, calibrated, beside);
    this.reports.push(report);
    this.packed.set(t.name, packed);
    return packed;
  }

  private async packedWith(t: TensorDef, calibrated?: Calibrated, beside?: Float32Array): Promise<CompressedMatrix> {
    throwIfAborted(this.o.signal, "compression");
    const chunks: Uint8Array[] = [];
    const report = await this.o.compress(t, (bytes) => chunks.push(bytes), calibrated, beside);
    return { packed: Uint8Array.from(Buffer.concat(chunks)), report };
  }

  /** Makes the paths beside the linears that read a tensor, or all that are not made yet. */
  private async fitPaths(tensor?: string, inputs?: InputStatistics): Promise<void> {
    for (const [down, [first]] of pathsOf(this.segment.graph)) {
      if (this.ranks.has(down) || (tensor !== undefined && first.tensors.x !== tensor)) continue;
      throwIfAborted(this.o.signal, "compression");
      const { rank, packed, reports } = await (this.o.isPart(down) ? this.fitPart(down, inputs) : this.fitInTurns(down, inputs));
      this.ranks.set(down, rank);
      for (const [name, bytes] of packed) this.packed.set(name, bytes);
      this.reports.forEach((r, i) => {
        const path = reports.get(r.name);
        if (path) this.reports[i] = { ...r, path };
      });
    }
  }

  /** The path that is a part of the weights, fitted to what became of the rest. */
  private async fitPart(down: string, inputs?: InputStatistics): Promise<FittedPath> {
    const { o, packed } = this;
    const packedOf = async (t: TensorDef) => packed.get(t.name) as Uint8Array;
    const part = await o.fit(down, packedOf, inputs);
    for (const name of part.reports.keys()) await this.compress(this.matrix(name), inputs && { inputs, la: o.la }, part.beside(name));
    return o.fit(down, packedOf, inputs, part);
  }

  /** The path of the turn that leaves least of the outputs, with the matrices beside it of that turn. */
  private async fitInTurns(down: string, inputs?: InputStatistics): Promise<FittedPath> {
    const { o, packed } = this;
    let path = await o.fit(down, async (t) => packed.get(t.name) ?? this.compress(t), inputs);
    let best = path;
    for (let turn = 1; inputs && turn < o.turnsOf(down) && leftBy(best) > SETTLED * path.reports.size; turn++) {
      const made = new Map<string, CompressedMatrix>();
      for (const name of path.reports.keys()) made.set(name, await this.packedWith(this.matrix(name), { inputs, la: o.la }, path.beside(name)));
      path = await o.fit(down, async (t) => (made.get(t.name) as CompressedMatrix).packed, inputs, path);
      if (leftBy(path) >= leftBy(best)) continue;
      best = path;
      for (const [name, { packed }] of made) this.packed.set(name, packed);
      this.reports.forEach((r, i) => {
        this.reports[i] = made.get(r.name)?.report ?? r;
      });
    }
    return best;
  }

  private matrix(name: string): TensorDef {
    return this.segment.graph.tensors.find((t) => t.name === name) as TensorDef;
  }

  /** Runs the segment as the device will run it. */
  private advance(): Promise<Carried> {
    const graph = withRanks(this.segment.graph, (down) => this.ranks.get(down) as number);
    return this.through(graph, [], async (t, write) => {
      const packed = this.packed.get(t.name);
      if (packed) write(packed);
      else if (isMatrix(t)) await this.o.compress(t, write);
      else await this.o.readPlain(t, write);
    });
  }

  private async through(
    graph: Graph,
    taps: readonly string[],
    fill: (t: TensorDef, write: (bytes: Uint8Array) => void) => Promise<void>,
    onRows?: (tap: string, x: Float32Array, rows: number, sequence: number) => void,
  ): Promise<Carried> {
    const { o, segment, carried, onProgress } = this;
    const sequences = this.sequences();
    const longest = Math.max(...sequences.map((s) => s.length));
    const runner = new SegmentRunner(segment, graph, o.device, longest, taps);
    try {
      for (const t of runner.weights) {
        const place = runner.place(t.name);
        let at = 0;
        await fill(t, (bytes) => {
          place.set(bytes, at);
          at += bytes.length;
        });
      }
      return await runner.run(sequences, carried, { onRows, onProgress, signal: o.signal });
    } finally {
      runner.close();
    }
  }
}
