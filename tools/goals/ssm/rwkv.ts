// Logits of the trained RWKV-5.2 that rwkv.cpp tests with against the logits that are stored beside it.
import { existsSync, readFileSync } from "node:fs";
import { rwkvFolder } from "../../../test/support/rwkv-file.ts";
import { open, packFolder } from "../../../test/support/tiny.ts";
import type { Absent, Measured } from "../goal.ts";

const FOLDER = "../shared/data/rwkv";
const [CHECKPOINT, EXPECTED] = ["tiny-rwkv-5v2-730K-FP32.bin", "expected-logits-5v2-730K.bin"].map((file) => `${FOLDER}/${file}`);
/** The text before the logits; its bytes are the tokens. */
const TEXT = '"in';

/** Worst |ours − theirs| over the largest |theirs|. */
export async function rwkv(): Promise<Measured | Absent> {
  if (![CHECKPOINT, EXPECTED].every(existsSync)) return { absent: `needs ${FOLDER}` };
  const model = await open((await packFolder(await rwkvFolder(new Uint8Array(readFileSync(CHECKPOINT))), "f32")).bytes, {});
  try {
    const got = await model.session().feed(Uint32Array.from(new TextEncoder().encode(TEXT)));
    const stored = readFileSync(EXPECTED);
    const want = new Float32Array(stored.buffer.slice(stored.byteOffset, stored.byteOffset + stored.length));
    const worst = want.reduce((m, v, i) => Math.max(m, Math.abs(got[i] - v)), 0);
    const scale = want.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
    return { value: worst / scale, note: `greatest difference ${worst.toExponential(1)} of logits up to ${scale.toFixed(1)}` };
  } finally {
    model.close();
  }
}
