// Codes, events, payloads and links of delta streams: golden vectors and rules of specs/delta-activation.md §§5, 6, 9-12.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { DeltaCoder } from "../../runtime/delta/codes.ts";
import { DeltaReceiver, DeltaSender } from "../../runtime/delta/link.ts";
import { decodePayload, encodeChanges, encodeKey } from "../../runtime/delta/payload.ts";
import { createRandom } from "../../runtime/num/random.ts";
import { depthwiseNet, expectNoDrift, mlp } from "../support/streams.ts";

const one = (v: number) => Float32Array.of(v);

test("golden vector: codes 0 1 2 2 0, changes 0 1 1 0 -2, sums with w = 7: 0 7 14 14 0", () => {
  const coder = new DeltaCoder(1, { step: 0.5 });
  const seen = [0.2, 0.3, 0.9, 0.8, -0.1].map((x) => ({ delta: coder.encode(one(x)).deltas[0] ?? 0, code: coder.sent[0] }));
  expect(seen.map((s) => s.code)).toEqual([0, 1, 2, 2, 0]);
  expect(seen.map((s) => s.delta)).toEqual([0, 1, 1, 0, -2]);
  let sum = 0;
  expect(seen.map((s) => (sum += 7 * s.delta))).toEqual([0, 7, 14, 14, 0]);
});

test("halves go to even: 0.25 and 0.75 with step 0.5 are 0 and 2", () => {
  const coder = new DeltaCoder(2, { step: 0.5 });
  coder.encode(Float32Array.of(0.25, 0.75));
  expect([...coder.sent]).toEqual([0, 2]);
});

test("a slow walk stays within the bound of each rule, for ever", () => {
  const random = createRandom(5);
  for (const hold of [0, 4]) {
    const coder = new DeltaCoder(1, { step: 0.01, hold, bits: 16 });
    let [x, worst] = [0, 0];
    for (let t = 0; t < 5000; t++) {
      x = Math.fround(x + (random.f64() - 0.5) * 0.02);
      coder.encode(one(x));
      worst = Math.max(worst, Math.abs(coder.sent[0] * 0.01 - x));
    }
    expect(worst).toBeLessThanOrEqual((hold + 0.5) * 0.01 + 1e-6);
    if (hold) expect(worst).toBeGreaterThan(0.02);
  }
});

test("codes clamp and say so; the change is against what was sent, so that nothing is lost", () => {
  const coder = new DeltaCoder(1, { step: 1 });
  expect(coder.encode(one(500)).deltas[0]).toBe(127);
  expect(coder.clamped).toBe(1);
  expect(coder.encode(one(-500)).deltas[0]).toBe(-254);
});

test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("a step of %d is refused", (step) => {
  expect(() => new DeltaCoder(1, { step })).toThrow(expect.objectContaining({ code: "usage" }));
});

test("signals of another size or with NaN are refused, and change nothing", () => {
  const coder = new DeltaCoder(2, { step: 1 });
  expect(() => coder.encode(one(1))).toThrow(expect.objectContaining({ code: "usage" }));
  expect(() => coder.encode(Float32Array.of(3, Number.NaN))).toThrow(expect.objectContaining({ code: "session.nan" }));
  expect([...coder.sent]).toEqual([0, 0]);
});

test("payloads come back as they were, whatever their room", () => {
  const codes = fc.array(fc.integer({ min: -32768, max: 32767 }), { minLength: 0, maxLength: 400 });
  fc.assert(
    fc.property(codes, fc.integer({ min: 16, max: 256 }), (list, room) => {
      const from = { layer: 3, step: 65535, room };
      const key = encodeKey(Int16Array.from(list), from).map((p) => decodePayload(p, list.length));
      expect(key.flatMap((p) => p.values)).toEqual(list);
      const indices = Uint32Array.from(list.flatMap((v, i) => (v % 3 ? [i] : [])));
      const deltas = Int32Array.from(indices, (i) => list[i]);
      const payloads = encodeChanges({ indices, deltas }, from);
      for (const p of payloads) expect(p.length).toBeLessThanOrEqual(room);
      const back = payloads.map((p) => decodePayload(p, list.length));
      expect(back.flatMap((p) => p.indices)).toEqual([...indices]);
      expect(back.flatMap((p) => p.values)).toEqual([...deltas]);
      back.forEach((p, i) => {
        expect(p).toMatchObject({ kind: 1, layer: 3, step: 65535, part: i, parts: back.length });
      });
    }),
    { numRuns: 200, seed: 7 },
  );
});

test("a change of one costs two bytes, one of -128 or more than a byte four", () => {
  const bytes = (delta: number) => encodeChanges({ indices: Uint32Array.of(5), deltas: Int32Array.of(delta) }, { layer: 0, step: 0, room: 64 })[0].subarray(8);
  expect([...bytes(1)]).toEqual([5, 1]);
  expect([...bytes(-127)]).toEqual([5, 129]);
  expect([...bytes(-128)]).toEqual([5, 128, 128, 255]);
  expect([...bytes(254)]).toEqual([5, 128, 254, 0]);
});

test.each([
  ["no head", [1, 0, 0, 0, 0, 0, 1], "format.truncated"],
  ["a kind that is not", [2, 0, 0, 0, 0, 0, 1, 0], "format.header"],
  ["a part beyond the parts", [1, 0, 0, 0, 1, 0, 1, 0], "format.header"],
  ["an event without a change", [1, 0, 0, 0, 0, 0, 1, 0, 3], "format.truncated"],
  ["an escape that ends", [1, 0, 0, 0, 0, 0, 1, 0, 3, 128, 1], "format.truncated"],
  ["an element outside", [1, 0, 0, 0, 0, 0, 1, 0, 10, 1], "format.limit"],
  ["elements outside behind others", [1, 0, 0, 0, 0, 0, 1, 0, 9, 1, 0, 1], "format.limit"],
  ["a gap without an end", [1, 0, 0, 0, 0, 0, 1, 0, 255, 255, 255, 255, 255, 255, 1], "format.limit"],
  ["a key that runs out of the signal", [0, 0, 0, 0, 0, 0, 1, 0, 9, 1, 1], "format.limit"],
])("malformed: %s", (_, bytes, code) => {
  expect(() => decodePayload(Uint8Array.from(bytes), 10)).toThrow(expect.objectContaining({ code }));
});

test("noise never crashes the reader with anything but a SkintError", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        for (const i of decodePayload(bytes, 50).indices) expect(i).toBeLessThan(50);
      } catch (e) {
        expect(e).toMatchObject({ name: "SkintError" });
      }
    }),
    { numRuns: 2000, seed: 3 },
  );
});

test("a line that loses one payload in a hundred: the receiver asks for a key frame, and has the sender's codes behind each step that came whole", () => {
  const [n, random] = [300, createRandom(11)];
  const sender = new DeltaSender(n, { step: 0.1, layer: 2, room: 64 });
  const receiver = new DeltaReceiver(n, 2);
  const x = new Float32Array(n);
  let [lost, asked, inStep] = [0, 0, 0];
  for (let t = 0; t < 3000; t++) {
    for (let i = 0; i < n; i++) if (random.f64() < 0.05) x[i] = (random.f64() - 0.5) * 20;
    let whole = true;
    for (const payload of sender.send(x)) {
      if (random.f64() < 0.01) {
        lost++;
        whole = false;
      } else if (receiver.receive(payload)) {
        asked++;
        whole = false;
        sender.wantKey();
      }
    }
    if (!whole) continue;
    inStep++;
    expect(receiver.inStep).toBe(true);
    expect([...receiver.codes], `step ${t}`).toEqual([...sender.coder.sent]);
  }
  expect(lost).toBeGreaterThan(20);
  expect(asked).toBeGreaterThan(10);
  expect(inStep / 3000).toBeGreaterThan(0.8);
  // A last key frame over a whole line.
  sender.wantKey();
  for (const payload of sender.send(x)) receiver.receive(payload);
  expect([...receiver.codes]).toEqual([...sender.coder.sent]);
});

test.each([
  ["three int8 and int4 linears", mlp],
  ["convolutions, ordinary and depthwise", depthwiseNet],
] as const)("%s: after 5,000 random steps sums and outputs are those of computing all, every 100th", async (_, make) => {
  const { stats } = await expectNoDrift(() => make(), 5000, 100);
  expect(stats[0]).toMatchObject({ dense: 1, sparse: 4999 });
});
