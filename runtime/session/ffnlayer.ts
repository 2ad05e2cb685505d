// A feed-forward layer that can leave out neurons, as the host sees it: views of the words that it and the kernels share (runtime/plan/neurons.ts).
import type { Graph, GraphNode } from "../graph/types.ts";
import { CONTROL } from "../ops/select/control.ts";
import type { Program } from "../plan/device.ts";
import { compactOf, controlOf, coreOf, countsOf, massOf, PARTS } from "../plan/neurons.ts";
import type { Plan } from "../plan/types.ts";
import { scheme } from "../quant/q4n.ts";
import { BLOCK_ROWS } from "../quant/scheme.ts";

export interface FfnLayer {
  /** Its last linear's place in the model. */
  readonly name: string;
  readonly neurons: number;
  /** Channels of its output. */
  readonly width: number;
  /** Has it a second matrix before the last? */
  readonly gated: boolean;
  readonly node: GraphNode;
  /** u32 and f32 (runtime/ops/select/control.ts). */
  readonly control: Uint32Array;
  readonly floats: Float32Array;
  /** List of the neurons of mode core (runtime/ops/select/list.ts). */
  readonly core: Uint32Array;
  /** Its matrices, k wide, and where rows of a core are copied to (runtime/session/compact.ts); none if there is no room. */
  readonly matrices: readonly { readonly all: Uint8Array; readonly compact: Uint8Array; readonly k: number }[];
  /** Rows that there is room for in each. */
  readonly room: number;
  /** What a prompt's steps count; none where they do not compute all rows. */
  readonly tally?: { readonly counts: Uint32Array; readonly mass: Float32Array };
}

/** @param plans those of the program */
export function ffnLayers(graph: Graph, program: Program, plans: readonly Plan[]): FfnLayer[] {
  const prompt = plans.find((p) => p.name === "prefill");
  return graph.nodes
    .filter((n) => n.op === "rowsum")
    .map((node) => {
      const control = u32(program, controlOf(node.name));
      const activate = graph.nodes.find((n) => n.op === "activate" && n.tensors.y === node.tensors.x);
      return {
        name: node.name,
        neurons: node.attrs.n as number,
        width: node.attrs.k as number,
        gated: activate?.tensors.u !== undefined,
        node,
        control,
        floats: new Float32Array(control.buffer, control.byteOffset, control.length),
        core: u32(program, coreOf(node.name)),
        ...compactOfLayer(node.name, program, plans),
        ...(prompt?.tensors.has(countsOf(node.name)) ? { tally: { counts: u32(program, countsOf(node.name)), mass: f32(program, massOf(node.name)) } } : {}),
      };
    });
}

function compactOfLayer(layer: string, program: Program, plans: readonly Plan[]): Pick<FfnLayer, "matrices" | "room"> {
  const decode = plans.find((p) => p.name === "decode");
  const matrices = PARTS.flatMap((part) => {
    const compact = compactOf(layer, part);
    const step = decode?.steps.find((s) => s.tensors.compact === compact && s.op !== "hidden");
    return step ? [{ all: bytesOf(program, step.tensors.w), compact: bytesOf(program, compact), k: step.attrs.k }] : [];
  });
  const [first] = matrices;
  return { matrices, room: first ? (BLOCK_ROWS * first.compact.length) / scheme.bytes(BLOCK_ROWS, first.k) : 0 };
}

export const bytesOf = (program: Program, tensor: string) => program.view(tensor) as Uint8Array<ArrayBuffer>;

function u32(program: Program, tensor: string): Uint32Array<ArrayBuffer> {
  const b = bytesOf(program, tensor);
  return new Uint32Array(b.buffer, b.byteOffset, Math.floor(b.length / 4));
}

export function f32(program: Program, tensor: string): Float32Array<ArrayBuffer> {
  const b = bytesOf(program, tensor);
  return new Float32Array(b.buffer, b.byteOffset, Math.floor(b.length / 4));
}

/** Rows of all its matrices. */
export const rowsIn = ({ neurons, gated }: Pick<FfnLayer, "neurons" | "gated">): number => neurons * (gated ? 3 : 2);

/** Rows read since the counters were cleared. */
export function rowsRead({ control, gated }: Pick<FfnLayer, "control" | "gated">): number {
  return control[CONTROL.firstRows] + (gated ? control[CONTROL.upRows] : 0) + control[CONTROL.downRows];
}

/** Counts a decode step that read all rows by a plan of many, which does not count itself. */
export function countWhole({ control, neurons }: FfnLayer): void {
  control[CONTROL.steps]++;
  for (const field of [CONTROL.firstRows, CONTROL.upRows, CONTROL.downRows]) control[field] += neurons;
}
