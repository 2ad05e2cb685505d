// The golden self-test of networks over images: an image made of a seed whose scores were hashed when the model was written.
import { SkintError } from "../../errors.ts";
import type { HasherFactory } from "../../io/hash.ts";
import { createRandom } from "../../num/random.ts";
import type { ImageEngine } from "./engine.ts";

const SEED = 20;

async function digest(engine: ImageEngine, sha256: HasherFactory): Promise<string> {
  const random = createRandom(SEED);
  await engine.run(Uint8Array.from({ length: engine.pixels }, () => random.u32() & 255));
  const scores = engine.scores(1);
  const hash = sha256();
  hash.update(new Uint8Array(scores.buffer, scores.byteOffset, scores.byteLength));
  return hash.digest();
}

export interface ImageGolden {
  /** SHA-256 of the scores. */
  readonly sha256: string;
}

export async function makeImageGolden(engine: ImageEngine, sha256: HasherFactory): Promise<ImageGolden> {
  return { sha256: await digest(engine, sha256) };
}

/** Throws `model.golden` if the engine does not give the scores the model was written with. */
export async function checkImageGolden(engine: ImageEngine, text: string, sha256: HasherFactory): Promise<void> {
  let want: unknown;
  try {
    want = (JSON.parse(text) as Partial<ImageGolden> | null)?.sha256;
  } catch (cause) {
    throw new SkintError("format.header", "the golden document is malformed; write the file again with skint compress", { what: "skint.golden" }, { cause });
  }
  const got = await digest(engine, sha256);
  if (got !== want)
    throw new SkintError(
      "model.golden",
      `the golden self-test on build ${engine.device.build} gave scores that hash to ${got.slice(0, 16)}…, the file says ${String(want).slice(0, 16)}…; compress the model again, and run skint doctor to see whether this build is sound`,
    );
}
