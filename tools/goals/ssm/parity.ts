// Logits of Mamba and Mamba-2 in f32 against stored outputs of independent implementations: JAX for tiny-mamba (models/training) and Mamba-2
// (test/models/mamba2.py), transformers for made-up configs of Mamba (test/models/oracle.py).
import { readFileSync } from "node:fs";
import { hashedFolder, type Shapes } from "../../../test/support/hashed.ts";
import { open, packFolder } from "../../../test/support/tiny.ts";
import type { Measured } from "../goal.ts";
import { errorToOracle } from "../slice/quality.ts";
import { TINY_MAMBA } from "./models.ts";

const read = (file: string) => JSON.parse(readFileSync(`test/models/${file}`, "utf8"));

/** Worst |ours − theirs| over the largest |theirs| of a position. */
async function errorOfCase(config: object, tensors: Shapes, tokens: readonly number[], logits: string): Promise<number> {
  const bytes = Buffer.from(logits, "base64");
  const want = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const vocab = want.length / tokens.length;
  const model = await open((await packFolder(await hashedFolder(config as Record<string, unknown>, tensors), "f32")).bytes, {});
  try {
    let worst = 0;
    for (const [pos, token] of tokens.entries()) {
      const got = await model.engine.run("decode", Uint32Array.of(token), pos);
      const theirs = want.subarray(pos * vocab, (pos + 1) * vocab);
      const scale = theirs.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
      theirs.forEach((v, i) => {
        worst = Math.max(worst, Math.abs(got[i] - v) / scale);
      });
    }
    return worst;
  } finally {
    model.close();
  }
}

export async function parity(): Promise<Measured> {
  const { tokens, bases, cases } = read("cases.json");
  const golden = read("golden.json").cases;
  const errors = [{ name: "tiny-mamba", error: (await errorToOracle(TINY_MAMBA)).value }];
  for (const [name, { base, config }] of Object.entries(cases) as [string, { base: string; config: object }][]) {
    const all = { ...bases[base], ...config };
    if (/^mamba/.test(all.model_type)) errors.push({ name, error: await errorOfCase(all, golden[name].tensors, tokens, golden[name].logits) });
  }
  const second = read("mamba2.json");
  for (const [name, c] of Object.entries(second.cases) as [string, { config: object; tensors: Shapes; logits: string }][])
    errors.push({ name, error: await errorOfCase(c.config, c.tensors, second.tokens, c.logits) });
  return { value: Math.max(...errors.map((e) => e.error)), note: errors.map((e) => `${e.name} ${e.error.toExponential(1)}`).join(", ") };
}
