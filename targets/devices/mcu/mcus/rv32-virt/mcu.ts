// QEMU's virt machine with an RV32IMAC hart. No such chip is sold; a port to one that is differs in its UART and its clock.
import type { Mcu } from "../../mcu.ts";

export const mcu: Mcu = {
  name: "rv32",
  title: "RV32IMAC (QEMU virt)",
  compiler: {
    prefix: "riscv64-unknown-elf-",
    debian: "gcc-riscv64-unknown-elf",
    flags: ["-O2", "-march=rv32imac", "-mabi=ilp32", "-msmall-data-limit=0", "-ffreestanding", "-nostdlib", "-Wl,--no-warn-rwx-segments"],
    parts: [],
  },
  khz: 125_000,
  baud: 1_000_000,
  memory: { weights: 14, activations: 9, parameters: 8 }, // 128 KiB, 4 KiB, 2 KiB
  maxPayload: 256,
  window: 2,
  ring: 10,
  room: { code: 16 << 10, ram: 144 << 10 },
  emulator: {
    kind: "qemu",
    program: "qemu-system-riscv32",
    debian: "qemu-system-misc",
    args: ["-M", "virt", "-bios", "none", "-icount", "shift=0", "-kernel"],
  },
  counter: { chip: "clocks (mcycle)", emulated: "instructions (mcycle)" },
};
