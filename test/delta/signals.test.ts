// Signals over a serial line of frames: what arrives is what was sent, whatever the line loses.
import { expect, test } from "vitest";
import { memorySource } from "../../runtime/io/source.ts";
import { createRandom } from "../../runtime/num/random.ts";
import { loadImageModel } from "../../runtime/session/images/model.ts";
import { FRAME_TYPES, FrameParser, MAX_PAYLOAD } from "../../targets/devices/fpga/link/frame.ts";
import type { Line } from "../../targets/devices/fpga/link/line.ts";
import { SignalReceiver, SignalSender } from "../../targets/devices/fpga/link/signals.ts";
import { openDevice, packFolder } from "../../tools/cli/model.ts";

/** Both ends of a line whose bytes go through `spoil`. */
function pair(spoil: (byte: number) => readonly number[] = (b) => [b]): [Line, Line] {
  const ways: number[][] = [[], []];
  const end = (here: number): Line => ({
    name: "a pair",
    write: async (bytes) => {
      for (const b of bytes) ways[1 - here].push(...spoil(b));
    },
    read: async () => Uint8Array.from(ways[here].splice(0)),
    close: async () => {},
  });
  return [end(0), end(1)];
}

/** A signal of n pixels, of which a few change in each step. */
function* drifting(n: number, steps: number, seed: number): Generator<Float32Array> {
  const random = createRandom(seed);
  const x = new Float32Array(n);
  for (let t = 0; t < steps; t++) {
    for (let i = 0; i < 6; i++) x[random.below(n)] = random.below(256);
    yield x.slice();
  }
}

const PIXELS = { step: 1, bits: 9 };
test("a clean line: each step arrives whole, key frame first, later ones in a few bytes", async () => {
  const [here, there] = pair();
  const [sender, receiver] = [new SignalSender(here, 784, PIXELS), new SignalReceiver(there, 784)];
  const bytes: number[] = [];
  for (const x of drifting(784, 50, 1)) {
    bytes.push(await sender.send(x));
    expect([...((await receiver.next(10)) as Int16Array)]).toEqual([...x]);
  }
  expect(await receiver.next(10), "silence").toBeUndefined();
  expect(bytes[0]).toBeGreaterThan(784);
  expect(Math.max(...bytes.slice(1))).toBeLessThan(80);
});

test("frames are those of boards: each at most 256 bytes of payload, none damaged", async () => {
  const [here, there] = pair();
  await new SignalSender(here, 1000, PIXELS).send(new Float32Array(1000).fill(200));
  const parser = new FrameParser([FRAME_TYPES.request]);
  const found = [...(await there.read(0))].flatMap((b) => parser.push(b) ?? []);
  expect(found.length).toBeGreaterThan(3);
  expect(parser.skipped).toBe(0);
  for (const f of found) expect("frame" in f && f.frame.payload.length <= MAX_PAYLOAD).toBe(true);
});

test("a line that loses and turns bytes both ways: what is handed on is always a step as it was sent", async () => {
  const random = createRandom(9);
  const spoil = (b: number) => (random.below(2000) === 0 ? [] : random.below(2000) === 0 ? [b ^ (1 << random.below(8))] : [b]);
  const [here, there] = pair(spoil);
  const [sender, receiver] = [new SignalSender(here, 784, PIXELS), new SignalReceiver(there, 784)];
  const sent: string[] = [];
  let [whole, last] = [0, -1];
  for (const x of drifting(784, 2000, 2)) {
    await sender.send(x);
    sent.push(x.join());
    for (let codes = await receiver.next(10); codes; codes = await receiver.next(10)) {
      const step = sent.indexOf(codes.join(), last + 1);
      expect(step, "a step that was sent, in its order").toBeGreaterThan(last);
      last = step;
      whole++;
    }
  }
  expect(whole).toBeGreaterThan(1000);
  expect(whole, "some were lost").toBeLessThan(2000);
});

test("who listens late has the signal one step after it asked", async () => {
  const [here, there] = pair();
  const [sender, receiver] = [new SignalSender(here, 100, PIXELS), new SignalReceiver(there, 100)];
  const steps = [...drifting(100, 5, 3)];
  for (const x of steps.slice(0, 3)) await sender.send(x);
  await there.read(0);
  await sender.send(steps[3]);
  expect(await receiver.next(10), "changes of codes that it never had").toBeUndefined();
  await sender.send(steps[4]);
  expect([...((await receiver.next(10)) as Int16Array)]).toEqual([...steps[4]]);
});

test("two signals on one line do not touch each other", async () => {
  const [here, there] = pair();
  const senders = [0, 1].map((layer) => new SignalSender(here, 50, { ...PIXELS, layer }));
  const second = new SignalReceiver(there, 50, { layer: 1 });
  await senders[0].send(new Float32Array(50).fill(3));
  await senders[1].send(new Float32Array(50).fill(7));
  expect([...((await second.next(10)) as Int16Array)]).toEqual(new Array(50).fill(7));
});

test("a payload about a longer signal is thrown, and costs nothing that came before", async () => {
  const [here, there] = pair();
  const receiver = new SignalReceiver(there, 50);
  await new SignalSender(here, 60, PIXELS).send(new Float32Array(60).fill(1));
  await expect(receiver.next(10)).rejects.toMatchObject({ code: "format.limit" });
  await new SignalSender(here, 50, PIXELS).send(new Float32Array(50).fill(2));
  expect([...((await receiver.next(10)) as Int16Array)]).toEqual(new Array(50).fill(2));
});

test("images over a line into a stream: the answers of the network", async () => {
  const { env } = await openDevice({ threads: 1 });
  const model = await loadImageModel(memorySource(await packFolder("models/mnist", env, "w8"), "mnist.skint"), env, { stream: true, limit: 0.6 });
  const [here, there] = pair();
  const [sender, receiver, stream] = [new SignalSender(here, 784, PIXELS), new SignalReceiver(there, 784), model.stream()];
  for (const x of drifting(784, 30, 4)) {
    await sender.send(x);
    const codes = (await receiver.next(10)) as Int16Array;
    expect(await stream.push(Uint8Array.from(codes))).toEqual(await model.classify(Uint8Array.from(x)));
  }
  model.close();
});
