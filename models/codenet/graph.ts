// CoDeNet: an anchor-free detector on ShuffleNetV2 whose decoder convolves with square, whole dilations (arXiv 2006.08357; specs/codenet.md §3).
// Weights of 4 bits, those of the stem of 8, activations of 8; ReLUs behind 1 × 1 convolutions only, nothing is ever added. Not a family that
// compress knows yet, as there are no weights to fetch: the graph is for the engine and for counting.
import { type Convolution, ImageGraphBuilder } from "../../runtime/graph/images.ts";
import type { Graph } from "../../runtime/graph/types.ts";

export interface CodenetConfig {
  /** Side of the input; a multiple of 32. */
  readonly side: number;
  /** Width of the backbone. */
  readonly width: "1x" | "2x";
  /** The stem: one convolution with a stride of 4, or one of 2 and a greatest-of-3 × 3 pool. */
  readonly stem: "stride4" | "pool";
  /** Classes of the heat map. */
  readonly classes: number;
}

const VOC_CLASSES = 20;

/** The five configurations that the paper measures. */
export const CONFIGS: Readonly<Record<"a" | "b" | "c" | "d" | "e", CodenetConfig>> = {
  a: { side: 256, width: "1x", stem: "stride4", classes: VOC_CLASSES },
  b: { side: 256, width: "1x", stem: "pool", classes: VOC_CLASSES },
  c: { side: 512, width: "1x", stem: "stride4", classes: VOC_CLASSES },
  d: { side: 512, width: "2x", stem: "stride4", classes: VOC_CLASSES },
  e: { side: 512, width: "2x", stem: "pool", classes: VOC_CLASSES },
};

const STEM = 24;
const CHANNELS = { "1x": [116, 232, 464, 1024], "2x": [244, 488, 976, 2153] } as const;
const BLOCKS = [4, 8, 4];
const DECODER = [256, 128, 64];

const POINTWISE: Convolution = { numbers: "w4", size: 1, relu: true };
const LINEAR: Convolution = { numbers: "w4", size: 1 };
const DEPTHWISE: Convolution = { numbers: "w4", size: 3 };

/** What leaves a block: two images that are still to be joined and shuffled. */
type Pair = readonly [left: string, right: string];

/** Both branches run, at half the resolution. */
function halving(g: ImageGraphBuilder, name: string, x: string, half: number): Pair {
  const left = g.conv(`${name}.left.pw`, g.depthwise(`${name}.left.dw`, x, { ...DEPTHWISE, stride: 2 }), half, POINTWISE);
  const inner = g.depthwise(`${name}.right.dw`, g.conv(`${name}.right.pw1`, x, half, POINTWISE), { ...DEPTHWISE, stride: 2 });
  return [left, g.conv(`${name}.right.pw2`, inner, half, POINTWISE)];
}

/** Of the shuffled channels the first half passes, the second is worked on. */
function residual(g: ImageGraphBuilder, name: string, [left, right]: Pair, half: number): Pair {
  const low = g.shuffle(`${name}.low`, left, right, 0, half);
  const high = g.shuffle(`${name}.high`, left, right, half, half);
  const inner = g.depthwise(`${name}.dw`, g.conv(`${name}.pw1`, high, half, POINTWISE), DEPTHWISE);
  return [low, g.conv(`${name}.pw2`, inner, half, POINTWISE)];
}

/** The graph of a configuration; outputs at the points hm, wh and reg. */
export function codenet(c: CodenetConfig): Graph {
  const g = new ImageGraphBuilder();
  const channels = CHANNELS[c.width];
  let x = g.conv("stem", g.input([c.side, c.side, 3], "image"), STEM, { numbers: "w8", size: 3, stride: c.stem === "pool" ? 2 : 4, pad: 1, relu: true });
  if (c.stem === "pool") x = g.pool("stem.pool", x, "max", { size: 3, stride: 2, pad: 1 });
  BLOCKS.forEach((blocks, stage) => {
    const half = channels[stage] / 2;
    let pair = halving(g, `stage${stage}.0`, x, half);
    for (let b = 1; b < blocks; b++) pair = residual(g, `stage${stage}.${b}`, pair, half);
    x = g.shuffle(`stage${stage}.out`, ...pair, 0, 2 * half);
  });
  x = g.conv("stage3", x, channels[3], POINTWISE);
  DECODER.forEach((outputs, i) => {
    const dilation = g.conv(`up${i}.dilation`, x, 1, POINTWISE);
    const deformed = g.deformable(`up${i}.dw`, x, dilation, { numbers: "w4" });
    x = g.upsample(`up${i}.out`, g.conv(`up${i}.pw`, deformed, outputs, POINTWISE));
  });
  const head = (name: string, outputs: number) => {
    const first = g.conv(`${name}.pw1`, x, 64, POINTWISE);
    return g.conv(`${name}.pw2`, g.depthwise(`${name}.dw`, first, { ...DEPTHWISE, relu: true }), outputs, LINEAR);
  };
  return g.finishImages("codenet", { hm: head("hm", c.classes), wh: head("wh", 2), reg: head("reg", 2) });
}

export interface Counts {
  /** Weights of convolutions, and what is added to their sums, a channel each. */
  readonly weights: number;
  readonly biases: number;
  /** Multiply-adds of convolutions, padding of channels not counted. */
  readonly macs: number;
  /** Outputs of convolutions: one more addition each, where a bias is counted as work. */
  readonly outputs: number;
}

/** Parameters and work of a network of convolutions over images. */
export function count(graph: Graph): Counts {
  const of = (format: RegExp) =>
    graph.tensors.filter((t) => t.role === "weight" && format.test(t.format)).reduce((sum, t) => sum + t.shape.reduce<number>((p, d) => p * (d as number), 1), 0);
  let [macs, outputs] = [0, 0];
  for (const { op, attrs } of graph.nodes) {
    const a = attrs as Record<string, number>;
    if (op.endsWith("conv2d")) outputs += a.oh * a.ow * (a.outputs ?? a.channels);
    if (op === "conv2d") macs += a.oh * a.ow * a.outputs * a.size ** 2 * a.channels;
    if (op === "dwconv2d") macs += a.oh * a.ow * a.channels * a.size ** 2;
    if (op === "deform_dwconv2d") macs += a.oh * a.ow * a.channels * 9;
  }
  return { weights: of(/^(conv|dw)/), biases: of(/^fx16$/), macs, outputs };
}
