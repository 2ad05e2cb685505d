// Scans of Mamba-2 that go by chunks of rows, and their scratch memory. Shape and most rows of a step decide, never threads.
import type { Symbols } from "../graph/formats.ts";
import { resolve } from "../graph/formats.ts";
import { chunkPieces, inChunks, scratchWords } from "../ops/ssd/chunks.ts";
import { MAX_UNITS } from "./choose.ts";
import { type Ir, Rewrite } from "./ir.ts";

export function placeChunks(ir: Ir, symbols: Symbols): void {
  const rewrite = new Rewrite();
  for (const n of ir.nodes.filter((node) => node.op === "ssd")) {
    const attrs = n.attrs as Readonly<Record<string, number>>;
    if (!inChunks(attrs, resolve(n.rows, symbols))) continue;
    const scratch = `${n.name}:scratch`;
    ir.tensors.set(scratch, { name: scratch, role: "value", format: "f32", shape: [Math.min(MAX_UNITS, chunkPieces(attrs)), scratchWords(attrs)] });
    rewrite.replace(n, { ...n, variant: "chunks", tensors: { ...n.tensors, scratch } });
  }
  rewrite.apply(ir);
}
