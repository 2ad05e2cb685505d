// Four-bit weights of GGUF packed as q4g32m: how many stand for exactly what their blocks stand for (test/formats holds those against ggml's).
import type { Block } from "../../../runtime/formats/gguf/blocks/block.ts";
import { BLOCKS } from "../../../runtime/formats/gguf/blocks/index.ts";
import { createRandom } from "../../../runtime/num/random.ts";
import { type ExactQ4, q4g32mFromGguf } from "../../../runtime/quant/import.ts";
import { scheme } from "../../../runtime/quant/q4g32m.ts";
import { randomTensor } from "../../../test/support/gguf.ts";
import type { Measured } from "../goal.ts";

const TYPES: readonly ExactQ4[] = ["Q4_0", "Q4_1", "Q4_K"];
const [ROWS, K] = [1000, 1024];
const SEED = 3;

/** Share of weights of random matrices of each type that come out equal; zeros of both signs are. */
export async function exactImports(): Promise<Measured> {
  const random = createRandom(SEED);
  let equal = 0;
  for (const type of TYPES) {
    const { data } = randomTensor(type, type, [ROWS, K], random);
    const want = new Float32Array(ROWS * K);
    const block = BLOCKS.get(type) as Block;
    block.decode(data, want.length / block.elements, want);
    const packed = new Uint8Array(scheme.bytes(ROWS, K));
    q4g32mFromGguf(type, data, ROWS, K, packed);
    const got = scheme.decode(packed, ROWS, K);
    for (let i = 0; i < want.length; i++) if (got[i] === want[i]) equal++;
  }
  return { value: equal / (TYPES.length * ROWS * K), note: `random blocks of ${TYPES.join(", ")}, ${ROWS} × ${K} weights of each` };
}
