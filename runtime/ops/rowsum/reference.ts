// Reference of `rowsum`, bit-exact: y = f32(integer sum) · channel · scale of x, each one f32 multiplication, then + bias.
import { ACTS } from "../../act/catalogue.gen.ts";
import { rowOffset, scheme } from "../../quant/q4n.ts";
import type { Operands } from "../define.ts";
import { isCompact, readList } from "../select/list.ts";

export function reference({ tensors, values: v }: Operands): void {
  const { channels, bias, y } = tensors as Record<string, Float32Array>;
  const list = tensors.picks as Uint32Array | undefined;
  const compact = list !== undefined && isCompact(list);
  const { codes } = scheme.unpack((compact ? tensors.compact : tensors.w) as Uint8Array, v.n, v.k);
  const picks = list && readList(list);
  const rowAt = new Map(Array.from({ length: v.n }, (_, j) => [rowOffset(j, v.k), j]));
  const rows = picks ? Array.from(picks, (offset) => rowAt.get(offset) as number) : Array.from({ length: compact ? list[0] : v.n }, (_, j) => j);
  for (let t = 0; t < v.rows; t++) {
    const x = ACTS.i8tok.decode((tensors.x as Uint8Array).subarray(t * v.xs), v.n);
    for (let c = 0; c < v.k; c++) {
      const sum = rows.reduce((s, row, i) => s + x.codes[i] * codes[row * v.k + c], 0);
      const f = Math.fround(Math.fround(Math.fround(sum) * channels[c]) * x.scale);
      y[t * v.ys + c] = bias ? Math.fround(f + bias[c]) : f;
    }
  }
}
