// A network over images that lies on CoDeNet's engine as a whole: its convolutions as passes, which the sequencer runs one after the other without the
// host. What goes over is an image there and the stored bytes of the scores back, the bits of every other device.
import { SkintError } from "../../../../runtime/errors.ts";
import type { Graph, GraphNode } from "../../../../runtime/graph/types.ts";
import { fx16Of, unpackWeights } from "../../../../runtime/image/weights.ts";
import { FX16_ZERO } from "../../../../runtime/num/fx16.ts";
import { WORD_BYTES } from "../link/protocol.ts";
import type { Session } from "../link/session.ts";
import { load, type Section } from "../resident.ts";
import { attrs, type Layer, macsOf, wordsOf } from "./layer.ts";
import { type ConvWeights, convWords, type DeepWeights, packPass } from "./pack.ts";
import { encodePass, MOST, PASS_BYTES, type Pass, SLICE, stepsOf } from "./pass.ts";

/** Bytes of a weight tensor as the graph's format has them. */
export type Weights = (name: string) => Uint8Array;

export interface ImageRun {
  /** f32 [classes]. */
  readonly scores: Float32Array;
  /** Clocks of the engine. */
  readonly cycles: number;
}

type Sides = { readonly height: number; readonly width: number; readonly channels: number };

const isDeep = ({ op, attrs }: GraphNode) => op === "dwconv2d" && attrs.size === 3 && attrs.pad === 1 && (attrs.stride as number) <= 2;

/** The chain of convolutions of a graph and what makes scores of its last bytes. Throws `plan.kernel` for a graph that is none, or whose numbers are floats. */
function chain(graph: Graph): { layers: Layer[]; last: GraphNode } {
  const layers: Layer[] = [];
  let at = graph.tensors.find((t) => t.role === "input")?.name as string;
  for (const node of graph.nodes) {
    const { op, variant, tensors } = node;
    if (tensors.x === at && op === "dequantise") return { layers, last: node };
    const fits = tensors.x === at && (variant === "w8" || variant === "w4") && (op === "conv2d" || isDeep(node));
    if (!fits)
      throw new SkintError("plan.kernel", `CoDeNet's engine runs chains of int8 and int4 convolutions; ${graph.architecture} has ${op} ${variant}: use --recipe w8 or w4`, {
        what: op,
      });
    const before = layers.at(-1);
    if (op === "dwconv2d" && before?.conv && !before.deep) layers[layers.length - 1] = { ...before, deep: node };
    else layers.push(op === "conv2d" ? { conv: node } : { deep: node });
    at = tensors.y;
  }
  throw new SkintError("plan.kernel", `${graph.architecture} ends without scores of bytes; CoDeNet's engine runs networks of int8 and int4: use --recipe w8 or w4`);
}

const quantOf = (node: GraphNode, channels: number, weights: Weights) => {
  const { shift, relu } = attrs(node);
  return Array.from({ length: channels }, (_, c) => fx16Of(weights(node.tensors.quant), c, shift, relu === 1));
};

function convOf(node: GraphNode, weights: Weights): ConvWeights {
  const { outputs, size, channels } = attrs(node);
  const [taps, nibbles] = [size * size, node.variant === "w4"];
  const codes = unpackWeights(nibbles ? "conv4" : "conv8", [outputs, taps, channels], weights(node.tensors.w));
  return { codes, outputs, taps, channels, nibbles, quant: quantOf(node, outputs, weights) };
}

function deepOf(node: GraphNode, weights: Weights): DeepWeights {
  const { channels } = attrs(node);
  return { codes: unpackWeights("dw8", [9, 1, channels], weights(node.tensors.w)), channels, quant: quantOf(node, channels, weights) };
}

/** A layer as a pass that has no places yet. */
function passOf({ conv, deep }: Layer, bytes: boolean): Omit<Pass, "x" | "y" | "weights" | "dilation"> {
  const of = attrs((conv ?? deep) as GraphNode);
  const { size = 1, stride = 1, pad = 0, oh: ch = of.height, ow: cw = of.width } = conv ? of : {};
  return {
    ...{ width: of.width, height: of.height, cw, ch, size, pad, stride, xw: wordsOf(of.channels), slices: wordsOf(of.outputs ?? of.channels) },
    count: conv ? convWords({ taps: size * size, channels: of.channels, nibbles: conv.variant === "w4" }) : 0,
    ...{ conv: conv !== undefined, deep: deep !== undefined, deform: false, byTwo: deep !== undefined && deep.attrs.stride === 2 },
    ...{ nibbles: conv?.variant === "w4", bytes },
    ...{ shiftConv: conv ? of.shift : SHIFT, shiftDeep: deep ? attrs(deep).shift : SHIFT },
  };
}

/** Of a half that is not there. */
const SHIFT = 16;

interface Placement {
  readonly sections: readonly Section[];
  readonly passes: number;
  /** First words of the image and of the scores' bytes. */
  readonly x: number;
  readonly y: number;
  /** The image is one byte a pixel. */
  readonly bytes: boolean;
  readonly sides: Sides;
}

/** Where everything lies: passes, the image, two places that features go between, weights. Throws `plan.memory` where the device has no room. */
function place(layers: readonly Layer[], weights: Weights, room: number): Placement {
  const sides = attrs((layers[0].conv ?? layers[0].deep) as GraphNode) as unknown as Sides;
  const pixels = sides.height * sides.width;
  const bytes = sides.channels === 1 && layers[0].conv !== undefined;
  const passes = layers.map((l, i) => passOf(l, i === 0 && bytes));
  for (const p of passes)
    if (Math.max(p.width, p.height, p.size, p.stride, p.pad, p.xw, p.slices) > MOST)
      throw new SkintError("plan.memory", `a layer over ${p.height} × ${p.width} with windows of ${p.size} is beyond the engine's counters of ${MOST}; cut the image into tiles`);
  const outputs = layers.map(({ conv, deep }, i) => {
    const { oh, ow } = attrs((deep ?? conv) as GraphNode);
    return oh * ow * passes[i].slices;
  });
  const x = (PASS_BYTES / WORD_BYTES) * passes.length;
  const features = x + (bytes ? Math.ceil(pixels / WORD_BYTES) : pixels * wordsOf(sides.channels));
  const largest = Math.max(...outputs);
  let free = features + 2 * largest;
  const sections: Section[] = [];
  let from = x;
  passes.forEach((p, i) => {
    const y = features + (i % 2) * largest;
    const { conv, deep } = layers[i];
    const packed = packPass(conv && convOf(conv, weights), deep && deepOf(deep, weights));
    const { pitch } = stepsOf(p);
    const origin = (p.bytes ? WORD_BYTES : 1) * from - p.pad * (pitch + p.xw);
    const encoded = encodePass({ ...p, x: origin, y, weights: free, dilation: 0 });
    sections.push({ memory: "weights", at: (PASS_BYTES / WORD_BYTES) * i, bytes: encoded }, { memory: "weights", at: free, bytes: packed });
    free += packed.length / WORD_BYTES;
    from = y;
  });
  if (free > room)
    throw new SkintError("plan.memory", `the network needs ${free} words of the engine's memory, the device has ${room}; use --recipe w4, or a smaller network`, {
      what: "weights",
    });
  return { sections, passes: passes.length, x, y: from, bytes, sides };
}

export class CodenetNetwork {
  private constructor(
    private readonly session: Session,
    private readonly at: Placement,
    private readonly last: GraphNode,
    /** Multiply-adds of an image. */
    readonly macs: number,
    /** Bytes of weights and passes on the device. */
    readonly residentBytes: number,
  ) {}

  /**
   * Brings a network over; what the device has already is not sent again. Throws `plan.kernel` for a graph that is no chain of int8 and int4 convolutions,
   * `plan.memory` for one that is too large, `device.trap` when it is run on a device whose buffers are too small for a layer.
   */
  static async load(session: Session, graph: Graph, weights: Weights, onProgress?: (done: number, total: number) => void): Promise<CodenetNetwork> {
    const { layers, last } = chain(graph);
    const at = place(layers, weights, session.hello.words.weights);
    await load(session, at.sections, onProgress);
    const resident = at.sections.reduce((sum, s) => sum + s.bytes.length, 0);
    return new CodenetNetwork(
      session,
      at,
      last,
      layers.reduce((sum, l) => sum + macsOf(l), 0),
      resident,
    );
  }

  /** Classifies an image u8 [height, width, channels] of 0…255. Throws `usage` for another number of bytes. */
  async run(image: Uint8Array): Promise<ImageRun> {
    const { height, width, channels } = this.at.sides;
    if (image.length !== height * width * channels)
      throw new SkintError("usage", `${image.length} bytes of an image were given; the network sees ${height} × ${width} × ${channels}`);
    await this.session.write("weights", this.at.x, this.stored(image, channels));
    const cycles = await this.session.run(0, this.at.passes);
    const { k, zero, factor } = attrs(this.last);
    const y = new Int8Array((await this.session.read("weights", this.at.y, wordsOf(k))).buffer);
    return { scores: Float32Array.from({ length: k }, (_, c) => (y[c] - FX16_ZERO - zero) * Math.fround(factor)), cycles };
  }

  /** Stored bytes as the first pass reads them. */
  private stored(image: Uint8Array, channels: number): Uint8Array {
    const step = this.at.bytes ? 1 : SLICE * wordsOf(channels);
    const out = new Uint8Array(WORD_BYTES * Math.ceil(((image.length / channels) * step) / WORD_BYTES)).fill(0x80);
    for (let i = 0; i < image.length; i++) out[Math.floor(i / channels) * step + (i % channels)] = image[i] ^ 0x80;
    return out;
  }
}
