// What an MCU is to Skint: one folder in mcus/ with a port in C and an `mcu.ts` that exports `mcu` (docs/adding-a-mcu.md).

/** What runs an agent here in place of the MCU. */
export type Emulator =
  /** QEMU; the ELF file comes behind `args`. Its time is that of the wall while the agent sleeps. */
  | { readonly kind: "qemu"; readonly program: string; readonly debian: string; readonly args: readonly string[] }
  /** simavr, as a library, with its name for the MCU. In lockstep. */
  | { readonly kind: "simavr"; readonly core: string }
  /** The npm package rp2040js. In lockstep. */
  | { readonly kind: "rp2040js" };

export interface Mcu {
  /** At most 8 characters, as the agent says them in HELLO. */
  readonly name: string;
  readonly title: string;
  /** GCC: what stands before `gcc`, Debian's packages of it, flags. Folders beside core/ that are compiled and searched too. */
  readonly compiler: { readonly prefix: string; readonly debian: string; readonly flags: readonly string[]; readonly parts: readonly string[] };
  /** Clock in kHz. */
  readonly khz: number;
  readonly baud: number;
  /** Address bits of the memories, in words of 64 bits. */
  readonly memory: { readonly weights: number; readonly activations: number; readonly parameters: number };
  /** What every byte of the weights is before it is written: 255 in flash. Default: 0. */
  readonly fresh?: number;
  /** Bytes of the largest payload, at most 256, and requests that may be unanswered, 1 or 2. */
  readonly maxPayload: number;
  readonly window: number;
  /** Address bits of the buffer between interrupt and loop: it holds what a window lets come while the agent works. */
  readonly ring: number;
  /** Most bytes that code and constants, and variables, may take. The rest of RAM is the stack's. */
  readonly room: { readonly code: number; readonly ram: number };
  readonly emulator: Emulator;
  /** What its counter of clocks counts, on the chip and in the emulator. */
  readonly counter: { readonly chip: string; readonly emulated: string };
  /** Puts into an image what can only be known of the whole of it. */
  seal?(image: Uint8Array): void;
}

/** Macros of core/port.h. `build`: 16 hex digits. */
export function definesOf(mcu: Mcu, build: string): Record<string, string> {
  const { memory } = mcu;
  return {
    BOARD: JSON.stringify(mcu.name),
    BUILD: (build.match(/../g) ?? []).map((b) => `0x${b}`).join(","),
    KHZ: `${mcu.khz}UL`,
    BAUD: `${mcu.baud}UL`,
    MAX_PAYLOAD: String(mcu.maxPayload),
    WINDOW: String(mcu.window),
    RING_BITS: String(mcu.ring),
    WEIGHTS_BITS: String(memory.weights),
    ACTIVATIONS_BITS: String(memory.activations),
    PARAMETERS_BITS: String(memory.parameters),
  };
}
