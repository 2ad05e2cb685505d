// SentencePiece BPE, said as plainly as possible: of all neighbours that make a token together, join those with the best score, the leftmost of
// equals, until there are none; characters that are no token become their bytes. Quadratic, for tests.

export function sentencePieceIds(text: string, tokens: readonly string[], scores: readonly number[]): number[] {
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const parts = [...(text === "" ? "" : ` ${text}`).replaceAll(" ", "▁")];
  for (;;) {
    let best = -1;
    let score = Number.NEGATIVE_INFINITY;
    for (let i = 0; i + 1 < parts.length; i++) {
      const id = ids.get(parts[i] + parts[i + 1]);
      if (id === undefined || scores[id] <= score) continue;
      best = i;
      score = scores[id];
    }
    if (best < 0) break;
    parts.splice(best, 2, parts[best] + parts[best + 1]);
  }
  const byte = (b: number) => ids.get(`<0x${b.toString(16).toUpperCase().padStart(2, "0")}>`) as number;
  return parts.flatMap((part) => ids.get(part) ?? [...new TextEncoder().encode(part)].map(byte));
}
