// Weight schemes: sizes, round trips, error bounds, and what happens at the ends of the range.
import { describe, expect, test } from "vitest";
import { arrange, greatestColumns, packColumns, unpackColumns } from "../../runtime/graph/columns.ts";
import { SCHEMES } from "../../runtime/quant/catalogue.gen.ts";
import { scaleFromU16, scaleToU16 } from "../../runtime/quant/lanes.ts";
import { emptyRows, type Q161Scheme, splitOf } from "../../runtime/quant/q161.ts";
import { hasMinimum, type IntegerScheme, isInteger, isSparse, type Scheme } from "../../runtime/quant/scheme.ts";
import { keep24 } from "../../runtime/quant/sparse24.ts";
import { normal, random } from "../support/data.ts";

const all = Object.values(SCHEMES);
const integers = all.filter((s): s is IntegerScheme => isInteger(s) && !isSparse(s));

function encode(s: Scheme, w: Float32Array, n: number, k: number): Uint8Array {
  const out = new Uint8Array(s.bytes(n, k)).fill(0xcc);
  s.encode(w, n, k, out);
  return out;
}

const roundTrip = (s: Scheme, w: Float32Array, n: number, k: number) => s.decode(encode(s, w, n, k), n, k);

/** √(Σ error² / Σ w²). */
function relativeError(w: Float32Array, got: Float32Array): number {
  let error = 0;
  let power = 0;
  for (let i = 0; i < w.length; i++) {
    error += (w[i] - got[i]) ** 2;
    power += w[i] ** 2;
  }
  return Math.sqrt(error / power);
}

/** Greatest relative error of normal weights that each scheme may have, and its bits a weight at k = 4096. */
const EXPECTED: Record<string, { error: number; bits: number }> = {
  f32: { error: 0, bits: 32 },
  f16: { error: 3e-4, bits: 16 },
  q8: { error: 0.008, bits: 8 + 64 / 4096 },
  q8g32: { error: 0.006, bits: 8.5 },
  q4g32: { error: 0.09, bits: 4.5 },
  q4g128: { error: 0.11, bits: 4.125 },
  q4n: { error: 0.1, bits: 4 + 32 / 4096 },
  q8s24: { error: 0.39, bits: 5 + 128 / 2 / 4096 },
  q4s24: { error: 0.4, bits: 3.25 },
  q8s24v: { error: 0.62, bits: 4.125 + 128 / 2 / 4096 },
  q4s24v: { error: 0.62, bits: 2.375 },
  q4g32m: { error: 0.075, bits: 6 },
  q161: { error: 0.56, bits: (8 * 13232) / 65536 },
  t2: { error: 0.45, bits: 2.125 },
};

describe.each(all.map((s) => [s.name, s] as const))("%s", (name, s) => {
  test("bits a weight, whole blocks, rows added up", () => {
    expect((s.bytes(4096, 4096) * 8) / 4096 ** 2).toBe(EXPECTED[name].bits);
    expect(s.bytes(1, 100)).toBe(s.bytes(16, 100));
    expect(s.bytes(17, 100)).toBe(2 * s.bytes(16, 100));
    expect(s.bytes(16, 100) % 16).toBe(0);
  });

  test("bytes are decoded wherever they lie, in a Buffer that shares its memory too", () => {
    const packed = encode(s, normal(32 * 160, 3), 32, 160);
    const shared = Buffer.concat([Buffer.alloc(3), packed]).subarray(3);
    expect(s.decode(shared, 32, 160)).toEqual(s.decode(packed, 32, 160));
  });

  test("error of normal weights", () => {
    const w = normal(64 * 512, 1, 0.02);
    expect(relativeError(w, roundTrip(s, w, 64, 512))).toBeLessThanOrEqual(EXPECTED[name].error);
  });

  test.each([
    [1, 1],
    [15, 31],
    [16, 32],
    [17, 33],
    [40, 129],
    [3, 200],
  ])("n %i, k %i: no neighbour leaks in, padding is zero rows", (n, k) => {
    const w = Float32Array.from({ length: n * k }, (_, i) => (Math.floor(i / k) % 2 ? 1 : -1) * 2 ** (Math.floor(i / k) % 5));
    const packed = encode(s, w, n, k);
    const got = s.decode(packed, n, k);
    const dropped = (i: number) => isSparse(s) && got[i] === 0;
    for (let i = 0; i < w.length; i++) if (!dropped(i)) expect(Math.abs(got[i] / w[i] - 1)).toBeLessThan(0.04);
    expect(got.filter((v) => v !== 0).length).toBeGreaterThanOrEqual(w.length / 2);
    const padded = Math.ceil(n / 16) * 16;
    expect(
      s
        .decode(packed, padded, k)
        .subarray(n * k)
        .every((v) => v === 0),
    ).toBe(true);
  });

  test("runs of blocks encode as the whole does", () => {
    const w = normal(40 * 70, 3);
    const out = new Uint8Array(s.bytes(40, 70));
    for (const [first, rows] of [
      [0, 16],
      [16, 16],
      [32, 8],
    ])
      s.encode(w.subarray(first * 70, (first + rows) * 70), rows, 70, out.subarray(s.bytes(first, 70)));
    expect(out).toEqual(encode(s, w, 40, 70));
  });

  test("zeros stay zeros, the same input gives the same bytes, bytes may lie anywhere", () => {
    expect(roundTrip(s, new Float32Array(18 * 50), 18, 50).every((v) => v === 0)).toBe(true);
    const w = normal(18 * 50, 4);
    const bytes = encode(s, w, 18, 50);
    expect(encode(s, w, 18, 50)).toEqual(bytes);
    const odd = new Uint8Array(bytes.length + 1).subarray(1);
    s.encode(w, 18, 50, odd);
    expect(odd).toEqual(bytes);
    expect(s.decode(odd, 18, 50)).toEqual(s.decode(bytes, 18, 50));
  });

  test("tiny and huge weights stay finite and small ones stay small", () => {
    for (const size of [1e-44, 1e-38, 1e-12, 1e4, 1e20, 3e38]) {
      const got = roundTrip(s, normal(16 * 64, 5, size / 4), 16, 64);
      expect(got.every(Number.isFinite)).toBe(true);
      expect(got.every((v) => Math.abs(v) <= 2 * size)).toBe(true);
    }
  });
});

describe.each(integers.map((s) => [s.name, s] as const))("%s codes", (_, s) => {
  const groups = (k: number) => Math.ceil(k / (s.group || k));

  test("pack and unpack are inverse over the whole range of codes", () => {
    for (const [n, k] of [
      [16, 128],
      [19, 77],
      [5, 300],
    ]) {
      const r = random(n);
      const codes = Int8Array.from({ length: n * k }, () => s.qmin + Math.floor(r() * (s.qmax - s.qmin + 1)));
      const scales = Float32Array.from({ length: n * groups(k) }, () => scaleFromU16(Math.floor(r() * 65536)));
      const packed = new Uint8Array(s.bytes(n, k)).fill(0xcc);
      s.pack(codes, scales, n, k, packed);
      expect(s.unpack(packed, n, k)).toEqual({ codes, scales });
    }
  });

  test("scaleOf is the scale encode stores, and round to nearest is encode's codes", () => {
    const k = s.group || 96;
    const w = normal(k, 8, 0.1);
    const { codes, scales } = s.unpack(encode(s, w, 1, k), 1, k);
    expect(s.scaleOf(w)).toBe(scales[0]);
    expect(codes).toEqual(Int8Array.from(w, (v) => Math.max(s.qmin, Math.min(s.qmax, Math.round(v / scales[0])))));
  });

  test("decode is code times scale", () => {
    const w = normal(3 * 100, 9);
    const packed = encode(s, w, 3, 100);
    const { codes, scales } = s.unpack(packed, 3, 100);
    const at = (i: number) => scales[Math.floor(i / 100) * groups(100) + Math.floor((i % 100) / (s.group || 100))];
    expect(s.decode(packed, 3, 100)).toEqual(Float32Array.from(codes, (c, i) => c * at(i)));
  });
});

describe.each(all.filter(hasMinimum).map((s) => [s.name, s] as const))("%s codes and minima", (_, s) => {
  const groups = (k: number) => Math.ceil(k / s.group);

  test("pack and unpack are inverse over the whole range of codes", () => {
    for (const [n, k] of [
      [16, 128],
      [19, 77],
      [5, 300],
    ]) {
      const r = random(n);
      const codes = Int8Array.from({ length: n * k }, () => s.qmin + Math.floor(r() * (s.qmax - s.qmin + 1)));
      const [scales, minima] = [normal(n * groups(k), 1), normal(n * groups(k), 2)];
      const packed = new Uint8Array(s.bytes(n, k)).fill(0xcc);
      s.pack(codes, scales, minima, n, k, packed);
      expect(s.unpack(packed, n, k)).toEqual({ codes, scales, minima });
    }
  });

  test("rangeOf is what encode stores, its codes are the nearest, decode is code times scale plus minimum, each rounded", () => {
    const w = normal(3 * 100, 9, 0.1).map((v) => v + 0.05);
    const packed = encode(s, w, 3, 100);
    const { codes, scales, minima } = s.unpack(packed, 3, 100);
    expect(s.rangeOf(w.subarray(0, s.group))).toEqual({ scale: scales[0], minimum: minima[0] });
    const at = (i: number) => Math.floor(i / 100) * groups(100) + Math.floor((i % 100) / s.group);
    expect(codes).toEqual(Int8Array.from(w, (v, i) => Math.max(s.qmin, Math.min(s.qmax, Math.round((v - minima[at(i)]) / scales[at(i)])))));
    expect(s.decode(packed, 3, 100)).toEqual(Float32Array.from(codes, (c, i) => Math.fround(c * scales[at(i)]) + minima[at(i)]));
  });

  test("16 even steps, a constant and two values come back as they were", () => {
    const groupsOf = [(i: number) => 3 + 0.25 * (i % 16), () => -0.7, (i: number) => (i % 5 ? -1 : 0.5)];
    const w = Float32Array.from({ length: 3 * s.group }, (_, i) => groupsOf[Math.floor(i / s.group)](i));
    expect(roundTrip(s, w, 3, s.group)).toEqual(w);
  });

  test("the search beats the plain range of a group, most of all where an outlier stands", () => {
    const w = normal(512 * s.group, 12).map((v, i) => (i % 97 ? v : 4 * v));
    const plain = w.slice();
    for (let at = 0; at < w.length; at += s.group) {
      const group = w.subarray(at, at + s.group);
      const least = Math.min(...group);
      const scale = (Math.max(...group) - least) / 15;
      for (let i = at; i < at + s.group; i++) plain[i] = Math.round((w[i] - least) / scale) * scale + least;
    }
    expect(relativeError(w, roundTrip(s, w, 512, s.group))).toBeLessThan(0.95 * relativeError(w, plain));
  });
});

describe("16-bit scales", () => {
  test("all 65536 survive the round trip and grow", () => {
    for (let u = 0; u < 65536; u++) {
      if (scaleToU16(scaleFromU16(u)) !== u) expect(scaleToU16(scaleFromU16(u))).toBe(u);
      if (u && !(scaleFromU16(u) > scaleFromU16(u - 1))) expect(scaleFromU16(u)).toBeGreaterThan(scaleFromU16(u - 1));
    }
    expect(scaleFromU16(0)).toBe(2 ** -31);
    expect(scaleFromU16(65535)).toBe(2 ** 32 * (2 - 2 ** -10));
  });

  test("every positive f16 is one of them", () => {
    for (let bits = 1; bits < 0x7c00; bits++) {
      const value = bits < 0x400 ? bits * 2 ** -24 : (1 + (bits & 0x3ff) / 1024) * 2 ** ((bits >> 10) - 15);
      if (scaleFromU16(scaleToU16(value)) !== value) expect(scaleFromU16(scaleToU16(value))).toBe(value);
    }
  });

  test("the nearest is taken, beyond the ends the last", () => {
    expect(scaleToU16(0)).toBe(0);
    expect(scaleToU16(1e-30)).toBe(0);
    expect(scaleToU16(3e38)).toBe(65535);
    expect(scaleFromU16(scaleToU16(1 + 2 ** -12))).toBe(1);
    expect(scaleFromU16(scaleToU16(1 + 2 ** -11 + 2 ** -13))).toBe(1 + 2 ** -10);
  });
});

test("the search of int4 beats plain absmax / 7", () => {
  const s = SCHEMES.q4g32 as IntegerScheme;
  const w = normal(32 * 512, 11);
  const plain = new Float32Array(w.length);
  for (let g = 0; g < 512; g++) {
    const group = w.subarray(32 * g, 32 * g + 32);
    const scale = Math.max(...group.map(Math.abs)) / 7;
    for (let i = 0; i < 32; i++) plain[32 * g + i] = Math.round(group[i] / scale) * scale;
  }
  expect(relativeError(w, roundTrip(s, w, 512, 32))).toBeLessThan(0.95 * relativeError(w, plain));
});

describe("t2", () => {
  const s = SCHEMES.t2 as IntegerScheme;

  test("no other scale of a group has a smaller error, the 16 bits of a scale aside", () => {
    const w = normal(s.group, 21, 0.1).map((v, i) => (i % 9 ? v : 3 * v));
    const error = (scale: number) => w.reduce((sum, v) => sum + (v - scale * Math.max(-1, Math.min(1, Math.round(v / scale)))) ** 2, 0);
    const least = Math.min(...Array.from({ length: 4000 }, (_, i) => error(((i + 1) / 4000) * Math.max(...w.map(Math.abs)))));
    expect(error(s.scaleOf(w))).toBeLessThanOrEqual(least * (1 + 1e-5));
  });

  test("ternary weights come back as they were", () => {
    const r = random(22);
    const w = Float32Array.from({ length: 20 * 300 }, (_, i) => (Math.floor(r() * 3) - 1) * (i < 3000 ? 0.75 : 2 ** -9));
    expect(roundTrip(s, w, 20, 300).map((v) => v + 0)).toEqual(w.map((v) => v + 0));
  });
});

describe("q161", () => {
  const s = SCHEMES.q161 as Q161Scheme;

  test("pack and unpack are inverse, whatever columns are left over", () => {
    for (const [n, k] of [
      [16, 40],
      [19, 39],
      [5, 79],
      [33, 352],
      [18, 1000],
    ]) {
      const r = random(k);
      const rows = emptyRows(n, k);
      rows.signs.set(rows.signs.map(() => (r() < 0.5 ? 0 : 1)));
      for (const codes of [rows.codes, rows.zeros]) codes.set(codes.map(() => Math.floor(16 * r())));
      for (const factors of [rows.p, rows.q, rows.s]) factors.set(factors.map(() => Math.floor(2048 * r() - 1024) / 256));
      const packed = new Uint8Array(s.bytes(n, k)).fill(0xcc);
      s.pack(rows, n, k, packed);
      expect(s.unpack(packed, n, k)).toEqual(rows);
    }
  });

  test("a fifth of the columns, in whole groups of 8, is salient", () => {
    expect([1, 39, 40, 576, 1536, 4096].map((k) => splitOf(k).salient)).toEqual([0, 0, 8, 112, 304, 816]);
  });

  test("no other p and q have a smaller error for the signs of w − mean", () => {
    const w = normal(39, 3).map((v) => v + 0.2);
    const { p, q, signs } = s.unpack(encode(s, w, 1, 39), 1, 39);
    const mean = w.reduce((sum, v) => sum + v, 0) / 39;
    expect(signs).toEqual(Uint8Array.from(w, (v) => (v >= mean ? 1 : 0)));
    const error = (dp: number, dq: number) => w.reduce((sum, v, i) => sum + (v - q[0] - dq - (signs[i] ? p[0] + dp : -p[0] - dp)) ** 2, 0);
    for (const d of [-0.01, 0.01]) expect(Math.min(error(d, 0), error(0, d), error(d, d), error(d, -d))).toBeGreaterThan(error(0, 0));
  });

  test("salient columns err by half a step of their row's range at most, the offset of their zero point aside", () => {
    const w = normal(4 * 80, 5).map((v, i) => (i % 80 < 16 ? 10 * v : 0));
    const got = roundTrip(s, w, 4, 80);
    for (let r = 0; r < 4; r++) {
      const salient = w.subarray(80 * r, 80 * r + 16);
      const step = (Math.max(0, ...salient) - Math.min(0, ...salient)) / 15;
      for (let i = 0; i < 16; i++) expect(Math.abs(got[80 * r + i] - salient[i])).toBeLessThan(1.01 * step);
    }
  });
});

describe("columns", () => {
  test("the greatest are salient, the earlier of two alike; packed and unpacked they are the same", () => {
    const columns = greatestColumns(Float32Array.from({ length: 80 }, (_, i) => (i === 70 ? 9 : i % 5)));
    expect([...columns.salient.keys()].filter((i) => columns.salient[i])).toEqual([4, 9, 14, 19, 24, 29, 34, 39, 44, 49, 54, 59, 64, 69, 70, 74]);
    const own = { ...columns, factors: columns.factors.map((_, i) => 1 + i / 64) };
    expect(unpackColumns(packColumns(own), 80)).toEqual(own);
  });

  test("arranging puts the salient columns first and the others, times their factors, behind them", () => {
    const salient = Uint8Array.from({ length: 40 }, (_, i) => (i % 5 === 0 ? 1 : 0));
    const factors = new Float32Array(32).map((_, i) => 1 + i);
    const x = Float32Array.from({ length: 40 }, (_, i) => i);
    const others = [...x].filter((v) => v % 5).map((v, i) => v * (1 + i));
    expect([...arrange(x, { salient, factors })]).toEqual([0, 5, 10, 15, 20, 25, 30, 35, ...others]);
  });
});

describe.each(all.filter(isSparse).map((s) => [s.name, s] as const))("%s", (_, s) => {
  const groups = (k: number) => Math.ceil(k / 4);
  const scalesOf = (n: number, k: number) => Float32Array.from({ length: n * Math.ceil(k / (s.group || k)) }, (_, i) => scaleFromU16(1000 * (i % 60)));

  test.each([
    [16, 128],
    [19, 77],
    [5, 300],
    [9, 4],
  ])("n %i, k %i: any two of four are kept where they stand, with any code", (n, k) => {
    const r = random(n);
    const score = Float32Array.from({ length: n * k }, r);
    const kept = keep24(score, n, k, s.share);
    const codes = Int8Array.from(score, (_, i) => {
      const at = (Math.floor(i / k) * groups(k) + ((i % k) >> 2)) * 2;
      return kept.subarray(at, at + 2).includes((i % k) & 3) ? s.qmin + Math.floor(r() * (s.qmax - s.qmin + 1)) : 0;
    });
    const packed = new Uint8Array(s.bytes(n, k)).fill(0xcc);
    s.pack(codes, scalesOf(n, k), n, k, packed, kept);
    expect(s.unpack(packed, n, k)).toEqual({ codes, scales: scalesOf(n, k), kept });
    // without places the codes say where they are
    s.pack(codes, scalesOf(n, k), n, k, packed);
    expect(s.unpack(packed, n, k)).toMatchObject({ codes, scales: scalesOf(n, k) });
  });

  test("more than two of four are refused with their place", () => {
    const codes = new Int8Array(16 * 12);
    codes.set([1, 0, 2, 3], 12 * 2 + 4);
    expect(() => s.pack(codes, scalesOf(16, 12), 16, 12, new Uint8Array(s.bytes(16, 12)))).toThrow(
      expect.objectContaining({ code: "format.shape", message: expect.stringMatching(/^row 2 .* columns 4 … 7/) }),
    );
  });

  test("magnitude decides, by the sum over rows that share", () => {
    const w = new Float32Array(8 * 4).fill(0.1);
    w.set([1, 2, 3, 4]); // row 0 alone would keep 2 and 3
    for (let row = 1; row < 8; row++) w.set([9, 0, 9, 0], 4 * row);
    const { kept } = s.unpack(encode(s, w, 8, 4), 8, 4);
    expect(Array.from(kept.subarray(0, 4))).toEqual(s.share === 8 ? [0, 2, 0, 2] : [2, 3, 0, 2]);
  });
});

test.each(all.filter(isSparse).map((s) => [s.name, s] as const))("%s keeps the places of NVIDIA's metadata: 4 bits a group, the first and four times the second", (_, s) => {
  const metadata = [0x4, 0x8, 0xc, 0x9, 0xd, 0xe];
  const kept = Uint8Array.from(metadata.flatMap((m) => [m & 3, m >> 2]));
  const packed = new Uint8Array(s.bytes(1, 24));
  s.pack(new Int8Array(24), new Float32Array(1), 1, 24, packed, kept);
  const back = s.unpack(packed, 1, 24).kept;
  expect(metadata.map((_, g) => back[2 * g] | (back[2 * g + 1] << 2))).toEqual(metadata);
});
