// One segment on a device: its weights in place, sequences fed through it piece by piece, what it makes handed on row by row.
import { SkintError, throwIfAborted } from "../../../runtime/errors.ts";
import { isRecurrent } from "../../../runtime/graph/formats.ts";
import type { Graph, TensorDef } from "../../../runtime/graph/types.ts";
import { turn } from "../../../runtime/io/turn.ts";
import { fillRopeTable } from "../../../runtime/ops/rope/table.ts";
import type { Device, Program } from "../../../runtime/plan/device.ts";
import { lower } from "../../../runtime/plan/lower.ts";
import { memoryMap } from "../../../runtime/plan/memory.ts";
import { SCHEMES } from "../../../runtime/quant/catalogue.gen.ts";
import type { Segment } from "./segments.ts";

/** Rows of values between segments, by name: f32 [all tokens, width], sequence after sequence. */
export type Carried = ReadonlyMap<string, Float32Array>;

/** Most tokens of a step. */
export const BATCH = 256;

const PLAN = "segment";

export class SegmentRunner {
  private readonly program: Program;
  private readonly batch: number;

  /** @param graph the segment's, with the formats its weights are to have @param length tokens of the longest sequence */
  constructor(
    private readonly segment: Segment,
    private readonly graph: Graph,
    device: Device,
    length: number,
    private readonly taps: readonly string[],
  ) {
    this.batch = Math.min(BATCH, length);
    const symbols = { T: this.batch, L: this.batch, C: length };
    const plan = lower(graph, {
      name: PLAN,
      symbols,
      kernels: device.kernels,
      fuse: true,
      logits: "all",
      taps: taps.filter((t) => !this.isState(t) && !graph.tensors.some((made) => made.name === `tap:${t}`)),
    });
    this.program = device.allocate(memoryMap([plan]), [plan]);
    for (const t of graph.tensors) if (t.constant) fillRopeTable(this.f32(t.name), length, t.constant.frequencies, t.constant.scale);
  }

  /** Weights of the segment, to be filled by `place`. */
  get weights(): TensorDef[] {
    return this.graph.tensors.filter((t) => t.role === "weight");
  }

  /** Where a weight's packed bytes belong. */
  place(weight: string): Uint8Array {
    return this.program.view(weight);
  }

  private f32(tensor: string): Float32Array {
    const b = this.program.view(tensor);
    return new Float32Array(b.buffer, b.byteOffset, b.length / 4);
  }

  /**
   * Feeds all sequences. `onRows` gets each tap's rows f32 [rows, width] of a step (a view that the next step overwrites) and the number
   * of the step's sequence. Returns what later segments read. Throws `session.nan` naming the tap.
   */
  async run(sequences: readonly Uint32Array[], carried: Carried, o: RunOptions): Promise<Carried> {
    const total = sequences.reduce((sum, s) => sum + s.length, 0);
    const made = new Map(this.segment.writes.map((name) => [name, new Float32Array(total * this.width(name))]));
    let row = 0;
    for (const [index, sequence] of sequences.entries())
      for (let at = 0; at < sequence.length; at += this.batch) {
        throwIfAborted(o.signal, "calibration");
        const rows = Math.min(this.batch, sequence.length - at);
        await this.step(sequence, at, rows, row, carried);
        for (const tap of this.taps) {
          const values = this.tapped(tap, rows);
          this.check(tap, values, row);
          o.onRows?.(tap, values, values.length / this.width(this.graph.points[tap]), index);
        }
        for (const [name, out] of made) {
          const width = this.width(name);
          const values = this.f32(name).subarray(0, rows * width);
          this.check(name, values, row);
          out.set(values, row * width);
        }
        row += rows;
        o.onProgress?.(rows);
        await turn();
      }
    return made;
  }

  private isState(tap: string): boolean {
    return this.graph.tensors.some((t) => t.name === this.graph.points[tap] && t.role === "state");
  }

  /** Rows of a tap f32 [rows, width]; of a state of scans a row a channel, as it is behind the step. */
  private tapped(tap: string, rows: number): Float32Array {
    const name = this.graph.points[tap];
    if (!this.isState(tap)) return this.f32(`tap:${tap}`).subarray(0, rows * this.width(name));
    const [channels, states] = (this.graph.tensors.find((t) => t.name === name) as TensorDef).shape as [number, number];
    return SCHEMES.f32.decode(this.program.view(name), channels, states);
  }

  private async step(sequence: Uint32Array, at: number, rows: number, row: number, carried: Carried): Promise<void> {
    // A text begins with recurrent states of zero; those with positions are overwritten.
    if (at === 0) for (const t of this.graph.tensors) if (isRecurrent(t)) this.program.view(t.name).fill(0);
    for (const t of this.graph.tensors) {
      if (t.role !== "input") continue;
      const view = this.program.view(t.name);
      const words = new Uint32Array(view.buffer, view.byteOffset, view.length / 4);
      if (t.name === "tokens") words.set(sequence.subarray(at, at + rows));
      else if (t.name === "positions") words.set(Uint32Array.from({ length: rows }, (_, i) => at + i));
      else {
        const width = t.shape[1] as number;
        this.f32(t.name).set((carried.get(t.name) as Float32Array).subarray(row * width, (row + rows) * width));
      }
    }
    this.program.setSlot("T", rows);
    this.program.setSlot("L", rows);
    this.program.setSlot("pos", at);
    await this.program.execute(PLAN);
  }

  private check(what: string, values: Float32Array, row: number): void {
    const bad = values.findIndex((v) => !Number.isFinite(v));
    if (bad < 0) return;
    const width = this.width(this.graph.points[what] ?? what);
    throw new SkintError(
      "session.nan",
      `calibration met ${values[bad]} in ${what} at token ${row + Math.floor(bad / width)}, channel ${bad % width}; the weights before it are damaged: fetch the checkpoint again`,
      { what },
    );
  }

  private width(tensor: string): number {
    return this.graph.tensors.find((t) => t.name === tensor)?.shape[1] as number;
  }

  close(): void {
    this.program.close();
  }
}

export interface RunOptions {
  readonly onRows?: (tap: string, values: Float32Array, rows: number, sequence: number) => void;
  /** Tokens that went through since the last call. */
  readonly onProgress?: (tokens: number) => void;
  readonly signal?: AbortSignal;
}
