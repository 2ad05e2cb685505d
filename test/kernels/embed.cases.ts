import { SCHEMES } from "../../runtime/quant/catalogue.gen.ts";
import { isSparse } from "../../runtime/quant/scheme.ts";
import { normal } from "../support/data.ts";
import type { Case } from "./case.ts";

function make(variant: string, vocab: number, k: number, tokens: readonly number[], scale = 1, gap = 0): Case {
  const rows = tokens.length;
  return {
    name: `vocab ${vocab}, k ${k}, tokens ${tokens}, scale ${scale}${gap ? `, gap ${gap}` : ""}`,
    variant,
    rows,
    values: { vocab, k, scale },
    strides: { y: k + gap },
    tensors: () => {
      const table = new Uint8Array(SCHEMES[variant].bytes(vocab, k));
      SCHEMES[variant].encode(normal(vocab * k, 2, 0.3), vocab, k, table);
      return { tokens: Uint32Array.from(tokens), table, y: normal(rows * (k + gap), 3) };
    },
    compare: { y: "exact" },
  };
}

export const cases: Case[] = Object.keys(SCHEMES)
  // Those that no embedding has: rows arranged by columns, and 2:4 places.
  .filter((name) => !SCHEMES[name].arranged && !isSparse(SCHEMES[name]))
  .flatMap((variant) => [
    ...[1, 7, 8, 31, 32, 33, 127, 128, 200].map((k) => make(variant, 20, k, [0, 19, 7])),
    make(variant, 33, 40, [32, 16, 15, 16, 0], 6.928203, 3),
    make(variant, 17, 64, [16], 0.1),
    make(variant, 5, 16, [4, 5, 0xffffffff, 0]),
    make(variant, 5, 16, []),
  ]);
