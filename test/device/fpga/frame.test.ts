// The framing: what is encoded is read back, noise costs nothing but itself, and nothing damaged is ever taken for a frame.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRandom } from "../../../runtime/num/random.ts";
import { crc8, crc32 } from "../../../targets/devices/fpga/link/crc.ts";
import { encodeFrame, FRAME_BYTES, FRAME_TYPES, type Frame, FrameParser, MAX_PAYLOAD } from "../../../targets/devices/fpga/link/frame.ts";

const ALL = Object.values(FRAME_TYPES);
const byte = fc.integer({ min: 0, max: 255 });
const frames = fc.record({ type: fc.constantFrom(...ALL), op: byte, seq: byte, flags: byte, payload: fc.uint8Array({ maxLength: MAX_PAYLOAD }) });

function parse(bytes: Iterable<number>, parser = new FrameParser(ALL)) {
  const found: Frame[] = [];
  let damaged = 0;
  for (const b of bytes) {
    const parsed = parser.push(b);
    if (parsed && "frame" in parsed) found.push(parsed.frame);
    else if (parsed) damaged++;
  }
  return { found, damaged, parser };
}

test("checksums give the published check values", () => {
  const digits = new TextEncoder().encode("123456789");
  expect(crc8(digits)).toBe(0xf4);
  expect(crc32(digits)).toBe(0xcbf43926);
  expect(crc32(digits.subarray(4), crc32(digits.subarray(0, 4)))).toBe(0xcbf43926);
});

test("a frame is read back as it was", () => {
  fc.assert(
    fc.property(frames, (f) => {
      expect(parse(encodeFrame(f)).found).toEqual([f]);
    }),
  );
});

test("frames one behind the other, with noise between them that is no sync, are all found", () => {
  const noise = fc.array(
    byte.filter((b) => b !== 0xa5 && b !== 0x5a),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(noise, frames), { maxLength: 5 }), (parts) => {
      const bytes = parts.flatMap(([n, f]) => [...n, ...encodeFrame(f)]);
      expect(parse(bytes).found).toEqual(parts.map(([, f]) => f));
    }),
  );
});

test("a sync that is cut short before a frame does not hide it", () => {
  const f = { type: 1, op: 3, seq: 7, flags: 0, payload: Uint8Array.of(1, 2, 3) };
  const whole = encodeFrame(f);
  for (let cut = 1; cut < 9; cut++) expect(parse([...whole.subarray(0, cut), ...whole]).found, `${cut} bytes`).toEqual([f]);
});

describe("damage", () => {
  test("any one changed byte is noticed", () => {
    fc.assert(
      fc.property(frames, fc.nat(), fc.integer({ min: 1, max: 255 }), (f, at, change) => {
        const bytes = encodeFrame(f);
        bytes[at % bytes.length] ^= change;
        expect(parse(bytes).found).toEqual([]);
      }),
    );
  });

  test("nothing damaged is taken for a whole one in 20,000", () => {
    const random = createRandom(11);
    let taken = 0;
    for (let i = 0; i < 20_000; i++) {
      const payload = Uint8Array.from({ length: random.below(24) }, () => random.below(256));
      const f = { type: 1, op: random.below(6), seq: i & 255, flags: 0, payload };
      const bytes = [...encodeFrame(f)].flatMap((b) => (random.below(12) === 0 ? [] : [random.below(12) === 0 ? random.below(256) : b]));
      const { found } = parse(bytes);
      taken += found.filter((g) => JSON.stringify(g) !== JSON.stringify(f)).length;
    }
    expect(taken).toBe(0);
  });

  test("a damaged payload is told from one that has not come", () => {
    const bytes = encodeFrame({ type: 1, op: 1, seq: 2, flags: 0, payload: Uint8Array.of(9, 9) });
    bytes[10] ^= 1;
    expect(parse(bytes).damaged).toBe(1);
    expect(parse(bytes.subarray(0, -1)).damaged).toBe(0);
  });

  test("silence ends a frame that is not whole, and the next one is read", () => {
    const bytes = encodeFrame({ type: 1, op: 1, seq: 2, flags: 0, payload: new Uint8Array(200) });
    const { parser } = parse(bytes.subarray(0, 100));
    expect(parser.within).toBe(true);
    parser.quiet();
    expect(parser.within).toBe(false);
    expect(parser.skipped).toBe(100);
    expect(parse(bytes, parser).found).toHaveLength(1);
  });
});

test("frames of another type, version or length are noise", () => {
  const f = { type: FRAME_TYPES.reply, op: 0, seq: 0, flags: 0, payload: new Uint8Array(0) };
  expect(parse(encodeFrame(f), new FrameParser([FRAME_TYPES.request])).found).toEqual([]);
  const other = encodeFrame(f);
  other[2] = 0x22;
  other[8] = crc8(other.subarray(2, 8));
  expect(parse(other).found).toEqual([]);
  const long = encodeFrame(f);
  long[7] = 2;
  long[8] = crc8(long.subarray(2, 8));
  expect(parse(long).parser.within).toBe(false);
  expect(() => encodeFrame({ ...f, payload: new Uint8Array(MAX_PAYLOAD + 1) })).toThrow(expect.objectContaining({ code: "usage" }));
  expect(encodeFrame(f)).toHaveLength(FRAME_BYTES);
});
