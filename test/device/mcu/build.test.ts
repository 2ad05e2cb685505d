// How agents are made: the linker's file as an image, the room that an agent may take, and what is said where something is missing; a real terminal.
import { spawn } from "node:child_process";
import { describe, expect, test } from "vitest";
import { Session } from "../../../targets/devices/fpga/link/session.ts";
import { MCUS } from "../../../targets/devices/mcu/catalogue.gen.ts";
import { bootChecksum } from "../../../targets/devices/mcu/mcus/rp2040/mcu.ts";
import { agentHash, buildAgent, lacksCompiler } from "../../../targets/hosts/node/agents/build.ts";
import { flatten } from "../../../targets/hosts/node/agents/elf.ts";
import { lacksAgent } from "../../../targets/hosts/node/agents/lines.ts";
import { loadSerialport, serialLine } from "../../../targets/hosts/node/serial.ts";

/** An ELF file of two parts, at 0x100 and 0x108, and a section of each kind. */
function elf(change: (view: DataView) => void = () => {}): Uint8Array {
  const bytes = new Uint8Array(52 + 2 * 32 + 3 * 40 + 8);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 1, 1]);
  const [programs, sections, content] = [52, 52 + 64, 52 + 64 + 120];
  const put = (at: number, values: readonly number[]) => {
    for (const [i, v] of values.entries()) view.setUint32(at + 4 * i, v, true);
  };
  view.setUint32(28, programs, true);
  view.setUint32(32, sections, true);
  for (const [i, v] of [32, 2, 40, 3].entries()) view.setUint16(42 + 2 * i, v, true);
  put(programs, [1, content, 0x2000, 0x100, 4, 4, 5, 4]);
  put(programs + 32, [1, content + 4, 0x3000, 0x108, 4, 100, 6, 4]);
  put(sections, [0, 1, 2, 0x2000, content, 4]);
  put(sections + 40, [0, 1, 3, 0x3000, content + 4, 4]);
  put(sections + 80, [0, 8, 3, 0x3004, 0, 96]);
  bytes.set([1, 2, 3, 4, 5, 6, 7, 8], content);
  change(view);
  return bytes;
}

describe("the linker's file", () => {
  test("is the bytes of the flash, gaps as an empty one has them, and what code and variables take", () => {
    const { bytes, base, code, ram } = flatten(elf());
    expect([...bytes]).toEqual([1, 2, 3, 4, 255, 255, 255, 255, 5, 6, 7, 8]);
    expect({ base, code, ram }).toEqual({ base: 0x100, code: 8, ram: 100 });
  });

  test.each<[string, (view: DataView) => void]>([
    ["that is another", (v) => v.setUint8(0, 0)],
    ["of 64 bits", (v) => v.setUint8(4, 2)],
    ["whose table lies behind its end", (v) => v.setUint32(28, 0xfffffff0, true)],
    ["whose part lies behind its end", (v) => v.setUint32(52 + 4, 0xfffffff0, true)],
    ["whose parts are a world apart", (v) => v.setUint32(52 + 12, 0xf0000000, true)],
  ])("%s is refused", (_, change) => {
    expect(() => flatten(elf(change))).toThrow(expect.objectContaining({ code: "format.header" }));
  });
});

describe("an agent", () => {
  const mcu = MCUS.atmega328p;
  test("that is larger than its room is not made", async ({ skip }) => {
    const why = await lacksCompiler(mcu);
    if (why) skip(why);
    await expect(buildAgent("atmega328p", { ...mcu, room: { ...mcu.room, ram: 1000 } })).rejects.toMatchObject({ code: "plan.memory", message: expect.stringContaining("1000") });
  });

  test("needs its compiler, whose package is named", async () => {
    const lost = { ...mcu, compiler: { ...mcu.compiler, prefix: "no-such-" } };
    await expect(buildAgent("atmega328p", lost)).rejects.toMatchObject({ code: "device.unavailable", message: expect.stringContaining("gcc-avr") });
  });

  test("that does not compile says why", async ({ skip }) => {
    const why = await lacksCompiler(mcu);
    if (why) skip(why);
    const broken = { ...mcu, compiler: { ...mcu.compiler, flags: [...mcu.compiler.flags, "-Dmain=1"] } };
    await expect(buildAgent("atmega328p", broken)).rejects.toMatchObject({ code: "program.failed" });
  });

  test("has a hash that another description changes", () => {
    expect(agentHash("rp2040", MCUS.rp2040)).not.toBe(agentHash("rp2040", { ...MCUS.rp2040, khz: 1 }));
  });
});

test("the boot ROM's CRC-32 of the usual nine bytes is the usual one", () => {
  expect(bootChecksum(new TextEncoder().encode("123456789"))).toBe(0x0376e6e7);
});

test("an agent on a terminal, over serialport", async ({ skip }) => {
  const mcu = MCUS["mps2-an385"];
  const why = (await loadSerialport()) ? await lacksAgent(mcu) : "the package serialport is not installed";
  if (why || mcu.emulator.kind !== "qemu") return skip(why);
  const { elf: file } = await buildAgent("mps2-an385", mcu);
  const child = spawn(mcu.emulator.program, ["-display", "none", "-monitor", "none", "-serial", "pty", ...mcu.emulator.args, file]);
  try {
    const path = await new Promise<string>((resolve) => {
      let said = "";
      for (const from of [child.stdout, child.stderr])
        from.on("data", (d) => {
          said += d;
          const name = /\/dev\/pts\/\d+/.exec(said);
          if (name) resolve(name[0]);
        });
    });
    const line = await serialLine(path, mcu.baud);
    const session = await Session.open(line, { patience: 3000 });
    const data = Uint8Array.from({ length: 800 }, (_, i) => (i * 13) & 255);
    await session.write("weights", 0, data);
    expect(await session.read("weights", 0, 100)).toEqual(data);
    await line.close();
  } finally {
    child.kill();
  }
}, 60_000);
