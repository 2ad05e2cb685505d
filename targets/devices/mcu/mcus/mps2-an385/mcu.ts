// Arm MPS2+ with the AN385 image: a Cortex-M3 at 25 MHz. QEMU's machine of the same name.
import type { Mcu } from "../../mcu.ts";

export const mcu: Mcu = {
  name: "an385",
  title: "Arm MPS2+ AN385 (Cortex-M3)",
  compiler: {
    prefix: "arm-none-eabi-",
    debian: "gcc-arm-none-eabi",
    flags: ["-O2", "-mcpu=cortex-m3", "-mthumb", "-ffreestanding", "-nostdlib"],
    parts: ["arm"],
  },
  khz: 25_000,
  baud: 1_000_000,
  memory: { weights: 14, activations: 9, parameters: 8 }, // 128 KiB, 4 KiB, 2 KiB
  maxPayload: 256,
  window: 2,
  ring: 10,
  room: { code: 16 << 10, ram: 144 << 10 },
  emulator: {
    kind: "qemu",
    program: "qemu-system-arm",
    debian: "qemu-system-arm",
    args: ["-M", "mps2-an385", "-icount", "shift=5", "-kernel"],
  },
  counter: { chip: "clocks (SysTick)", emulated: "0.8 an instruction: SysTick at 25 MHz, 32 ns an instruction, whichever it is" },
};
