// Lowering a Llama graph: what is fused, quantised, tapped and merged, and that memory is laid out without collisions.
import { expect, test } from "vitest";
import { architecture } from "../../models/llama/model.ts";
import { PANEL } from "../../runtime/act/i8tok.ts";
import { byteLength } from "../../runtime/graph/formats.ts";
import type { Graph, TensorDef } from "../../runtime/graph/types.ts";
import { lower } from "../../runtime/plan/lower.ts";
import { memoryMap, offsetOf } from "../../runtime/plan/memory.ts";
import type { LowerOptions, Plan } from "../../runtime/plan/types.ts";
import { KERNELS } from "../../targets/devices/wasm/catalogue.gen.ts";
import { applyRecipe, type Recipe, recipeNamed, withRank } from "../../tools/compress/recipe.ts";
import { type TinyShape, tinyConfig } from "../support/tiny.ts";

const graphOf = (recipe: string | Recipe, shape: Partial<TinyShape> = {}): Graph => {
  const r = typeof recipe === "string" ? recipeNamed(recipe) : recipe;
  return applyRecipe(architecture.build(tinyConfig({ layers: 1, ...shape }), { cache: r.cache }), r, () => "F32");
};

const OPTIONS: LowerOptions = { name: "decode", symbols: { T: 1, L: 1, C: 32 }, kernels: KERNELS.simd, fuse: true, logits: "last", taps: [] };
const plan = (graph: Graph, options: Partial<LowerOptions> = {}): Plan => lower(graph, { ...OPTIONS, ...options });
const names = (p: Plan) => p.steps.map((s) => s.name);
const step = (p: Plan, name: string) => p.steps.find((s) => s.name === name) as Plan["steps"][number];

test("unfused: one step a node, and one quantised copy for all linears of an input", () => {
  expect(names(plan(graphOf("w4", { tied: false }), { fuse: false }))).toEqual([
    "embed",
    "layers.0.attention.norm",
    "layers.0.attention.q.quantise",
    "layers.0.attention.q",
    "layers.0.attention.k",
    "layers.0.attention.v",
    "layers.0.attention.rope",
    "layers.0.attention.mix.append",
    "layers.0.attention.mix",
    "layers.0.attention.o.quantise",
    "layers.0.attention.o",
    "layers.0.attention.residual",
    "layers.0.ffn.norm",
    "layers.0.ffn.gate.quantise",
    "layers.0.ffn.gate",
    "layers.0.ffn.up",
    "layers.0.ffn.activation",
    "layers.0.ffn.down.quantise",
    "layers.0.ffn.down",
    "layers.0.ffn.residual",
    "last",
    "norm",
    "head.quantise",
    "head",
    "peaks",
  ]);
});

test("fused: norms and activations quantise, additions and neighbours are folded in", () => {
  const p = plan(graphOf("w4", { tied: false }));
  expect(names(p)).toEqual([
    "embed",
    "layers.0.attention.norm",
    "layers.0.attention.q+k+v",
    "layers.0.attention.rope",
    "layers.0.attention.mix.append",
    "layers.0.attention.mix",
    "layers.0.attention.o.quantise",
    "layers.0.attention.o",
    "layers.0.ffn.norm",
    "layers.0.ffn.gate+up",
    "layers.0.ffn.activation",
    "layers.0.ffn.down",
    "last",
    "norm",
    "head",
    "peaks",
  ]);
  for (const n of ["layers.0.attention.norm", "layers.0.ffn.norm", "layers.0.ffn.activation", "norm"]) expect(step(p, n).variant).toBe("i8tok");
  expect(step(p, "layers.0.attention.o").tensors).toMatchObject({ residual: "embed", y: "layers.0.attention.residual" });
  expect(step(p, "layers.0.attention.q+k+v").attrs).toMatchObject({ n: 128, k: 64 });
  expect(step(p, "layers.0.ffn.gate+up").attrs.n).toBe(192);
});

test("the activation format of a linear is what its node says, else its scheme's own", () => {
  const p = plan(graphOf("w8u7"));
  for (const n of ["layers.0.attention.norm", "layers.0.ffn.activation", "layers.0.attention.o.quantise"]) expect(step(p, n).variant).toBe("u7tok");
  expect(step(p, "layers.0.ffn.gate+up")).toMatchObject({ variant: "q8_u7tok", kernel: "gemv_q8_u7tok__simd" });
  expect(step(plan(graphOf("w8")), "layers.0.ffn.gate+up")).toMatchObject({ variant: "q8", kernel: "gemv_q8__simd" });
});

test("linears of one input that want different activation formats read rows of their own and stay apart", () => {
  const g = graphOf("w8");
  const p = plan({ ...g, nodes: g.nodes.map((n) => (n.name === "layers.0.ffn.up" ? { ...n, variant: "u7tok" } : n)) });
  expect(names(p)).toEqual(expect.arrayContaining(["layers.0.ffn.gate.quantise", "layers.0.ffn.up.quantise", "layers.0.ffn.gate", "layers.0.ffn.up"]));
  expect([step(p, "layers.0.ffn.gate").variant, step(p, "layers.0.ffn.up").variant]).toEqual(["q8", "q8_u7tok"]);
});

test("weights that want arranged rows: a step of its own arranges and quantises, linears of one input share its rows and join", () => {
  const p = plan(graphOf("q161", { hidden: 128 }));
  expect(step(p, "layers.0.attention.q.quantise")).toMatchObject({ variant: "split161", tensors: { columns: "layers.0.attention.q.columns" } });
  expect(step(p, "layers.0.ffn.gate+up")).toMatchObject({ variant: "q161", tensors: expect.not.objectContaining({ columns: expect.anything() }) });
  expect(step(p, "layers.0.ffn.norm").variant).toBe("f32");
});

test("linears of one input with columns of their own read rows of their own", () => {
  const g = graphOf("q161");
  const own = { ...(g.tensors.find((t) => t.name === "layers.0.ffn.gate.columns") as TensorDef), name: "layers.0.ffn.up.columns" };
  const nodes = g.nodes.map((n) => (n.name === "layers.0.ffn.up" ? { ...n, tensors: { ...n.tensors, columns: own.name } } : n));
  expect(names(plan({ ...g, nodes, tensors: [...g.tensors, own] }))).toEqual(
    expect.arrayContaining(["layers.0.ffn.gate.quantise", "layers.0.ffn.up.quantise", "layers.0.ffn.gate", "layers.0.ffn.up"]),
  );
});

test("a static format: who quantises has the range, kernels are those of the rows it has", () => {
  const p = plan(graphOf("w8s8", { hidden: 128, tied: false }));
  expect(step(p, "layers.0.attention.norm")).toMatchObject({ variant: "i8tok", tensors: { range: "layers.0.attention.q.range" } });
  expect(step(p, "layers.0.attention.o.quantise")).toMatchObject({ variant: "i8tok", tensors: { range: "layers.0.attention.o.range" } });
  expect(step(p, "layers.0.ffn.gate+up")).toMatchObject({ variant: "q8", tensors: expect.not.objectContaining({ range: expect.anything() }) });
  expect(step(p, "norm").tensors.range).toBeUndefined();
});

test("activations with a scale for each 32: who makes them writes them once for all linears that read them", () => {
  const p = plan(graphOf("w4a32", { tied: false }));
  expect(step(p, "layers.0.attention.norm")).toMatchObject({ variant: "i8g32", attrs: { panel: PANEL.q4 } });
  expect(step(p, "layers.0.attention.q+k+v")).toMatchObject({ variant: "q4g32_i8g32", kernel: "gemv_q4g32_i8g32__simd", attrs: { n: 128, k: 64 } });
  for (const n of ["layers.0.attention.o.quantise", "layers.0.ffn.norm", "layers.0.ffn.activation"]) expect(step(p, n).variant).toBe("i8g32");
  expect([step(p, "norm").variant, step(p, "head").variant]).toEqual(["i8tok", "q8"]);
});

test("source: what becomes 4 or 8 bits is multiplied as llama.cpp does, floats stay floats", () => {
  const stored: Record<string, string> = { gate: "Q4_1", up: "F16", down: "Q6_K", q: "F32" };
  const variants = (recipe: string) => {
    const g = applyRecipe(architecture.build(tinyConfig({ layers: 1 }), { cache: "f16" }), recipeNamed(recipe), (weight) => stored[weight.split(".").at(-2) as string] ?? "Q4_0");
    const p = plan(g);
    return ["attention.q", "attention.o", "ffn.gate", "ffn.up", "ffn.down"].map((n) => step(p, `layers.0.${n}`).variant);
  };
  expect(variants("source")).toEqual(["f32", "q4g32m_i8g32", "q4g32m_i8g32", "f16", "q8g32_i8g32"]);
  expect(variants("source-i8tok")).toEqual(["f32", "q4g32m", "q4g32m", "f16", "q8g32"]);
});

test("a path of low rank costs the linears of an input three steps: down reads their rows, up adds what they left, between them is quantised", () => {
  const p = plan(graphOf("w4+lr32", { hidden: 128, tied: false }), { kernels: KERNELS.relaxed });
  expect(names(p).filter((n) => n.startsWith("layers.0.attention."))).toEqual([
    "layers.0.attention.norm",
    "layers.0.attention.q+k+v",
    "layers.0.attention.q:down",
    "layers.0.attention.q:up.quantise",
    "layers.0.attention.q:up+k:up+v:up",
    ...["rope", "mix.append", "mix", "mix:merge", "o.quantise", "o", "o:down", "o:up.quantise", "o:up", "residual"]
      .map((n) => `layers.0.attention.${n}`)
      .filter((n) => names(p).includes(n)),
  ]);
  expect(step(p, "layers.0.attention.norm").variant).toBe("i8tok");
  expect(step(p, "layers.0.attention.q:down")).toMatchObject({ variant: "q8", tensors: { x: step(p, "layers.0.attention.q+k+v").tensors.x } });
  expect(step(p, "layers.0.attention.o:up").tensors.residual).toBe("layers.0.attention.o:base");
});

test("linears of an input that have a path each are still multiplied together, and so are the first halves of their paths", () => {
  const p = plan(graphOf(withRank(recipeNamed("w4-svd"), 16), { hidden: 128, tied: false }), { kernels: KERNELS.relaxed });
  const attention = names(p).filter((n) => n.startsWith("layers.0.attention."));
  expect(attention.slice(0, 3)).toEqual(["norm", "q+k+v", "q:down+k:down+v:down"].map((n) => `layers.0.attention.${n}`));
  for (const n of ["q", "k", "v"]) expect(step(p, `layers.0.attention.${n}:up`).tensors.residual).toBeDefined();
});

test("floats are not quantised", () => {
  expect(names(plan(graphOf("f32"))).filter((n) => n.includes("quantise"))).toEqual([]);
  expect(step(plan(graphOf("f32")), "norm").variant).toBe("f32");
});

test("weights of merged linears lie one behind the other, biases too", () => {
  const p = plan(graphOf("w4", { bias: true }));
  const part = (what: string) => ["q", "k", "v"].map((n) => `layers.0.attention.${n}.${what}`);
  expect(p.adjacent).toEqual([part("weight"), part("bias"), ["layers.0.ffn.gate.weight", "layers.0.ffn.up.weight"]]);
  const { tensors } = memoryMap([p]);
  for (const group of p.adjacent)
    for (let i = 1; i < group.length; i++) {
      const before = tensors.get(group[i - 1]);
      expect(tensors.get(group[i])?.offset).toBe((before?.offset ?? 0) + byteLength(p.tensors.get(group[i - 1]) as never, p.symbols));
    }
});

test("linears whose rows fill no block are not merged", () => {
  expect(names(plan(graphOf("f32", { hidden: 50 })))).toEqual(expect.arrayContaining(["layers.0.ffn.gate", "layers.0.ffn.up"]));
  expect(names(plan(graphOf("f32", { heads: 3, kvheads: 1, dh: 12 })))).toContain("layers.0.attention.q");
});

test("logits of the last token, or of every one", () => {
  const last = plan(graphOf("f32"));
  expect(step(last, "last")).toMatchObject({ op: "copy", rows: "T" });
  expect(step(last, "head")).toMatchObject({ rows: "L", kernel: expect.stringMatching(/^gemv/) });
  const all = plan(graphOf("f32"), { logits: "all", symbols: { T: 64, L: 64, C: 64 } });
  expect(names(all)).not.toContain("last");
  expect(step(all, "norm").tensors.x).toBe("layers.0.ffn.residual");
  expect(step(all, "head")).toMatchObject({ rows: "L", kernel: expect.stringMatching(/^gemm/) });
});

const MANY = { T: 64, L: 1, C: 64 };
/** Steps that compute a row for each token. */
const forAll = (p: Plan) => p.steps.filter((s) => s.rows === "T").map((s) => s.name);

test("behind the last attention of a prefill only the last token's row is computed", () => {
  const p = plan(graphOf("w4", { layers: 2 }), { symbols: MANY });
  const at = names(p).indexOf("layers.1.attention.mix");
  expect(names(p).slice(at)).toEqual([
    "layers.1.attention.mix",
    "layers.1.attention.mix:last",
    "layers.1.attention.o.quantise",
    "layers.1.attention.o",
    "layers.1.ffn.norm",
    "layers.1.ffn.gate+up",
    "layers.1.ffn.activation",
    "layers.1.ffn.down",
    "norm",
    "head",
    "peaks",
  ]);
  expect(forAll(p)).toEqual(expect.arrayContaining(names(p).slice(0, at + 2)));
  expect(forAll(p)).toHaveLength(at + 2);
  expect(step(p, "layers.1.attention.o").tensors.residual).toBe("layers.0.ffn.residual:last");
  for (const s of p.steps.slice(at + 2)) expect(s.kernel).not.toMatch(/^gemm/);
});

test("a path of low rank beside the last layer's weights has one row too", () => {
  const p = plan(graphOf("w4+lr32"), { symbols: MANY });
  expect(forAll(p).filter((name) => name.startsWith("layers.0.ffn"))).toEqual([]);
});

test("what a tap looks at is computed for every token", () => {
  const p = plan(graphOf("w4"), { symbols: MANY, taps: ["layers.0.ffn.hidden"] });
  expect(forAll(p)).toEqual(expect.arrayContaining(["layers.0.attention.o", "layers.0.ffn.gate+up", "layers.0.ffn.activation", "tap:layers.0.ffn.hidden"]));
  expect(forAll(p)).not.toContain("layers.0.ffn.down");
});

test("taps copy right behind the last write, and keep what they read from being fused away", () => {
  const taps = ["layers.0.in", "layers.0.attention.q.in", "layers.0.ffn.hidden", "layers.0.out", "logits"];
  const p = plan(graphOf("w4"), { taps });
  const order = names(p);
  expect(order.filter((n) => n.startsWith("tap:")).sort()).toEqual(taps.map((t) => `tap:${t}`).sort());
  const before = (n: string) => order[order.indexOf(n) - 1];
  expect(before("tap:layers.0.in")).toBe("embed");
  expect(before("tap:layers.0.attention.q.in")).toBe("layers.0.attention.norm");
  expect(before("tap:layers.0.ffn.hidden")).toBe("layers.0.ffn.activation");
  expect(before("tap:logits")).toBe("head");
  expect(step(p, "layers.0.attention.norm").variant).toBe("f32");
  expect(order).toContain("layers.0.attention.q.quantise");
  expect(p.tensors.get("tap:layers.0.out")).toMatchObject({ role: "output", shape: ["T", 64] });
});

test("a tap on an attention pattern is written by the attention itself", () => {
  const p = plan(graphOf("f16"), { taps: ["layers.0.attention.mix.pattern"] });
  expect(step(p, "layers.0.attention.mix").tensors.pattern).toBe("tap:layers.0.attention.mix.pattern");
  expect(p.tensors.get("tap:layers.0.attention.mix.pattern")?.shape).toEqual(["T", 4, "C"]);
});

test("where one row looks at more than a block of positions, units own blocks and a step puts them together", () => {
  const symbols = { T: 1, L: 1, C: 4096 };
  const p = plan(graphOf("w4kv8", { heads: 3, kvheads: 1 }), { symbols });
  const [mix, merge] = [step(p, "layers.0.attention.mix"), step(p, "layers.0.attention.mix:merge")];
  expect(mix.tensors).toMatchObject({ parts: merge.tensors.parts });
  expect(mix.tensors.y).toBeUndefined();
  expect(merge).toMatchObject({ op: "attentionmerge", tensors: { y: "layers.0.attention.mix" } });
  expect(mix.units, "more lanes than heads have work").toBeGreaterThan(1);
  for (const whole of [{ symbols: { ...symbols, C: 256 } }, { symbols: { ...symbols, T: 64 } }, { symbols, taps: ["layers.0.attention.mix.pattern"] }])
    expect(names(plan(graphOf("w4kv8"), whole)), JSON.stringify(whole)).not.toContain("layers.0.attention.mix:merge");
});

test("a tap that does not exist is refused with some that do", () => {
  expect(() => plan(graphOf("f32"), { taps: ["layers.9.out"] })).toThrow(
    expect.objectContaining({ code: "graph.invalid", place: { what: "layers.9.out" }, message: expect.stringContaining("layers.0.in") }),
  );
});

test.each([
  ["attention_", "layers.0.attention.mix"],
  ["gem", "layers.0.attention.q"],
  ["rope_", "layers.0.attention.rope"],
  ["embed_", "embed"],
])("without kernels %s the step %s is named", (prefix, what) => {
  const kernels = KERNELS.simd.filter((k) => !k.startsWith(prefix));
  for (const recipe of ["f32", "w4"])
    for (const fuse of [true, false])
      expect(() => plan(graphOf(recipe), { kernels, fuse })).toThrow(
        expect.objectContaining({ code: "plan.kernel", message: expect.stringMatching(`^step ${what}[^:]*: no kernel`), place: { what: expect.stringContaining(what) } }),
      );
});

/** A residual that is computed only after the linear it is added to (as where attention and feed-forward stand side by side). */
function parallel(): Graph {
  const g = graphOf("f32");
  const nodes = [...g.nodes];
  const at = (name: string) => nodes.findIndex((n) => n.name === name);
  const [late] = nodes.splice(at("layers.0.attention.residual"), 1);
  // x + ffn(norm(x)) first, the attention's output is added after it
  nodes[at("layers.0.ffn.norm")] = { ...nodes[at("layers.0.ffn.norm")], tensors: { ...nodes[at("layers.0.ffn.norm")].tensors, x: "embed" } };
  nodes.splice(at("layers.0.ffn.residual"), 0, late);
  return { ...g, nodes };
}

test("an addition is folded only into a linear that runs after what is added", () => {
  const p = plan(parallel());
  expect(step(p, "layers.0.ffn.down").tensors.residual).toBeUndefined();
  const written = new Set<string>();
  for (const s of p.steps) {
    if (s.tensors.residual) expect(written, `${s.name} adds ${s.tensors.residual}`).toContain(s.tensors.residual);
    if (s.tensors.y) written.add(s.tensors.y);
  }
});

test("a linear added to itself is not folded", () => {
  const g = graphOf("f32");
  const nodes = g.nodes.map((n) => (n.name === "layers.0.ffn.residual" ? { ...n, tensors: { ...n.tensors, a: "layers.0.ffn.down" } } : n));
  expect(names(plan({ ...g, nodes }))).toContain("layers.0.ffn.residual");
});

const RECIPES = ["f32", "f16", "w8", "w8u7", "w8g32", "w4", "w4g128", "t2", "q161", "w4+lr32", "t2+lr32", "24w8-magnitude", "24v8w4-magnitude", "w4kv8"];

test.each(RECIPES)("%s: in memory nothing that is needed at the same time shares bytes, in all four plans", (recipe) => {
  for (const shape of [
    { tied: true, bias: true, layers: 2 },
    { tied: false, layers: 2, hidden: 50 },
  ]) {
    const graph = graphOf(recipe, shape);
    const taps = ["layers.1.out", "layers.0.attention.mix.pattern"];
    const plans = [
      plan(graph),
      plan(graph, { name: "prefill", symbols: { T: 64, L: 1, C: 32 } }),
      plan(graph, { name: "score", symbols: { T: 64, L: 64, C: 32 }, logits: "all" }),
      plan(graph, { name: "diagnose", taps, fuse: false }),
    ];
    const map = memoryMap(plans);
    const mapped = [...map.tensors].sort(([, a], [, b]) => a.offset - b.offset);
    for (const [i, [name, r]] of mapped.entries()) {
      expect(r.offset % 4).toBe(0);
      expect(r.offset + r.bytes, name).toBeLessThanOrEqual(mapped[i + 1]?.[1].offset ?? map.arena);
    }
    for (const p of plans) checkArena(p, map);
  }
});

/** Every operand lies in memory; of one step's lifetime on, its values lie apart from all that are alive. */
function checkArena(p: Plan, map: ReturnType<typeof memoryMap>): void {
  const rootOf = (name: string) => p.tensors.get(name)?.view?.of ?? name;
  const life = new Map<string, [number, number]>();
  p.steps.forEach((s, i) => {
    for (const name of Object.values(s.tensors)) {
      const root = rootOf(name);
      life.set(root, [life.get(root)?.[0] ?? i, i]);
      const end = offsetOf(map, p, root) + byteLength(p.tensors.get(root) as never, p.symbols);
      expect(end, `${s.name}: ${name}`).toBeLessThanOrEqual(map.bytes);
      if (!map.tensors.has(root)) expect(offsetOf(map, p, root), `${s.name}: ${name}`).toBeGreaterThanOrEqual(map.arena);
    }
  });
  const values = [...life].filter(([name]) => !map.tensors.has(name));
  for (const [a, [fromA, toA]] of values)
    for (const [b, [fromB, toB]] of values) {
      if (a === b || fromA > toB || fromB > toA) continue;
      const [startA, startB] = [offsetOf(map, p, a), offsetOf(map, p, b)];
      const apart = startA + byteLength(p.tensors.get(a) as never, p.symbols) <= startB || startB + byteLength(p.tensors.get(b) as never, p.symbols) <= startA;
      expect(apart, `${p.name}: ${a} and ${b}`).toBe(true);
    }
}
