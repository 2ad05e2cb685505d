// Weights of GGUF packed as q4g32m stand for exactly what their blocks stand for.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SkintError } from "../../runtime/errors.ts";
import { BLOCKS } from "../../runtime/formats/gguf/blocks/index.ts";
import { type ExactQ4, isExactQ4, q4g32mFromGguf } from "../../runtime/quant/import.ts";
import { scheme } from "../../runtime/quant/q4g32m.ts";

/** Halves at the head of a block of each type. */
const HALVES: Readonly<Record<ExactQ4, number>> = { Q4_0: 1, Q4_1: 2, Q4_K: 2 };
const types = Object.keys(HALVES) as ExactQ4[];

const blockOf = (type: ExactQ4) => {
  const block = BLOCKS.get(type);
  if (!block) throw new Error(type);
  return block;
};

/** Any bytes, but for the exponents of the halves: 31 is not finite, so it becomes 30. */
function tame(type: ExactQ4, bytes: Uint8Array): Uint8Array {
  for (let at = 0; at < bytes.length; at += blockOf(type).bytes) for (let h = 0; h < HALVES[type]; h++) if ((bytes[at + 2 * h + 1] & 0x7c) === 0x7c) bytes[at + 2 * h + 1] &= 0xfb;
  return bytes;
}

/** Index of the first weight that differs, −1 if none; zeros of both signs are the same. */
function different(type: ExactQ4, blocks: Uint8Array, rows: number, k: number): number {
  const want = new Float32Array(rows * k);
  blockOf(type).decode(blocks, (rows * k) / blockOf(type).elements, want);
  const packed = new Uint8Array(scheme.bytes(rows, k) + 1).fill(0xcc).subarray(1);
  q4g32mFromGguf(type, blocks, rows, k, packed);
  return scheme.decode(packed, rows, k).findIndex((v, i) => !Object.is(v + 0, want[i] + 0));
}

describe.each(types)("%s", (type) => {
  const block = blockOf(type);

  test("random blocks: every weight is the same", () => {
    const shape = fc.record({ rows: fc.integer({ min: 1, max: 35 }), each: fc.integer({ min: 1, max: type === "Q4_K" ? 2 : 5 }) });
    const cases = shape.chain(({ rows, each }) => {
      const length = rows * each * block.bytes;
      return fc.record({ rows: fc.constant(rows), each: fc.constant(each), bytes: fc.uint8Array({ minLength: length, maxLength: length }) });
    });
    fc.assert(
      fc.property(cases, ({ rows, each, bytes }) => different(type, tame(type, bytes), rows, each * block.elements) === -1),
      { numRuns: 200 },
    );
  });

  test("every finite half as the scale, the minimum beside it", () => {
    const blocks = new Uint8Array(65536 * block.bytes);
    const all = Array.from({ length: 65536 }, (_, h) => h).filter((h) => (h & 0x7c00) !== 0x7c00);
    all.forEach((h, i) => {
      const at = i * block.bytes;
      for (let b = 0; b < block.bytes; b++) blocks[at + b] = (b * 37 + i * 11) & 255;
      blocks.set([h & 255, h >> 8], at);
      const m = all[(i * 7919) % all.length];
      if (HALVES[type] === 2) blocks.set([m & 255, m >> 8], at + 2);
    });
    expect(different(type, blocks.subarray(0, all.length * block.bytes), all.length, block.elements)).toBe(-1);
  });

  test("runs of rows pack as the whole does, rows that are not there are zero", () => {
    const k = 2 * block.elements;
    const bytes = (2 * k * block.bytes) / k;
    const blocks = tame(
      type,
      Uint8Array.from({ length: 20 * bytes }, (_, i) => (i * i * 31 + i) & 255),
    );
    const whole = new Uint8Array(scheme.bytes(20, k)).fill(0xcc);
    q4g32mFromGguf(type, blocks, 20, k, whole);
    const runs = new Uint8Array(whole.length);
    q4g32mFromGguf(type, blocks.subarray(0, 16 * bytes), 16, k, runs);
    q4g32mFromGguf(type, blocks.subarray(16 * bytes), 4, k, runs.subarray(scheme.bytes(16, k)));
    expect(runs).toEqual(whole);
    expect(
      scheme
        .decode(whole, 32, k)
        .subarray(20 * k)
        .every((v) => v === 0),
    ).toBe(true);
  });

  test("what does not fill whole blocks is refused", () => {
    const out = new Uint8Array(scheme.bytes(1, 512));
    for (const [length, k] of [
      [block.bytes - 1, block.elements],
      [block.bytes + 1, block.elements],
      [block.bytes, block.elements / 2],
      [0, 16],
    ])
      expect(refusal(() => q4g32mFromGguf(type, new Uint8Array(length), 1, k, out))).toBe("format.shape");
  });

  test("a scale that is not finite is refused", () => {
    for (let h = 0; h < HALVES[type]; h++)
      for (const high of [0x7c, 0xfc, 0x7e]) {
        const blocks = new Uint8Array(17 * block.bytes).fill(1);
        blocks.set([0, high], 16 * block.bytes + 2 * h);
        expect(refusal(() => q4g32mFromGguf(type, blocks, 17, block.elements, new Uint8Array(scheme.bytes(17, block.elements))))).toBe("model.tensor");
      }
  });
});

test("the types that come in exactly", () => {
  expect([...BLOCKS.keys()].filter(isExactQ4)).toEqual(types);
  expect(isExactQ4("toString")).toBe(false);
});

function refusal(work: () => void): string {
  try {
    work();
  } catch (e) {
    if (e instanceof SkintError) return e.code;
    throw e;
  }
  return "none";
}
