// Builds graphs of networks that look at images: every row T of a step is an image. Convolutions are f32, or of stored bytes with int8 or int4 weights
// (runtime/image); each method adds a node and returns the name of the image it made.
import { windows } from "../image/format.ts";
import type { Graph, GraphNode, TensorDef } from "./types.ts";

/** Numbers of a convolution: f32, or stored bytes with weights of so many bits. */
export type Numbers = "f32" | "w8" | "w4";

/** Side of an image: [height, width, channels]. */
export type Sides = readonly [height: number, width: number, channels: number];

export interface Convolution {
  readonly numbers: Numbers;
  readonly size: number;
  readonly stride?: number;
  /** Default: what keeps the side at a stride of 1. */
  readonly pad?: number;
  readonly relu?: boolean;
  /** Of fx16; not used by f32. */
  readonly shift?: number;
}

const SHIFT = 16;

export class ImageGraphBuilder {
  private readonly tensors = new Map<string, TensorDef>();
  private readonly nodes: GraphNode[] = [];

  private define(t: TensorDef): string {
    if (this.tensors.has(t.name)) throw new Error(`tensor ${t.name} is defined twice`);
    this.tensors.set(t.name, t);
    return t.name;
  }

  /** [height, width, channels] of an image. */
  sides(name: string): Sides {
    return (this.tensors.get(name) as TensorDef).shape.slice(1) as unknown as Sides;
  }

  private value(name: string, sides: Sides, like: string): string {
    const format = (this.tensors.get(like) as TensorDef).format;
    return this.define({ name, role: "value", format, shape: ["T", ...sides] });
  }

  private node(op: string, name: string, variant: string, tensors: Record<string, string>, attrs: Record<string, number>): void {
    this.nodes.push({ op, name, variant, rows: "T", tensors, attrs });
  }

  /** The input: images of stored bytes, or of f32. */
  input(sides: Sides, format: "image" | "f32"): string {
    return this.define({ name: "image", role: "input", format, shape: ["T", ...sides] });
  }

  /** Weights `<name>.weight` and what finishes a sum: `<name>.fx16`, or `<name>.bias` of f32. */
  private weights(name: string, numbers: Numbers, stem: "conv" | "dw", shape: readonly number[], channels: number): Record<string, string> {
    const format = numbers === "f32" ? "f32" : `${stem}${numbers.slice(1)}`;
    const w = this.define({ name: `${name}.weight`, role: "weight", format, shape: [...shape] });
    if (numbers === "f32") return { w, bias: this.define({ name: `${name}.bias`, role: "weight", format: "f32", shape: [channels] }) };
    return { w, quant: this.define({ name: `${name}.fx16`, role: "weight", format: "fx16", shape: [channels] }) };
  }

  private windowed(x: string, o: Convolution) {
    const [height, width, channels] = this.sides(x);
    const { size, stride = 1, pad = size >> 1, relu = false, shift = SHIFT } = o;
    const [oh, ow] = [windows(height, size, stride, pad), windows(width, size, stride, pad)];
    return { height, width, channels, oh, ow, size, stride, pad, shift, relu: relu ? 1 : 0 };
  }

  conv(name: string, x: string, outputs: number, o: Convolution): string {
    const attrs = { ...this.windowed(x, o), outputs };
    const y = this.value(name, [attrs.oh, attrs.ow, outputs], x);
    this.node("conv2d", name, o.numbers, { x, ...this.weights(name, o.numbers, "conv", [outputs, o.size ** 2, attrs.channels], outputs), y }, attrs);
    return y;
  }

  depthwise(name: string, x: string, o: Convolution): string {
    const attrs = this.windowed(x, o);
    const y = this.value(name, [attrs.oh, attrs.ow, attrs.channels], x);
    this.node("dwconv2d", name, o.numbers, { x, ...this.weights(name, o.numbers, "dw", [o.size ** 2, 1, attrs.channels], attrs.channels), y }, attrs);
    return y;
  }

  /** Square-deformable depthwise 3 × 3 convolution of bytes; `dilation` is an image of one channel at the resolution of the outputs. */
  deformable(name: string, x: string, dilation: string, o: Omit<Convolution, "size" | "pad">): string {
    const { size: _, pad: __, ...attrs } = this.windowed(x, { ...o, size: 3 });
    const y = this.value(name, [attrs.oh, attrs.ow, attrs.channels], x);
    this.node("deform_dwconv2d", name, o.numbers, { x, dilation, ...this.weights(name, o.numbers, "dw", [9, 1, attrs.channels], attrs.channels), y }, attrs);
    return y;
  }

  /** The greatest or the mean of windows; `global` for one window as large as the image. */
  pool(name: string, x: string, kind: "max" | "avg", window: { readonly size: number; readonly stride: number; readonly pad?: number } | "global"): string {
    const [height, width, channels] = this.sides(x);
    const [kh, kw] = window === "global" ? [height, width] : [window.size, window.size];
    const [stride, pad] = window === "global" ? [1, 0] : [window.stride, window.pad ?? 0];
    const [oh, ow] = [windows(height, kh, stride, pad), windows(width, kw, stride, pad)];
    const y = this.value(name, [oh, ow, channels], x);
    const shift = 15 + Math.floor(Math.log2(kh * kw));
    const floats = (this.tensors.get(x) as TensorDef).format === "f32";
    // A scale of 15 bits: 2^shift is at most 2^15 times the window.
    const scale = Math.min(2 ** 15 - 1, Math.round(2 ** shift / (kh * kw)));
    this.node("pool", name, floats ? `${kind}f32` : kind, { x, y }, { height, width, channels, oh, ow, kh, kw, stride, pad, scale, shift });
    return y;
  }

  upsample(name: string, x: string): string {
    const [height, width, channels] = this.sides(x);
    const [oh, ow] = [2 * height, 2 * width];
    const y = this.value(name, [oh, ow, channels], x);
    this.node("upsample2", name, "image", { x, y }, { height, width, channels, oh, ow });
    return y;
  }

  /** Channels [from, from + count) of two images joined and shuffled in two groups. */
  shuffle(name: string, a: string, b: string, from: number, count: number): string {
    const [height, width, channels] = this.sides(a);
    const y = this.value(name, [height, width, count], a);
    this.node("shuffle", name, "image", { a, b, y }, { height, width, channels, from, count });
    return y;
  }

  /** Ends the graph with the scores of an image [1, 1, n]: f32 as they are, bytes as (value − zero) · factor. */
  finish(architecture: string, x: string, o: { readonly zero: number; readonly factor: number } = { zero: 0, factor: 1 }): Graph {
    const [, , k] = this.sides(x);
    const t = this.tensors.get(x) as TensorDef;
    if (t.format === "f32") this.tensors.set(x, { ...t, role: "output" });
    const logits = t.format === "f32" ? x : this.define({ name: "logits", role: "output", format: "f32", shape: ["T", k] });
    if (logits !== x) this.node("dequantise", "logits", "image", { x, y: logits }, { k, ...o });
    return this.graph(architecture, { logits }, k);
  }

  /** Ends the graph with images as outputs, by point. */
  finishImages(architecture: string, outputs: Readonly<Record<string, string>>): Graph {
    for (const x of Object.values(outputs)) this.tensors.set(x, { ...(this.tensors.get(x) as TensorDef), role: "output" });
    return this.graph(architecture, outputs, 1);
  }

  private graph(architecture: string, points: Readonly<Record<string, string>>, vocab: number): Graph {
    return { version: 1, architecture, tensors: [...this.tensors.values()], nodes: this.nodes, points, vocab, context: 1 };
  }
}

/** Does the graph look at images? Such a one has the input `image`, of which every row of a step is one. */
export const seesImages = (graph: Graph): boolean => graph.tensors.some((t) => t.name === "image" && t.role === "input");
