// Columns of a matrix as q161 wants them: which are salient, and a factor for each of the others that activations are multiplied with. Linears
// that share an input share them. Stored (format `columns`): k bits, set for the salient ones, in whole words of 32, then the factors of the
// others in order, f16, then 2 to 4 bytes of zero (kernels look one factor ahead). A mask cannot name a column twice or one that is not there.
import { SkintError } from "../errors.ts";
import { f16ToF32, f32ToF16 } from "../num/half.ts";
import { roundup } from "../num/int.ts";
import { splitOf } from "../quant/q161.ts";

export interface Columns {
  /** [k], 1 for the salient columns. */
  readonly salient: Uint8Array;
  /** Of the others, in order. */
  readonly factors: Float32Array;
}

const maskBytes = (k: number) => roundup(k, 32) / 8;

export const columnsBytes = (k: number) => maskBytes(k) + roundup(2 * splitOf(k).binary + 2, 4);

/** The salient columns: those of the greatest `weight`, as many as q161 has of k; the earlier one of two alike. All factors 1. */
export function greatestColumns(weight: ArrayLike<number>): Columns {
  const k = weight.length;
  const { salient, binary } = splitOf(k);
  const order = Array.from({ length: k }, (_, i) => i).sort((a, b) => weight[b] - weight[a] || a - b);
  const mask = new Uint8Array(k);
  for (const i of order.slice(0, salient)) mask[i] = 1;
  return { salient: mask, factors: new Float32Array(binary).fill(1) };
}

export function packColumns({ salient, factors }: Columns): Uint8Array {
  const k = salient.length;
  const out = new Uint8Array(columnsBytes(k));
  for (let i = 0; i < k; i++) out[i >> 3] |= salient[i] << (i & 7);
  factors.forEach((f, i) => {
    const h = f32ToF16(f);
    out[maskBytes(k) + 2 * i] = h & 255;
    out[maskBytes(k) + 2 * i + 1] = h >> 8;
  });
  return out;
}

export function unpackColumns(packed: Uint8Array, k: number): Columns {
  const salient = Uint8Array.from({ length: k }, (_, i) => (packed[i >> 3] >> (i & 7)) & 1);
  const factors = Float32Array.from({ length: splitOf(k).binary }, (_, i) => f16ToF32(packed[maskBytes(k) + 2 * i] | (packed[maskBytes(k) + 2 * i + 1] << 8)));
  return { salient, factors };
}

/** x f32 [k] arranged: the salient columns, then the others times their factors. */
export function arrange(x: Float32Array, { salient, factors }: Columns): Float32Array {
  const out = new Float32Array(x.length);
  let first = 0;
  let other = 0;
  const from = splitOf(x.length).salient;
  for (let i = 0; i < x.length; i++) {
    if (salient[i]) out[first++] = x[i];
    else {
      out[from + other] = Math.fround(x[i] * factors[other]);
      other++;
    }
  }
  return out;
}

/** A row of weights that meets arranged activations, for those that are not: each column where it was, times its factor. */
export function unarrange(w: Float32Array, { salient, factors }: Columns): Float32Array {
  const out = new Float32Array(w.length);
  let first = 0;
  let other = 0;
  const from = splitOf(w.length).salient;
  for (let i = 0; i < w.length; i++) {
    if (salient[i]) out[i] = w[first++];
    else {
      out[i] = w[from + other] * factors[other];
      other++;
    }
  }
  return out;
}

/** Throws `model.tensor` unless the mask has just as many salient columns as q161 wants of k, none beyond k, and every factor is finite. */
export function checkColumns(name: string, packed: Uint8Array, k: number): void {
  let count = 0;
  for (let i = 0; i < 8 * maskBytes(k); i++) {
    if (!((packed[i >> 3] >> (i & 7)) & 1)) continue;
    if (i >= k) throw damaged(name, `column ${i} of ${k} is salient`);
    count++;
  }
  const { salient, binary } = splitOf(k);
  if (count !== salient) throw damaged(name, `${count} of ${k} columns are salient, q161 has ${salient}`);
  for (let i = 0; i < binary; i++) if ((packed[maskBytes(k) + 2 * i + 1] & 0x7c) === 0x7c) throw damaged(name, `factor ${i} is not finite`);
}

const damaged = (what: string, message: string) => new SkintError("model.tensor", `tensor ${what}: ${message}; the file is damaged: fetch it or write it again`, { what });
