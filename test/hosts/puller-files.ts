// What puller.ts pulls: the same bytes in every process.
export const FILES = 4;
export const urlOf = (i: number) => `https://files.example/${i}/model.gguf`;

export function content(i: number): Uint8Array {
  const out = new Uint8Array(300_000 + 7777 * i);
  for (let n = 0, x = i + 1; n < out.length; n++) {
    x = (Math.imul(x, 1103515245) + 12345) >>> 0;
    out[n] = x >>> 24;
  }
  return out;
}
