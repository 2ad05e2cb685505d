// A stored graph is a stranger's program. Each row of the table changes a sound one in one way that must be refused, and says what is blamed.
import { expect, test } from "vitest";
import { architecture } from "../../models/llama/model.ts";
import { architecture as mamba } from "../../models/mamba/model.ts";
import type { SkintError } from "../../runtime/errors.ts";
import { parseGraph } from "../../runtime/graph/check.ts";
import { applyRecipe, recipeNamed } from "../../tools/compress/recipe.ts";
import { mambaConfig } from "../support/mamba.ts";
import { tinyConfig } from "../support/tiny.ts";

// biome-ignore lint/suspicious/noExplicitAny: mutations write what the types forbid
type Loose = any;

const sound = (options: Parameters<typeof tinyConfig>[0] = {}, cache: "f32" | "f16" | "i8" = "f16"): Loose =>
  JSON.parse(JSON.stringify(architecture.build(tinyConfig(options), { cache })));

const tensor = (g: Loose, name: string) => g.tensors.find((t: Loose) => t.name === name);
const node = (g: Loose, name: string) => g.nodes.find((n: Loose) => n.name === name);

test.each([{}, { tied: false }, { bias: true }, { activation: "gelu" }, { layers: 1 }, { heads: 1, kvheads: 1 }])("the graph of a Llama with %j is sound", (options) => {
  for (const cache of ["f32", "f16", "i8"] as const) expect(parseGraph(JSON.stringify(sound(options, cache)))).toEqual(sound(options, cache));
});

test("a linear may name an activation format that fits its scheme", () => {
  for (const act of ["", "i8tok", "u7tok"]) {
    const g = sound({ tied: false });
    tensor(g, "head.weight").format = "q8";
    node(g, "head").variant = act;
    expect(parseGraph(JSON.stringify(g))).toEqual(g);
  }
});

/** What is changed → [the change, what the error blames]. */
const MUTATIONS: Readonly<Record<string, readonly [(g: Loose) => void, string]>> = {
  "version missing": [(g) => delete g.version, "version"],
  "version of the future": [(g) => (g.version = 2), "version"],
  "version as text": [(g) => (g.version = "1"), "version"],
  "tensors missing": [(g) => delete g.tensors, "skint.graph"],
  "nodes an object": [(g) => (g.nodes = {}), "skint.graph"],
  "points a list": [(g) => (g.points = []), "skint.graph"],
  "vocabulary of none": [(g) => (g.vocab = 0), "vocab"],
  "vocabulary larger than the table": [(g) => (g.vocab = 301), "embed"],
  "vocabulary smaller than the logits": [(g) => (g.vocab = 299), "logits"],
  "context a fraction": [(g) => (g.context = 1.5), "context"],
  "context huge": [(g) => (g.context = 2 ** 31), "context"],

  "tensor without a name": [(g) => delete tensor(g, "norm").name, "tensors"],
  "tensor null": [(g) => g.tensors.push(null), "tensors"],
  "tensor twice": [(g) => g.tensors.push(tensor(g, "norm")), "norm"],
  "tensor with a name that plans use": [(g) => g.tensors.push({ ...tensor(g, "norm"), name: "tap:norm" }), "tap:norm"],
  "tensor with a name of a merged step": [(g) => g.tensors.push({ ...tensor(g, "norm"), name: "a+b" }), "a+b"],
  "role unknown": [(g) => (tensor(g, "norm").role = "temporary"), "norm"],
  "role __proto__": [(g) => (tensor(g, "norm").role = "__proto__"), "norm"],
  "format unknown": [(g) => (tensor(g, "norm").format = "f64"), "norm"],
  "format a list": [(g) => (tensor(g, "head.weight").format = ["q8"]), "head.weight"],
  "scheme unknown": [(g) => (tensor(g, "head.weight").format = "q3"), "head.weight"],
  "scheme constructor": [(g) => (tensor(g, "head.weight").format = "constructor"), "head.weight"],
  "quantised rows in a stored graph": [(g) => (tensor(g, "norm").format = "i8tok"), "norm"],
  "shape missing": [(g) => delete tensor(g, "norm").shape, "norm"],
  "shape empty": [(g) => (tensor(g, "norm").shape = []), "norm"],
  "shape of four dimensions": [(g) => (tensor(g, "norm").shape = [1, 1, 1, 1]), "norm"],
  "dimension zero": [(g) => (tensor(g, "norm").shape = ["L", 0]), "norm"],
  "dimension negative": [(g) => (tensor(g, "norm").shape = ["L", -64]), "norm"],
  "dimension a fraction": [(g) => (tensor(g, "norm").shape = ["L", 64.5]), "norm"],
  "dimension huge": [(g) => (tensor(g, "norm").shape = ["L", 2 ** 31]), "norm"],
  "dimension of an unknown symbol": [(g) => (tensor(g, "norm").shape = ["X", 64]), "norm"],
  "rows of a weight without a length": [(g) => (tensor(g, "norm.weight").shape = ["C"]), "norm.weight"],

  "view outside its tensor": [(g) => (tensor(g, "layers.0.attention.v").view.offset = 97), "layers.0.attention.v"],
  "view before its tensor": [(g) => (tensor(g, "layers.0.attention.v").view.offset = -1), "layers.0.attention.v"],
  "view at a fraction": [(g) => (tensor(g, "layers.0.attention.v").view.offset = 0.5), "layers.0.attention.v"],
  "view at text": [(g) => (tensor(g, "layers.0.attention.v").view.offset = "0"), "layers.0.attention.v"],
  "view of nothing": [(g) => (tensor(g, "layers.0.attention.v").view.of = "nothing"), "layers.0.attention.v"],
  "view of a view": [(g) => (tensor(g, "layers.0.attention.v").view = { of: "layers.0.attention.k", offset: 0 }), "layers.0.attention.v"],
  "view of a weight": [(g) => (tensor(g, "layers.0.attention.v").view = { of: "embed.weight", offset: 0 }), "layers.0.attention.v"],
  "view with other rows": [(g) => (tensor(g, "layers.0.attention.v").shape = ["L", 32]), "layers.0.attention.v"],
  "view that is a weight": [(g) => (tensor(g, "norm.weight").view = { of: "norm", offset: 0 }), "norm.weight"],
  "view a number": [(g) => (tensor(g, "norm").view = 5), "norm"],

  "table of rotations missing": [(g) => delete tensor(g, "rope").constant, "rope"],
  "table of another kind": [(g) => (tensor(g, "rope").constant.kind = "sine"), "rope"],
  "table with a frequency too many": [(g) => tensor(g, "rope").constant.frequencies.push(1), "rope"],
  "table with a frequency that is no number": [(g) => (tensor(g, "rope").constant.frequencies[0] = null), "rope"],
  "table of fixed length": [(g) => (tensor(g, "rope").shape = [160, 16]), "rope"],
  "table on a weight": [(g) => (tensor(g, "norm.weight").constant = tensor(g, "rope").constant), "norm.weight"],
  "table on a state": [(g) => (tensor(g, "layers.0.attention.mix.kcache").constant = {}), "layers.0.attention.mix.kcache"],

  "input of another name": [(g) => g.tensors.push({ name: "ids", role: "input", format: "u32", shape: ["T", 1] }), "ids"],
  "input missing": [
    (g) => {
      g.tensors = g.tensors.filter((t: Loose) => t.name !== "tokens");
      g.nodes.shift();
      g.nodes.unshift({ op: "add", name: "embed", variant: "f32", rows: "T", tensors: { a: "embed", b: "embed", y: "embed" }, attrs: { k: 64 } });
    },
    "embed",
  ],
  "tokens not an input": [(g) => (tensor(g, "tokens").role = "value"), "embed"],
  "tokens as floats": [(g) => (tensor(g, "tokens").format = "f32"), "embed"],
  "tokens only of wanted rows": [
    (g) => {
      tensor(g, "tokens").shape = ["L", 1];
      tensor(g, "embed").shape = ["L", 64];
      node(g, "embed").rows = "L";
    },
    "layers.0.attention.norm",
  ],
  "two tokens a row": [(g) => (tensor(g, "tokens").shape = ["T", 2]), "embed"],

  "point on nothing": [(g) => (g.points.extra = "nothing"), "extra"],
  "point on a list": [(g) => (g.points.extra = ["norm"]), "extra"],
  "point on a packed matrix": [(g) => (g.points["layers.0.out"] = "head.weight"), "layers.0.out"],
  "point on rows that nobody writes": [
    (g) => {
      g.tensors.push({ name: "idle", role: "value", format: "f32", shape: ["T", 64] });
      g.points["layers.0.out"] = "idle";
    },
    "layers.0.out",
  ],
  "no logits": [(g) => delete g.points.logits, "logits"],
  "logits on another value": [(g) => (g.points.logits = "norm"), "logits"],
  "logits of every token": [(g) => (tensor(g, "head").shape = ["T", 300]), "head"],

  "node null": [(g) => g.nodes.push(null), "nodes"],
  "node without operands": [(g) => delete node(g, "norm").tensors, "nodes"],
  "node without attributes": [(g) => (node(g, "norm").attrs = []), "nodes"],
  "node twice": [(g) => g.nodes.push(node(g, "norm")), "norm"],
  "node with a name that plans use": [(g) => (node(g, "norm").name = "a+b"), "a+b"],
  "op unknown": [(g) => (node(g, "norm").op = "batchnorm"), "norm"],
  "op __proto__": [(g) => (node(g, "norm").op = "__proto__"), "norm"],
  "op constructor": [(g) => (node(g, "norm").op = "constructor"), "norm"],
  "op a list": [(g) => (node(g, "norm").op = ["rmsnorm"]), "norm"],
  "op that only lowering makes": [
    (g) => Object.assign(node(g, "norm"), { op: "quantise", variant: "i8tok", tensors: { x: "last", y: "norm" }, attrs: { k: 64, panel: 0 } }),
    "norm",
  ],
  "variant i8tok in a stored graph": [(g) => (node(g, "norm").variant = "i8tok"), "norm"],
  "activations on plain weights": [(g) => (node(g, "head").variant = "i8tok"), "head"],
  "activations that do not fit the scheme": [
    (g) => {
      tensor(g, "head.weight").format = "q4g32";
      node(g, "head").variant = "u7tok";
    },
    "head",
  ],
  "activations f32 by name": [(g) => (node(g, "head").variant = "f32"), "head"],
  "variant of a kernel": [(g) => (node(g, "head").variant = "q8"), "head"],
  "rows of the context": [(g) => (node(g, "norm").rows = "C"), "norm"],
  "rows a number": [(g) => (node(g, "norm").rows = 1000), "norm"],
  "rows of another symbol": [(g) => (node(g, "norm").rows = "T"), "norm"],
  "operand missing": [(g) => delete node(g, "norm").tensors.weight, "norm"],
  "operand that does not exist": [(g) => (node(g, "norm").tensors.x = "nothing"), "norm"],
  "operand __proto__": [(g) => (node(g, "norm").tensors.x = "__proto__"), "norm"],
  "operand a number": [(g) => (node(g, "norm").tensors.x = 3), "norm"],
  "operand of an unknown field": [(g) => (node(g, "norm").tensors.z = "last"), "norm"],
  "operand in the place of a number": [(g) => (node(g, "norm").tensors.k = "nothing"), "norm"],
  "packed matrix where a vector belongs": [(g) => (node(g, "norm").tensors.weight = "head.weight"), "norm"],
  "vector where a matrix belongs": [(g) => (node(g, "head").tensors.w = "norm.weight"), "head"],
  "value where a table belongs": [(g) => (node(g, "layers.0.attention.rope").tensors.table = "embed"), "layers.0.attention.rope"],
  "reading before writing": [(g) => g.nodes.unshift(node(g, "head"), ...g.nodes.splice(g.nodes.indexOf(node(g, "head")), 1).slice(1)), "head"],
  "changing before writing": [(g) => g.nodes.unshift({ ...node(g, "layers.0.attention.rope"), name: "early" }), "early"],
  "writing a weight": [(g) => (node(g, "norm").tensors.y = "norm.weight"), "norm"],
  "writing a cache": [(g) => (node(g, "layers.0.attention.mix").tensors.y = "layers.0.attention.mix.kcache"), "layers.0.attention.mix"],
  "rotating a constant": [(g) => (node(g, "layers.0.attention.rope").tensors.x = "rope"), "layers.0.attention.rope"],
  "wrong width": [(g) => (node(g, "norm").attrs.k = 63), "norm"],
  "wrong shape of a matrix": [(g) => (tensor(g, "layers.0.ffn.down.weight").shape = [64, 95]), "layers.0.ffn.down"],
  "attribute missing": [(g) => delete node(g, "norm").attrs.eps, "norm"],
  "attribute as text": [(g) => (node(g, "norm").attrs.eps = "1e-5"), "norm"],
  "attribute infinite": [(g) => (node(g, "norm").attrs.eps = null), "norm"],
  "attribute negative": [(g) => (node(g, "norm").attrs.panel = -1), "norm"],
  "attribute huge": [(g) => (node(g, "norm").attrs.panel = 2 ** 31), "norm"],
  "width of the context": [(g) => (node(g, "norm").attrs.k = "C"), "norm"],
  "slot unknown": [(g) => (node(g, "layers.0.attention.rope").attrs.pos = "T"), "layers.0.attention.rope"],
  "slot an address": [(g) => (node(g, "layers.0.attention.rope").attrs.pos = 0), "layers.0.attention.rope"],

  "a static format without a range": [
    (g) => {
      tensor(g, "layers.0.ffn.gate.weight").format = "q8";
      node(g, "layers.0.ffn.gate").variant = "i8static";
    },
    "layers.0.ffn.gate",
  ],
  "a range without a static format": [(g) => (node(g, "layers.0.ffn.gate").tensors.range = "norm.weight"), "layers.0.ffn.gate"],
  "low rank: down without up": [(g) => (node(g, "head").tensors.down = "layers.0.ffn.gate.weight"), "head"],
  "low rank: up without down": [(g) => (node(g, "layers.0.ffn.gate").tensors.up = "layers.0.ffn.gate.weight"), "layers.0.ffn.gate"],
  "low rank: ranks that differ": [
    (g) => Object.assign(node(g, "layers.0.ffn.gate").tensors, { down: "layers.0.attention.k.weight", up: "layers.0.ffn.up.weight" }),
    "layers.0.ffn.gate",
  ],
  "low rank: a norm as down": [(g) => Object.assign(node(g, "layers.0.ffn.gate").tensors, { down: "norm.weight", up: "layers.0.ffn.up.weight" }), "layers.0.ffn.gate"],
  "low rank: arranged weights": [
    (g) => {
      tensor(g, "layers.0.attention.q.weight").format = "q161";
      Object.assign(node(g, "layers.0.ffn.gate").tensors, { down: "layers.0.attention.q.weight", up: "layers.0.ffn.up.weight" });
    },
    "layers.0.attention.q",
  ],
  "low rank on what is no linear": [(g) => Object.assign(node(g, "norm").tensors, { down: "layers.0.attention.q.weight", up: "layers.0.attention.q.weight" }), "norm"],
  "cache in another format than its steps": [(g) => (node(g, "layers.0.attention.mix.append").variant = "i8"), "layers.0.attention.mix.append"],
  "cache a value": [(g) => (node(g, "layers.0.attention.mix").tensors.kcache = "layers.0.attention.k"), "layers.0.attention.mix"],
  "cache of fixed capacity": [
    (g) => {
      for (const c of ["kcache", "vcache"]) tensor(g, `layers.0.attention.mix.${c}`).shape = [2, 4, 16];
      for (const n of ["layers.0.attention.mix", "layers.0.attention.mix.append"]) node(g, n).attrs.capacity = 4;
    },
    "layers.0.attention.mix.append",
  ],
  "cache of another layer's heads": [(g) => (tensor(g, "layers.0.attention.mix.kcache").shape = [4, "C", 16]), "layers.0.attention.mix.append"],
  "room for the scores of few units": [(g) => (node(g, "layers.0.attention.mix").tensors.scores = "layers.0.attention.mix"), "layers.0.attention.mix"],
  "attention that leaves its blocks apart": [(g) => (node(g, "layers.0.attention.mix").tensors.parts = "layers.0.attention.mix"), "layers.0.attention.mix"],
  "heads not a multiple": [(g) => (node(g, "layers.0.attention.mix").attrs.kvheads = 3), "layers.0.attention.mix"],
  "no key heads": [(g) => (node(g, "layers.0.attention.mix").attrs.kvheads = 0), "layers.0.attention.mix"],
  "rotating more than a head": [(g) => (node(g, "layers.0.attention.rope").attrs.rot = 32), "layers.0.attention.rope"],
  "unknown pairing": [(g) => (node(g, "layers.0.attention.rope").attrs.pairing = 2), "layers.0.attention.rope"],
  "unknown activation": [(g) => (node(g, "layers.0.ffn.activation").attrs.kind = 99), "layers.0.ffn.activation"],
};

const failure = (text: string): SkintError => {
  try {
    parseGraph(text);
  } catch (e) {
    return e as SkintError;
  }
  return expect.unreachable("the graph was accepted");
};

test.each(Object.entries(MUTATIONS))("%s", (_, [change, blamed]) => {
  const graph = sound({ tied: false });
  change(graph);
  const error = failure(JSON.stringify(graph));
  expect(error).toMatchObject({ name: "SkintError", code: "graph.invalid", place: { what: blamed } });
  expect(error.message.length).toBeLessThan(1000);
});

test.each(["", "{", "null", "[]", "1", "true", '"graph"', "{}", '{"version":1}'])("the document %j is refused", (text) => expect(failure(text).code).toBe("graph.invalid"));

test("keys named __proto__ change nothing but what they are", () => {
  const text = JSON.stringify(sound()).replace('"points":{', '"points":{"__proto__":"norm",');
  const graph = parseGraph(text);
  expect(Object.getPrototypeOf(graph.points)).toBe(Object.prototype);
  const attrs = JSON.stringify(sound()).replace('"attrs":{', '"attrs":{"__proto__":{"eps":1},');
  expect(parseGraph(attrs).nodes[0].attrs.eps).toBeUndefined();
});

test("too many tensors or nodes are refused before they are looked at", () => {
  expect(failure(JSON.stringify({ ...sound(), nodes: new Array(100_001).fill(0) }))).toMatchObject({ code: "graph.invalid", place: { what: "skint.graph" } });
});

/** What is changed of a Mamba in int8 → [the change, what the error blames]. */
const INT8: Readonly<Record<string, readonly [(g: Loose) => void, string]>> = {
  "a scan of int8 rows without a range": [(g) => delete node(g, "layers.0.mixer.scan").tensors.rangeb, "layers.0.mixer.scan"],
  "a scan without its counters": [(g) => delete node(g, "layers.0.mixer.scan").tensors.saturations, "layers.0.mixer.scan"],
  "a scan of floats with a range": [(g) => (node(g, "layers.0.mixer.scan").variant = "f32"), "layers.0.mixer.scan"],
  "states of int8 without a range": [
    (g) => {
      node(g, "layers.0.mixer.scan").variant = "i8i8";
      tensor(g, "layers.0.mixer.scan.hidden").format = "ssm_i8i8";
      tensor(g, "layers.0.mixer.scan.saturations").format = "saturations_i8i8";
    },
    "layers.0.mixer.scan",
  ],
  "a window of floats under int8 rows": [(g) => (tensor(g, "layers.0.mixer.conv.window").format = "conv_f32"), "layers.0.mixer.conv"],
  "counters of another width": [(g) => (tensor(g, "layers.0.mixer.scan.saturations").shape = [1, 128]), "layers.0.mixer.scan"],
  "counters as hidden states": [(g) => (node(g, "layers.0.mixer.scan").tensors.hidden = "layers.0.mixer.scan.saturations"), "layers.0.mixer.scan"],
  "a range that is a value": [(g) => (node(g, "layers.0.mixer.scan").tensors.rangeb = "layers.0.mixer.dt"), "layers.0.mixer.scan"],
  "rows that no Hadamard matrix fits": [
    (g) => {
      for (const name of ["layers.0.mixer.out.weight", "layers.0.mixer.a.weight"]) tensor(g, name).shape[name.endsWith("out.weight") ? 1 : 0] = 37;
    },
    "layers.0.mixer",
  ],
};

const int8 = (): Loose => JSON.parse(JSON.stringify(applyRecipe(mamba.build(mambaConfig({ width: 64 }), { cache: "f16" }), recipeNamed("quamba"), () => "F32")));

test("the graph of a Mamba in int8 is sound", () => {
  expect(parseGraph(JSON.stringify(int8()))).toEqual(int8());
});

test.each(Object.entries(INT8))("%s is refused", (_, [change, what]) => {
  const g = int8();
  change(g);
  let error: unknown;
  try {
    parseGraph(JSON.stringify(g));
  } catch (e) {
    error = e;
  }
  expect(error).toMatchObject({ code: "graph.invalid" });
  expect((error as SkintError).place.what).toContain(what);
});
