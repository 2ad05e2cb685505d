// The second stage of booting: the boot ROM copies the flash's first 256 bytes to the end of RAM, checks the CRC-32 in the last four (which the build puts
// there, mcu.ts) and jumps to the first. Sets the flash's controller (RP2040 datasheet 4.10, SSI) to plain reads with command 03h, which every
// flash knows, at a quarter of the clock, and goes on at the vectors.
  .syntax unified
  .cpu cortex-m0plus
  .thumb
  .section .boot, "ax"
  .global boot2
boot2:
  ldr r3, =0x18000000     // SSI
  movs r0, #0
  str r0, [r3, #0x08]     // SSIENR: off
  movs r0, #4
  str r0, [r3, #0x14]     // BAUDR
  ldr r0, =(31 << 16) | (3 << 8)
  str r0, [r3, #0x00]     // CTRLR0: frames of 32 bits, mode of EEPROMs
  movs r0, #0
  str r0, [r3, #0x04]     // CTRLR1: one frame
  ldr r0, =(0x03 << 24) | (2 << 8) | (6 << 2)
  ldr r1, =0x180000f4
  str r0, [r1]            // SPI_CTRLR0: command 03h of 8 bits, 24 bits of address, all on one wire
  movs r0, #1
  str r0, [r3, #0x08]     // SSIENR: on
  ldr r0, =0x10000100
  ldr r1, =0xe000ed08
  str r0, [r1]            // VTOR
  ldmia r0!, {r1, r2}
  msr msp, r1
  bx r2
  .ltorg
  .org 256, 0
