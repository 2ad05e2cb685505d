// Whole tiny models against the double-precision forward pass, in every shape the Llama builder offers.
import { expect, test } from "vitest";
import { arrange, type Columns, greatestColumns } from "../../runtime/graph/columns.ts";
import { SCHEMES } from "../../runtime/quant/catalogue.gen.ts";
import type { Scheme } from "../../runtime/quant/scheme.ts";
import { forward, relativeError } from "../support/oracle-llama.ts";
import { open, pack, type Tiny, type TinyShape, tinyCheckpoint, tokensOf, type Weight } from "../support/tiny.ts";

const BOUND = 1e-5;

const SHAPES: Readonly<Record<string, Partial<TinyShape>>> = {
  "tied head, grouped queries": {},
  "head of its own": { tied: false },
  "biases in attention": { bias: true },
  "gelu": { activation: "gelu" },
  "gelu by tanh": { activation: "gelu_pytorch_tanh" },
  "relu": { activation: "relu" },
  "every query its own key": { kvheads: 4 },
  "one key for all queries": { kvheads: 1 },
  "one head": { heads: 1, kvheads: 1 },
  "heads wider than the model": { dh: 24 },
  "widths that fill no block": { width: 36, heads: 3, kvheads: 1, dh: 12, hidden: 50, vocab: 271 },
  "one layer, one token wide": { layers: 1, hidden: 1 },
};

test.each(Object.entries(SHAPES))("%s: logits are those of the formulas", async (_, shape) => {
  const tiny = await tinyCheckpoint(shape);
  const tokens = tokensOf(21, tiny.shape.vocab);
  const want = forward(tiny, tokens);
  const model = await open((await pack(tiny, "f32")).bytes, { batch: 8 });
  try {
    const session = model.session();
    for (const at of [0, 1, 8, 13, 20]) expect(relativeError(await session.feed(tokens.subarray(0, at + 1)), want[at]), `token ${at}`).toBeLessThan(BOUND);
  } finally {
    model.close();
  }
});

test("f16 weights and caches give the logits of their rounded values", async () => {
  const tiny = await tinyCheckpoint({ dtype: "F16", tied: false });
  const tokens = tokensOf(9, tiny.shape.vocab);
  const model = await open((await pack(tiny, "f16")).bytes);
  try {
    expect(relativeError(await model.session().feed(tokens), forward(tiny, tokens, "f16")[8])).toBeLessThan(1e-4);
  } finally {
    model.close();
  }
});

// Random weights lose more to rounding than trained ones; what a scheme costs a trained model is measured in test/models.
const NEAR: Readonly<Record<string, number>> = { w8: 0.15, w8u7: 0.2, w8g32: 0.15, w4: 0.5, w4g128: 0.5, w4kv8: 0.5 };

test.each(Object.entries(NEAR))("recipe %s stays within %f of the formulas", async (recipe, bound) => {
  const tiny = await tinyCheckpoint({ tied: false });
  const tokens = tokensOf(9, tiny.shape.vocab);
  const model = await open((await pack(tiny, recipe)).bytes);
  try {
    const error = relativeError(await model.session().feed(tokens), forward(tiny, tokens)[8]);
    expect(error).toBeLessThan(bound);
    expect(error).toBeGreaterThan(BOUND);
  } finally {
    model.close();
  }
});

/** The checkpoint with what its linears' weights come back as from a scheme; those of each group read one input. */
function afterScheme(tiny: Tiny, scheme: Scheme): Tiny {
  const weights = new Map(tiny.weights);
  const groups = ["self_attn.q_proj self_attn.k_proj self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj mlp.up_proj", "mlp.down_proj"];
  for (let layer = 0; layer < tiny.shape.layers; layer++)
    for (const group of groups) {
      const names = group.split(" ").map((name) => `model.layers.${layer}.${name}.weight`);
      const k = (tiny.weights.get(names[0]) as Weight).shape[1];
      const energy = new Float64Array(k);
      for (const name of names) for (const [i, v] of (tiny.weights.get(name) as Weight).values.entries()) energy[i % k] += v ** 2;
      for (const name of names) weights.set(name, roundTrip(tiny.weights.get(name) as Weight, scheme, scheme.arranged && greatestColumns(energy)));
    }
  return { ...tiny, weights };
}

function roundTrip({ shape, values }: Weight, scheme: Scheme, columns: Columns | undefined): Weight {
  const [n, k] = shape;
  // where column i of the checkpoint stands in the scheme's order
  const order = columns
    ? arrange(
        Float32Array.from({ length: k }, (_, i) => i),
        columns,
      )
    : undefined;
  const at = (i: number) => order?.[i % k] ?? i % k;
  const packed = new Uint8Array(scheme.bytes(n, k));
  scheme.encode(
    values.map((_, i) => values[i - (i % k) + at(i)]),
    n,
    k,
    packed,
  );
  const back = scheme.decode(packed, n, k);
  const turned = new Float32Array(values.length);
  for (let i = 0; i < back.length; i++) turned[i - (i % k) + at(i)] = back[i];
  return { shape, values: turned };
}

test.each(["t2", "q161"])("%s: few bits cost random weights nearly all; the logits are those of the weights that are left", async (recipe) => {
  const tiny = await tinyCheckpoint({ tied: false, width: 128, heads: 8, hidden: 160 });
  const tokens = tokensOf(9, tiny.shape.vocab);
  const model = await open((await pack(tiny, recipe)).bytes);
  try {
    expect(relativeError(await model.session().feed(tokens), forward(afterScheme(tiny, SCHEMES[recipe]), tokens)[8])).toBeLessThan(0.1);
  } finally {
    model.close();
  }
});

test.each(["w4", "t2", "q161"])("%s: a path of rank 32 beside matrices of 64 to 160 columns makes up for half of what the scheme lost, and more", async (recipe) => {
  const tiny = await tinyCheckpoint({ tied: false, width: 64, hidden: 160, layers: 1 });
  const tokens = tokensOf(9, tiny.shape.vocab);
  const want = forward(tiny, tokens)[8];
  const error = async (name: string) => {
    const model = await open((await pack(tiny, name)).bytes);
    try {
      return relativeError(await model.session().feed(tokens), want);
    } finally {
      model.close();
    }
  };
  expect(await error(`${recipe}+lr32`)).toBeLessThan(0.7 * (await error(recipe)));
});
