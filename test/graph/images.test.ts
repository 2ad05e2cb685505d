// Graphs over images from a stranger: what no kernel may be given.
import { expect, test } from "vitest";
import { checkGraph } from "../../runtime/graph/check.ts";
import { ImageGraphBuilder } from "../../runtime/graph/images.ts";
import type { Graph } from "../../runtime/graph/types.ts";

function sound(): Graph {
  const g = new ImageGraphBuilder();
  const x = g.depthwise("b", g.conv("a", g.input([6, 6, 3], "image"), 20, { numbers: "w8", size: 3, stride: 2, relu: true }), { numbers: "w4", size: 3 });
  const dilation = g.conv("s", x, 1, { numbers: "w4", size: 1, relu: true });
  const d = g.deformable("d", x, dilation, { numbers: "w4" });
  return g.finish("made-up", g.conv("head", g.pool("p", g.shuffle("sh", x, d, 3, 33), "avg", "global"), 5, { numbers: "w8", size: 1 }));
}

/** The graph with one thing changed, as JSON that came from a file. */
function changed(
  change: (g: {
    tensors: Record<string, unknown>[];
    nodes: { op: string; name: string; attrs: Record<string, number>; tensors: Record<string, string>; variant: string; rows: string }[];
    points: Record<string, string>;
    vocab: number;
  }) => void,
): Graph {
  const g = JSON.parse(JSON.stringify(sound()));
  change(g);
  return g;
}

const node = (g: { nodes: { name: string }[] }, name: string) =>
  g.nodes.find((n) => n.name === name) as never as { attrs: Record<string, number>; tensors: Record<string, string>; variant: string; rows: string };
const tensor = (g: { tensors: Record<string, unknown>[] }, name: string) => g.tensors.find((t) => t.name === name) as Record<string, unknown>;

test("a sound graph passes", () => {
  checkGraph(sound());
});

test.each<[string, Parameters<typeof changed>[0]]>([
  [
    "outputs that the window does not give",
    (g) => {
      node(g, "a").attrs.oh = 4;
    },
  ],
  [
    "a stride of zero",
    (g) => {
      node(g, "a").attrs.stride = 0;
    },
  ],
  [
    "a window larger than what is there",
    (g) => {
      node(g, "b").attrs.size = 31;
      node(g, "b").attrs.pad = 0;
    },
  ],
  [
    "a shift that fx16 has not",
    (g) => {
      node(g, "a").attrs.shift = 7;
    },
  ],
  [
    "a shift beyond 31",
    (g) => {
      node(g, "d").attrs.shift = 32;
    },
  ],
  [
    "a ReLU that is neither",
    (g) => {
      node(g, "a").attrs.relu = 2;
    },
  ],
  [
    "a side beyond all arithmetic",
    (g) => {
      node(g, "a").attrs.height = 2 ** 30;
    },
  ],
  [
    "an image that is too small",
    (g) => {
      tensor(g, "image").shape = ["T", 6, 5, 3];
    },
  ],
  [
    "an image whose side is a symbol",
    (g) => {
      tensor(g, "image").shape = ["T", "C", 6, 3];
    },
  ],
  [
    "an image of three dimensions",
    (g) => {
      tensor(g, "image").shape = ["T", 6, 6];
    },
  ],
  [
    "weights of other bits than the variant",
    (g) => {
      node(g, "a").variant = "w4";
    },
  ],
  [
    "weights of another shape",
    (g) => {
      tensor(g, "a.weight").shape = [20, 9, 4];
    },
  ],
  [
    "a requantisation of fewer channels",
    (g) => {
      tensor(g, "a.fx16").shape = [4];
    },
  ],
  [
    "weights that are a value",
    (g) => {
      tensor(g, "a.weight").role = "value";
    },
  ],
  [
    "no requantisation",
    (g) => {
      delete node(g, "a").tensors.quant;
    },
  ],
  [
    "a bias beside whole numbers",
    (g) => {
      node(g, "a").tensors.bias = "a.fx16";
    },
  ],
  [
    "a dilation at another resolution",
    (g) => {
      node(g, "d").tensors.dilation = "b";
    },
  ],
  [
    "channels beyond those that are there",
    (g) => {
      node(g, "sh").attrs.from = 8;
    },
  ],
  [
    "a pool whose sums do not fit",
    (g) => {
      node(g, "p").attrs.scale = 2 ** 16;
    },
  ],
  [
    "scores of another number",
    (g) => {
      g.vocab = 6;
    },
  ],
  [
    "rows of another symbol",
    (g) => {
      tensor(g, "a").shape = ["L", 3, 3, 20];
    },
  ],
  [
    "no output",
    (g) => {
      tensor(g, "logits").role = "value";
      g.points = {};
    },
  ],
  [
    "a second input",
    (g) => {
      g.tensors.push({ name: "tokens", role: "input", format: "u32", shape: ["T", 1] });
    },
  ],
  [
    "a state",
    (g) => {
      g.tensors.push({ name: "c", role: "state", format: "kv_f32", shape: [1, "C", 4] });
    },
  ],
  [
    "an op that only streams have",
    (g) => {
      g.nodes.push({ op: "events", name: "e", variant: "image", rows: "T", tensors: { x: "image", before: "a", list: "b" }, attrs: { height: 6, width: 6, channels: 3 } });
    },
  ],
])("refused: %s", (_, change) => {
  expect(() => checkGraph(changed(change))).toThrow(expect.objectContaining({ code: "graph.invalid" }));
});
