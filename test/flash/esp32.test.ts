// ESP32s by esptool-js before our twin of their ROM and stub.
import { setTimeout } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import type { LineProtocol, Target } from "../../targets/flash/protocol.ts";
import { targetOf } from "../../targets/flash/targets.ts";
import { flashOver, holds, madeUp } from "../../tools/goals/flash/cutting.ts";

const { target, protocol } = targetOf("esp32") as { target: Target; protocol: LineProtocol };

test("an image is written by the stub, read back and started; what is there already is left", async () => {
  const twin = protocol.twin(target);
  const image = madeUp(target, 9000);
  expect(await flashOver(twin.line, protocol, target, image)).toMatchObject({ id: "ESP32", sectors: 3, written: 3, repeats: 0 });
  expect(holds(twin, image)).toBe(true);
  const changed = { ...image, bytes: image.bytes.slice() };
  changed.bytes[5000] ^= 1;
  expect(await flashOver(twin.line, protocol, target, changed)).toMatchObject({ written: 1 });
  expect(holds(twin, changed)).toBe(true);
  expect(twin.memory.bytes.subarray(0, image.start).every((b) => b === 0xff)).toBe(true);
  expect(twin.violations).toEqual({ unerased: 0, outside: 0, unbegun: 0 });
});

test("nothing is printed beside what the command says", async () => {
  const print = vi.spyOn(console, "log");
  const twin = protocol.twin(target);
  await flashOver(twin.line, protocol, target, madeUp(target, 100));
  await setTimeout(100);
  expect(print).not.toHaveBeenCalled();
  print.mockRestore();
});

test("the second stage of its boot loader and the partitions are not to be written", async () => {
  const twin = protocol.twin(target);
  await expect(flashOver(twin.line, protocol, target, { start: 0x1000, bytes: Uint8Array.of(1) })).rejects.toMatchObject({ code: "flash.region" });
});

test("nobody there is said to be so", async () => {
  const dead = { name: "dead", write: async () => {}, read: async () => new Uint8Array(0), close: async () => {} };
  await expect(protocol.connect(dead, target)).rejects.toMatchObject({ code: "device.unavailable", message: expect.stringContaining("esptool-js") });
}, 60_000);
