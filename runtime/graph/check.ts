// A graph that came from a file is a stranger's program: every name, shape, attribute and symbol is checked before anything is planned.
import { ACTS } from "../act/catalogue.gen.ts";
import { SkintError } from "../errors.ts";
import { CODES } from "../image/weights.ts";
import { hadamardOf } from "../num/hadamard.ts";
import { OPS } from "../ops/catalogue.gen.ts";
import { SCHEMES } from "../quant/catalogue.gen.ts";
import { byteLength, isMatrix, RECURRENT_FORMATS } from "./formats.ts";
import { seesImages } from "./images.ts";
import type { Dim, Graph, GraphNode, TensorDef } from "./types.ts";

const MAX_NODES = 100_000;
const MAX_DIM = 2 ** 31;
const MAX_DIMS = 4;
/** Formats that have one number of dimensions: images, and what convolves them. */
const DIMS: Readonly<Record<string, number>> = { image: 4, fx16: 1, ...Object.fromEntries(Object.keys(CODES).map((f) => [f, 3])) };
const PLAIN = ["f32", "u32", "image", "fx16", ...Object.keys(CODES), "columns", "kv_f32", "kv_f16", "kv_i8", ...RECURRENT_FORMATS];
const ROLES = ["input", "output", "weight", "constant", "state", "value"];
const OPERANDS = ["in", "out", "inout", "in?", "out?", "inout?"];
const SYMBOLS = ["T", "L", "C"];

function bad(what: string, message: string): never {
  throw new SkintError("graph.invalid", `graph: ${message}; the file is damaged or was not written by this program`, { what });
}

const isObject = (v: unknown): v is Record<string, unknown> => typeof v === "object" && v !== null && !Array.isArray(v);

/** Parses and checks the graph document of a file. Throws `graph.invalid`. */
export function parseGraph(text: string): Graph {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (e) {
    throw new SkintError("graph.invalid", "graph: the document is not JSON; the file is damaged", { what: "skint.graph" }, { cause: e });
  }
  if (!isObject(raw) || raw.version !== 1) bad("version", "the version is not 1");
  if (!Array.isArray(raw.tensors) || !Array.isArray(raw.nodes) || !isObject(raw.points)) bad("skint.graph", "tensors, nodes or points are missing");
  if (raw.tensors.length > MAX_NODES || raw.nodes.length > MAX_NODES) bad("skint.graph", `more than ${MAX_NODES} tensors or nodes`);
  const graph = raw as unknown as Graph;
  for (const field of ["vocab", "context"] as const) if (!Number.isInteger(graph[field]) || graph[field] < 1 || graph[field] >= MAX_DIM) bad(field, `${field} is ${graph[field]}`);
  checkGraph(graph);
  return graph;
}

/** Checks names, shapes and attributes of a graph object. */
export function checkGraph(graph: Graph): void {
  const tensors = new Map<string, TensorDef>();
  for (const t of graph.tensors) {
    checkTensor(t, tensors);
    tensors.set(t.name, t);
  }
  for (const t of graph.tensors) if (t.view) checkView(t, tensors);
  const written = new Set(graph.tensors.filter((t) => t.role !== "value" && t.role !== "output").map((t) => t.name));
  const names = new Set<string>();
  for (const n of graph.nodes) {
    checkNode(n, tensors, written);
    if (names.has(n.name)) bad(n.name, `two nodes are called ${n.name}`);
    names.add(n.name);
    if (n.op === "embed") checkTable(n, graph);
  }
  for (const [point, name] of Object.entries(graph.points)) checkPoint(point, tensors.get(name), written);
  checkEnds(graph, tensors);
}

/** Taps copy rows of f32 that some node wrote. */
function checkPoint(point: string, t: TensorDef | undefined, written: Set<string>): void {
  const fits = t && (t.role === "value" || t.role === "output") && (t.shape.length === 2 || t.shape.length === 4) && written.has(t.view?.of ?? t.name);
  if (!fits) bad(point, `point ${point} names no rows that a node writes`);
}

/** A table of embeddings has a row for every token, or for every position of the context. */
function checkTable(n: GraphNode, graph: Graph): void {
  const [what, least] = n.tensors.tokens === "positions" ? ["positions", graph.context] : ["tokens", graph.vocab];
  if ((n.attrs.vocab as number) < least) bad(n.name, `node ${n.name} has a table of ${n.attrs.vocab} ${what}, ${least} are needed`);
}

/** The engine writes token ids to the input `tokens` [T, 1], positions to `positions` if there is one, and reads the output at point `logits`, [L, vocab]. */
function checkEnds(graph: Graph, tensors: Map<string, TensorDef>): void {
  if (seesImages(graph)) {
    checkImageEnds(graph, tensors);
    return;
  }
  for (const t of graph.tensors)
    if (t.role === "input" && ((t.name !== "tokens" && t.name !== "positions") || t.shape[0] !== "T" || t.shape[1] !== 1))
      bad(t.name, `input ${t.name} is neither tokens [T, 1] nor positions [T, 1]`);
  if (!tensors.has("tokens")) bad("tokens", "there is no input tokens");
  const logits = tensors.get(Object.hasOwn(graph.points, "logits") ? graph.points.logits : "");
  const fine = logits?.role === "output" && logits.shape[0] === "L" && logits.shape[1] === graph.vocab;
  if (!fine) bad("logits", `point logits is no output of ${graph.vocab} logits a row`);
}

/** A graph over images has no other input, and gives images, or scores of each of them: [T, vocab], or [T, 1, 1, vocab]. */
function checkImageEnds(graph: Graph, tensors: Map<string, TensorDef>): void {
  for (const t of graph.tensors) {
    if (t.role === "input" && (t.name !== "image" || t.shape[0] !== "T" || t.shape.length !== 4)) bad(t.name, `input ${t.name} is not images [T, height, width, channels]`);
    if (t.role === "constant" || t.role === "state") bad(t.name, `tensor ${t.name} is a ${t.role}, which graphs over images have none of`);
    if (t.role !== "weight" && t.shape[0] !== "T") bad(t.name, `tensor ${t.name} has ${t.shape[0]} rows, not one an image`);
  }
  if (!graph.tensors.some((t) => t.role === "output")) bad("outputs", "a network over images has no output");
  if (!Object.hasOwn(graph.points, "logits")) return;
  const scores = tensors.get(graph.points.logits);
  const fine = scores?.role === "output" && scores.format === "f32" && scores.shape.slice(1, -1).every((d) => d === 1) && scores.shape.at(-1) === graph.vocab;
  if (!fine) bad("logits", `point logits is no output of ${graph.vocab} scores an image`);
}

/** Lowering makes tensors and steps of its own; their names hold one of these. */
const RESERVED = /[+:]/;

function checkTensor(t: TensorDef, have: Map<string, TensorDef>): void {
  if (!isObject(t) || typeof t.name !== "string" || !t.name) bad("tensors", "a tensor has no name");
  if (RESERVED.test(t.name)) bad(t.name, `tensor ${t.name} has a name that only plans use`);
  if (have.has(t.name)) bad(t.name, `tensor ${t.name} is defined twice`);
  if (!ROLES.includes(t.role)) bad(t.name, `tensor ${t.name} has the role ${t.role}`);
  if (!Array.isArray(t.shape) || t.shape.length < 1 || t.shape.length > MAX_DIMS || !t.shape.every(isDim)) bad(t.name, `tensor ${t.name} has the shape ${JSON.stringify(t.shape)}`);
  if (typeof t.shape[t.shape.length - 1] !== "number" && t.name !== "" && t.role !== "value") bad(t.name, `the rows of tensor ${t.name} have no fixed length`);
  const known = typeof t.format !== "string" ? false : isMatrix(t) ? Object.hasOwn(SCHEMES, t.format) : PLAIN.includes(t.format);
  if (!known) bad(t.name, `tensor ${t.name} has the format ${t.format}, which this build does not know`);
  if (Object.hasOwn(DIMS, t.format) && t.shape.length !== DIMS[t.format])
    bad(t.name, `tensor ${t.name} of format ${t.format} has ${t.shape.length} dimensions, not ${DIMS[t.format]}`);
  if ((t.shape.length === 4 || t.format === "image") && !t.shape.slice(1).every((d) => typeof d === "number"))
    bad(t.name, `image ${t.name} has the shape ${JSON.stringify(t.shape)}`);
  if ((t.format === "fx16" || Object.hasOwn(CODES, t.format)) && t.role !== "weight") bad(t.name, `tensor ${t.name} is a ${t.role} of ${t.format}`);
  if (t.role === "constant" || t.constant !== undefined) checkConstant(t);
  if (t.format === "columns" && (t.role !== "weight" || typeof t.shape[0] !== "number")) bad(t.name, `tensor ${t.name} is a ${t.role} of columns`);
  byteLength(t, { T: 1, L: 1, C: 1 });
}

const isDim = (d: Dim) => (typeof d === "number" ? Number.isInteger(d) && d >= 1 && d < MAX_DIM : SYMBOLS.includes(d));

function checkConstant(t: TensorDef): void {
  const c = t.constant;
  const fine =
    t.role === "constant" &&
    t.format === "f32" &&
    isObject(c) &&
    c.kind === "rope" &&
    Array.isArray(c.frequencies) &&
    c.frequencies.every(Number.isFinite) &&
    Number.isFinite(c.scale);
  if (!fine || t.shape[0] !== "C" || t.shape[1] !== 2 * c.frequencies.length) bad(t.name, `constant ${t.name} is not a table of rotations`);
}

function checkView(t: TensorDef, tensors: Map<string, TensorDef>): void {
  const of = tensors.get(t.view?.of as string);
  const end = (t.view?.offset ?? Number.NaN) + (t.shape[1] as number);
  const fits =
    of &&
    !of.view &&
    of.role === "value" &&
    t.role === "value" &&
    t.shape.length === 2 &&
    of.format === "f32" &&
    t.format === "f32" &&
    of.shape[0] === t.shape[0] &&
    (t.view?.offset ?? -1) >= 0 &&
    end <= (of.shape[1] as number);
  if (!fits || !Number.isInteger(end)) bad(t.name, `view ${t.name} does not lie inside its tensor`);
}

function checkNode(n: GraphNode, tensors: Map<string, TensorDef>, written: Set<string>): void {
  if (!isObject(n) || typeof n.name !== "string" || !isObject(n.tensors) || !isObject(n.attrs)) bad("nodes", "a node is malformed");
  if (RESERVED.test(n.name)) bad(n.name, `node ${n.name} has a name that only plans use`);
  if (typeof n.op !== "string" || !Object.hasOwn(OPS, n.op)) bad(n.name, `node ${n.name} wants op ${n.op}, which this build does not know`);
  const op = OPS[n.op];
  if (!op.variants.includes(n.variant)) bad(n.name, `node ${n.name} wants variant ${n.variant} of ${n.op}`);
  if (n.rows !== "T" && n.rows !== "L") bad(n.name, `node ${n.name} runs over rows ${n.rows}`);
  const attrs: Record<string, number> = {};
  for (const [field, kind] of Object.entries(op.fields)) {
    const t = n.tensors[field];
    if (OPERANDS.includes(kind)) checkOperand(n, field, kind, t, tensors, written);
    else if (kind === "u32" || kind === "i32" || kind === "f32") attrs[field] = attribute(n, field, kind);
    else if (kind === "slot" && n.attrs[field] !== "pos") bad(n.name, `node ${n.name}: slot ${field} is ${n.attrs[field]}`);
  }
  for (const field of Object.keys(n.tensors))
    if (!Object.hasOwn(op.fields, field) || !OPERANDS.includes(op.fields[field])) bad(n.name, `node ${n.name} has an operand ${field} that ${n.op} does not take`);
  checkNeeds(n, op.needs);
  const complaint = op.complaint(attrs);
  if (complaint) bad(n.name, `node ${n.name}: ${complaint}`);
  for (const [field, rule] of Object.entries(op.shapes)) {
    const t = tensors.get(n.tensors[field] ?? "");
    if (t) checkShape(n, field, rule, t, attrs);
  }
  if (n.op === "linear") checkLinear(n, tensors);
}

/** Kernels of a variant trust that its operands are there. */
function checkNeeds(n: GraphNode, needs: Readonly<Record<string, readonly string[]>>): void {
  const wanted = needs[n.variant] ?? [];
  for (const field of new Set(Object.values(needs).flat()))
    if (wanted.includes(field) !== (n.tensors[field] !== undefined))
      bad(
        n.name,
        `node ${n.name} has ${n.tensors[field] === undefined ? "no" : "an"} operand ${field}, which ${n.op} in variant ${n.variant} ${wanted.includes(field) ? "wants" : "does not take"}`,
      );
}

/** A linear's variant is the activation format its weights are multiplied with; arranged weights have columns; a side path has both parts. */
function checkLinear(n: GraphNode, tensors: Map<string, TensorDef>): void {
  const w = tensors.get(n.tensors.w) as TensorDef;
  if (n.variant && !ACTS[n.variant].fits(SCHEMES[w.format])) bad(n.name, `node ${n.name} multiplies ${w.format} weights with ${n.variant} activations, which do not fit`);
  if (!n.tensors.range !== !ACTS[n.variant]?.rows)
    bad(n.name, `node ${n.name} has ${n.tensors.range ? "a" : "no"} range of its input, which is ${n.tensors.range ? "not " : ""}static`);
  if (ACTS[n.variant]?.rotated && !hadamardOf(w.shape[1] as number)) bad(n.name, `node ${n.name} transforms rows of ${w.shape[1]}, which no Hadamard matrix fits`);
  const [down, up] = [tensors.get(n.tensors.down ?? ""), tensors.get(n.tensors.up ?? "")];
  if (down?.shape[0] !== up?.shape[1]) bad(n.name, `node ${n.name} has a path of low rank whose parts do not fit: ${down?.shape[0] ?? "none"} down, ${up?.shape[1] ?? "none"} up`);
  if (!n.tensors.columns !== !SCHEMES[w.format].arranged)
    bad(n.name, `node ${n.name} has ${n.tensors.columns ? "columns" : "no columns"}, ${w.format} weights ${n.tensors.columns ? "take none" : "want them"}`);
}

function checkOperand(n: GraphNode, field: string, kind: string, name: string | undefined, tensors: Map<string, TensorDef>, written: Set<string>): void {
  if (name === undefined && kind.endsWith("?")) return;
  const t = tensors.get(name ?? "");
  if (!t) bad(n.name, `node ${n.name}: operand ${field} names ${String(name)}, which does not exist`);
  if (!formatFits(n, field, t)) bad(n.name, `node ${n.name}: operand ${field} (${t.name}) is ${t.role} ${t.format}, which it cannot be`);
  const memory = t.view?.of ?? t.name;
  if (kind.startsWith("in") && !written.has(t.name) && !written.has(memory)) bad(n.name, `node ${n.name} reads ${t.name} before anything wrote it`);
  if (kind.startsWith("out") && t.role !== "value" && t.role !== "output") bad(n.name, `node ${n.name} writes ${t.name}, which is a ${t.role}`);
  if (kind.startsWith("inout") && t.role !== "value" && t.role !== "state") bad(n.name, `node ${n.name} changes ${t.name}, which is a ${t.role}`);
  if (!kind.startsWith("in")) {
    written.add(t.name);
    written.add(memory);
  }
}

/** Kernels trust formats, token ids and states: each operand may only be what its kernel takes it for. Sets of neurons and their rows are lowering's own. */
function formatFits(n: GraphNode, field: string, t: TensorDef): boolean {
  const { weights, states, formats } = OPS[n.op];
  if (["only", "picks", "compact"].includes(field)) return false;
  const format = formats[n.variant]?.[field];
  if (format !== undefined) return t.format === format && t.role !== "state";
  if (field === "tokens") return t.role === "input" && t.format === "u32";
  if (field.startsWith("range")) return t.role === "weight" && t.format === "f32";
  if (field === "columns") return t.role === "weight" && t.format === "columns";
  if (Object.hasOwn(states, field)) return t.role === "state" && t.format === `${states[field]}_${n.variant}`;
  if (Object.hasOwn(weights, field)) return isMatrix(t) && (weights[field] === "any" ? field === "w" || !SCHEMES[t.format].arranged : t.format === weights[field]);
  if (n.op === "rope" && field === "table") return t.role === "constant";
  return t.format === "f32" && !isMatrix(t) && t.role !== "state";
}

function attribute(n: GraphNode, field: string, kind: string): number {
  const v = n.attrs[field];
  // The engine chooses the context: caches of any other length would be overrun.
  if (field === "capacity") return v === "C" ? -1 : bad(n.name, `node ${n.name}: capacity is ${JSON.stringify(v)}, not C`);
  const fine = typeof v === "number" && (kind === "f32" ? Number.isFinite(v) : Number.isInteger(v) && v >= 0 && v < MAX_DIM);
  if (!fine) bad(n.name, `node ${n.name}: attribute ${field} is ${JSON.stringify(v)}`);
  return v as number;
}

/** A rule's factor: -1 stands for C, which only C matches. */
function checkShape(n: GraphNode, field: string, rule: readonly (string | number)[], t: TensorDef, attrs: Record<string, number>): void {
  const want = rule.map((r): Dim | "*" => {
    if (r === "*" || typeof r === "number") return r;
    if (r === "rows") return n.rows;
    const product = r.split("*").reduce((p, f) => p * attrs[f], 1);
    return product === -1 ? "C" : product;
  });
  const fits = want.length === t.shape.length && want.every((w, i) => w === "*" || w === t.shape[i]);
  if (!fits) bad(n.name, `node ${n.name}: operand ${field} (${t.name}) has the shape [${t.shape.join(", ")}], [${want.join(", ")}] was expected`);
}
