// The host's side: order, repeats, noise, resets, and what it says when nothing helps.
import { describe, expect, test } from "vitest";
import { crc32 } from "../../../targets/devices/fpga/link/crc.ts";
import { encodeFrame, FRAME_TYPES, FrameParser } from "../../../targets/devices/fpga/link/frame.ts";
import { encodeHello, NO_SESSION, OPS, STATUS } from "../../../targets/devices/fpga/link/protocol.ts";
import { DeviceReset, Session } from "../../../targets/devices/fpga/link/session.ts";
import type { TwinDevice } from "../../../targets/devices/fpga/twin/device.ts";
import { twinLine } from "../../../targets/devices/fpga/twin/line.ts";
import { changed, deadLine, PLAIN, plainTwin } from "./line.ts";

const DATA = Uint8Array.from({ length: 4000 }, (_, i) => (i * 7 + (i >> 8)) & 255);
const EMPTY = new Uint8Array(0);

/** One request of a host that knows nothing of sessions, and the frames that come back. */
function ask(twin: TwinDevice, op: number, seq: number, payload: Uint8Array = EMPTY) {
  const parser = new FrameParser([FRAME_TYPES.reply, FRAME_TYPES.nak]);
  const out = twin.feed(encodeFrame({ type: FRAME_TYPES.request, op, seq, flags: 0, payload }));
  return [...out].flatMap((b) => {
    const parsed = parser.push(b);
    return parsed && "frame" in parsed ? [parsed.frame] : [];
  });
}

test("HELLO says what the device is", async () => {
  const { hello } = await Session.open(twinLine(plainTwin()));
  expect(hello).toMatchObject({ version: 1, window: 2, maxPayload: 256, khz: 24000, lanes8: 8, lanes4: 16, words: { weights: 16384, activations: 512, parameters: 256 } });
});

test("what is written is read back, and its CRC is the device's", async () => {
  const session = await Session.open(twinLine(plainTwin()));
  const seen: number[] = [];
  await session.write("weights", 5, DATA, (done) => seen.push(done));
  expect(await session.read("weights", 5, DATA.length / 8)).toEqual(DATA);
  expect(await session.sum("weights", 5, DATA.length / 8)).toBe(crc32(DATA));
  expect(seen.at(-1)).toBe(DATA.length);
  expect(session.traffic.repeats).toBe(0);
});

describe("the sequence", () => {
  test("a request that comes again gets the same reply and is not done again", () => {
    const twin = plainTwin();
    ask(twin, OPS.hello, 10);
    const first = ask(twin, OPS.status, 11);
    expect(ask(twin, OPS.status, 11)).toEqual(first);
    expect(ask(twin, OPS.status, 12)[0].payload).not.toEqual(first[0].payload);
    expect(ask(twin, OPS.status, 11)).toEqual(first);
  });

  test("a number out of turn gets a NAK with the one that is waited for", () => {
    const twin = plainTwin();
    ask(twin, OPS.hello, 255);
    expect(ask(twin, OPS.status, 3)[0]).toMatchObject({ type: FRAME_TYPES.nak, seq: 0, flags: 0 });
    expect(ask(twin, OPS.status, 0)[0]).toMatchObject({ type: FRAME_TYPES.reply, seq: 0 });
  });

  test("without HELLO everything gets a NAK that says so", () => {
    expect(ask(plainTwin(), OPS.status, 0)[0]).toMatchObject({ type: FRAME_TYPES.nak, flags: NO_SESSION });
  });

  test.each([
    ["no words", OPS.write, 4],
    ["half a word", OPS.write, 9],
    ["a short range", OPS.read, 5],
    ["an op there is not", 9, 0],
  ])("%s is malformed, and the next request is done", (_, op, length) => {
    const twin = plainTwin();
    ask(twin, OPS.hello, 0);
    expect(ask(twin, op, 1, new Uint8Array(length))[0]).toMatchObject({ type: FRAME_TYPES.reply, flags: STATUS.malformed });
    expect(ask(twin, OPS.status, 2)[0]).toMatchObject({ flags: STATUS.ok });
  });
});

describe("noise", () => {
  test.each([0.001, 0.01, 0.02])("with %f of bytes damaged and as many lost, all arrives and nothing wrong", async (share) => {
    const session = await Session.open(twinLine(plainTwin(), { flip: share, drop: share, seed: 3 }));
    await session.write("weights", 0, DATA);
    expect(await session.read("weights", 0, DATA.length / 8)).toEqual(DATA);
    expect(session.traffic.repeats).toBeGreaterThan(0);
    expect(session.errorRate).toBeGreaterThan(share / 2);
    expect(session.errorRate).toBeLessThan(share * 4);
  });

  test("payloads become small, and large again when it is over", async () => {
    const noise = { flip: 0.02, drop: 0, seed: 1 };
    const sizes: number[] = [];
    const line = twinLine(plainTwin(), noise);
    const session = await Session.open({
      ...line,
      write(b) {
        sizes.push(b.length);
        return line.write(b);
      },
    });
    await session.write("weights", 0, DATA);
    expect(Math.min(...sizes.slice(4))).toBeLessThanOrEqual(64);
    noise.flip = 0;
    await session.write("weights", 0, new Uint8Array(40_000));
    expect(sizes.at(-2)).toBeGreaterThan(200);
  });
});

describe("when nothing helps", () => {
  test("nothing answers", async () => {
    await expect(Session.open(deadLine())).rejects.toMatchObject({ code: "device.unavailable" });
  });

  test("something else answers", async () => {
    const other = changed(twinLine(plainTwin()), (b) => {
      if (!b.length) return b;
      const payload = encodeHello({ ...plainTwin().hello, version: 9 }, 0);
      return encodeFrame({ type: FRAME_TYPES.reply, op: OPS.hello, seq: 0, flags: 0, payload });
    });
    await expect(Session.open(other)).rejects.toMatchObject({ code: "device.wrong" });
  });

  test("the line is too noisy, and how noisy is said", async () => {
    const noise = { flip: 0, seed: 1 };
    const session = await Session.open(twinLine(plainTwin(), noise));
    noise.flip = 0.6;
    await expect(session.write("weights", 0, DATA)).rejects.toMatchObject({ code: "device.noisy", message: expect.stringMatching(/about \d+(\.\d+)? % of bytes/) });
  });

  test("the device is reset in between, and says HELLO again", async () => {
    const twin = plainTwin();
    const session = await Session.open(twinLine(twin));
    await session.write("weights", 0, DATA);
    twin.reset();
    const lost = session.read("weights", 0, 4);
    await expect(lost).rejects.toBeInstanceOf(DeviceReset);
    await expect(lost).rejects.toMatchObject({ code: "device.lost" });
    await session.reopen();
    expect(await session.read("weights", 0, 4)).toEqual(DATA.slice(0, 32));
  });

  test("the caller stops", async () => {
    const stop = new AbortController();
    const session = await Session.open(twinLine(plainTwin()), { signal: stop.signal });
    await expect(session.write("weights", 0, DATA, () => stop.abort())).rejects.toMatchObject({ code: "aborted" });
  });
});

test("the twin's geometry is a parameter", async () => {
  const { TwinDevice } = await import("../../../targets/devices/fpga/twin/device.ts");
  const small = new TwinDevice({ ...PLAIN, board: "bx", weights: 10 });
  const session = await Session.open(twinLine(small));
  expect(session.hello).toMatchObject({ board: "bx", words: { weights: 1024 } });
});
