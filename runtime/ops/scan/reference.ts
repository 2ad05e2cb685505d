// Reference of `scan` in f64; the state is rounded to f32 behind the last row, in variant i8i8 to its code behind each.
import { nearestEven } from "../../act/i8tok.ts";
import { SCHEMES } from "../../quant/catalogue.gen.ts";
import { BLOCK_ROWS } from "../../quant/scheme.ts";
import type { Operands } from "../define.ts";
import { rowsOf } from "../recurrent.ts";

const softplus = (v: number) => (v > 30 ? v : Math.log1p(Math.exp(v)));
const silu = (v: number) => v / (1 + Math.exp(-v));

export function reference(o: Operands, variant: string): void {
  const { tensors, values: v } = o;
  const { bias, d, y } = tensors as Record<string, Float32Array>;
  const [x, dt, z] = [rows(o, "x", v.channels, variant), rows(o, "dt", v.channels, variant), rows(o, "z", v.channels, variant)];
  const [b, c] = [rows(o, "b", v.states, variant), rows(o, "c", v.states, variant)];
  const a = SCHEMES.f32.decode(tensors.a as Uint8Array, v.channels, v.states);
  const hidden = variant === "i8i8" ? int8States(o) : f32States(o);
  const saturations = tensors.saturations as Uint32Array | undefined;
  const atEnd = (row: Row, i: number) => (Math.abs(row.code(i)) === 127 ? 1 : 0);
  for (let i = 0; i < v.channels; i++) {
    for (let r = 0; r < v.rows; r++) {
      const delta = softplus(dt[r].value(i) + bias[i]);
      const input = x[r].value(i);
      let sum = d[i] * input;
      for (let n = 0; n < v.states; n++) {
        const h = Math.exp(delta * a[i * v.states + n]) * hidden.get(i, n) + delta * input * b[r].value(n);
        sum += c[r].value(n) * h;
        const clamped = hidden.set(i, n, h);
        if (saturations && clamped) saturations[v.channels + i]++;
      }
      if (saturations) saturations[i] += atEnd(x[r], i) + atEnd(dt[r], i) + atEnd(z[r], i);
      y[r * v.ys + i] = sum * silu(z[r].value(i));
    }
  }
  hidden.store();
}

interface Row {
  code(i: number): number;
  value(i: number): number;
}

function rows({ tensors, values: v }: Operands, field: string, k: number, variant: string): Row[] {
  const found = rowsOf(tensors[field] as Float32Array, v[`${field}s`], v.rows, k, variant);
  return found.map(({ codes, scale }) => ({ code: (i) => codes[i], value: (i) => codes[i] * scale }));
}

interface States {
  get(i: number, n: number): number;
  /** Was it beyond what can be kept? */
  set(i: number, n: number, h: number): boolean;
  store(): void;
}

function f32States({ tensors, values: v }: Operands): States {
  const packed = tensors.hidden as Uint8Array;
  const h = Float64Array.from(SCHEMES.f32.decode(packed, v.channels, v.states));
  return {
    get: (i, n) => h[i * v.states + n],
    set(i, n, value) {
      h[i * v.states + n] = value;
      return false;
    },
    store: () => SCHEMES.f32.encode(Float32Array.from(h), v.channels, v.states, packed),
  };
}

function int8States({ tensors, values: v }: Operands): States {
  const t = tensors.hidden as Uint8Array;
  const codes = new Int8Array(t.buffer, t.byteOffset, t.length);
  const range = tensors.rangehidden as Float32Array;
  const place = (i: number, n: number) => (Math.floor(i / BLOCK_ROWS) * v.states + n) * BLOCK_ROWS + (i % BLOCK_ROWS);
  return {
    get: (i, n) => (codes[place(i, n)] * range[n]) / 127,
    set(i, n, value) {
      const code = range[n] === 0 ? 0 : nearestEven((value * 127) / range[n]);
      codes[place(i, n)] = Math.max(-127, Math.min(127, Number.isNaN(code) ? 0 : code));
      return Math.abs(code) > 127;
    },
    store() {},
  };
}
