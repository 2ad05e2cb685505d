// RP2040 (Raspberry Pi Pico): one Cortex-M0+ at 125 MHz. Line on GP0 and GP1.
import type { Mcu } from "../../mcu.ts";

/** Bytes of the second stage of booting, its CRC-32 in the last four. */
const BOOT2_BYTES = 256;

export const mcu: Mcu = {
  name: "rp2040",
  title: "RP2040 (Cortex-M0+)",
  compiler: {
    prefix: "arm-none-eabi-",
    debian: "gcc-arm-none-eabi",
    flags: ["-O2", "-mcpu=cortex-m0plus", "-mthumb", "-ffreestanding", "-nostdlib"],
    parts: ["arm"],
  },
  khz: 125_000,
  baud: 1_000_000,
  memory: { weights: 14, activations: 9, parameters: 8 }, // 128 KiB, 4 KiB, 2 KiB
  maxPayload: 256,
  window: 2,
  ring: 10,
  room: { code: 16 << 10, ram: 144 << 10 },
  emulator: { kind: "rp2040js" },
  counter: { chip: "clocks (SysTick)", emulated: "clocks by the emulator's table of instructions (SysTick); waits for flash are not in it" },
  seal(image) {
    const end = BOOT2_BYTES - 4;
    new DataView(image.buffer, image.byteOffset).setUint32(end, bootChecksum(image.subarray(0, end)), true);
  },
};

/** CRC-32 as the boot ROM takes it: polynomial 04c11db7, begins at ffffffff, highest bit first, not inverted (RP2040 datasheet 2.8.1.3.1). */
export function bootChecksum(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const b of bytes) {
    crc ^= b << 24;
    for (let i = 0; i < 8; i++) crc = (crc << 1) ^ (crc & 0x80000000 ? 0x04c11db7 : 0);
  }
  return crc >>> 0;
}
