// Models whose 2:4 weights (runtime/quant/sparse24.ts) hold places that no encoder writes. Digests are right: whoever wrote the file meant it.
// Nothing is refused: any bits name one of the 8 activations of their window, so that such a model computes something else, but never reads
// elsewhere. That all builds compute the same of it is tested with the kernels (test/kernels/linear.cases.ts).
import { openPack } from "../../runtime/formats/skint/reader.ts";
import { memorySource } from "../../runtime/io/source.ts";
import { SCHEMES } from "../../runtime/quant/catalogue.gen.ts";
import { pack, tinyCheckpoint } from "../support/tiny.ts";
import type { Attacks } from "./attack.ts";
import { seal } from "./columns.ts";

const WEIGHTS = "layers.0.ffn.down.weight";
const K = 96;

/** By recipe: the scheme, and how many bytes of scales stand in front of each block or group; they alone stay. */
const LAYOUTS = {
  "24w8-magnitude": { scheme: "q8s24", head: 64, period: SCHEMES.q8s24.bytes(16, K) },
  "24w4-magnitude": { scheme: "q4s24", head: 32, period: SCHEMES.q4s24.bytes(16, 128) },
  "24v8w8-magnitude": { scheme: "q8s24v", head: 64, period: SCHEMES.q8s24v.bytes(16, K) },
  "24v8w4-magnitude": { scheme: "q4s24v", head: 32, period: SCHEMES.q4s24v.bytes(16, 128) },
} as const;

/** The model of a recipe with places, sums and values all changed. */
async function changed(recipe: keyof typeof LAYOUTS, change: (byte: number, i: number) => number): Promise<Uint8Array> {
  const { bytes } = await pack(await tinyCheckpoint({ layers: 1, tied: false, hidden: K }), recipe);
  const file = await openPack(memorySource(bytes, "model"));
  const at = file.tensors.get(WEIGHTS);
  if (!at) throw new Error(`there is no ${WEIGHTS}`);
  const { head, period } = LAYOUTS[recipe];
  for (let i = 0; i < at.bytes; i++) if (i % period >= head) bytes[at.offset + i] = change(bytes[at.offset + i], i);
  return seal(bytes, file);
}

const CHANGES: Readonly<Record<string, (byte: number, i: number) => number>> = {
  "sound": (byte) => byte,
  "every bit set": () => 0xff,
  "no bit set": () => 0,
  "every bit the other way": (byte) => byte ^ 0xff,
  "bits at random": (_, i) => (Math.imul(i + 1, 0x9e3779b9) >>> 13) & 0xff,
};

export const SPARSE: Attacks = Object.fromEntries(
  (Object.keys(LAYOUTS) as (keyof typeof LAYOUTS)[]).flatMap((recipe) =>
    Object.entries(CHANGES).map(([name, change]) => [`${LAYOUTS[recipe].scheme}: ${name}`, { make: () => changed(recipe, change), expect: "accept" }]),
  ),
);
