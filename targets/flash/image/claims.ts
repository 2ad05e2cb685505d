// What an image says of the board it is made for: by Skint's record, by the format of a chip's maker, by the family of a UF2 file. Bytes that say nothing
// are for any board.
import { SkintError } from "../../../runtime/errors.ts";
import type { ClaimKind, Target } from "../protocol.ts";
import type { Extent } from "./extent.ts";
import { chipOf, isMultiboot } from "./ice40.ts";
import { type Hash, recordedBoard } from "./record.ts";

export interface Claim {
  readonly kind: ClaimKind;
  readonly says: string;
}

const TITLES: Readonly<Record<ClaimKind, string>> = {
  skint: "Skint's image for",
  ice40: "a bitstream of an iCE40",
  esp32: "an application of ESP32s, chip",
  uf2: "a UF2 file of the family",
  loader: "an image for the beginning of an iCE40's flash (skint flash build --image loader),",
  elf: "a linker's file, not an image:",
};

const startsWith = (bytes: Uint8Array, lead: readonly number[]) => lead.every((b, i) => bytes[i] === b);
const ELF = [0x7f, 0x45, 0x4c, 0x46];

/** ESP32 images begin E9, parts, mode, size, entry:u32; the chip's number is at 12. Their code lies from 0x40000000 on, which few other files say there. */
function espChip(bytes: Uint8Array): number | undefined {
  if (bytes.length < 24 || bytes[0] !== 0xe9 || bytes[1] === 0 || bytes[1] > 16 || bytes[7] >> 4 !== 4) return undefined;
  return bytes[12] | (bytes[13] << 8);
}

/** Everything that an image says. Throws `format.*` where its record says that it is damaged. */
export function claimsOf({ bytes, family }: Extent, name: string, hash: Hash): Claim[] {
  const found: readonly (readonly [ClaimKind, string | undefined])[] = [
    ["loader", isMultiboot(bytes) ? "which only a programmer can write" : undefined],
    ["elf", startsWith(bytes, ELF) ? "give the .bin or .hex made of it" : undefined],
    ["skint", recordedBoard(bytes, name, hash)],
    ["ice40", chipOf(bytes)],
    ["esp32", espChip(bytes)?.toString()],
    ["uf2", family?.toString(16).padStart(8, "0")],
  ];
  return found.flatMap(([kind, says]) => (says === undefined ? [] : [{ kind, says }]));
}

/** Throws `flash.board` if an image says that it is for another board, `format.*` if it says that it is damaged. */
export function judgeBoard(image: Extent, target: Target, name: string, hash: Hash): void {
  for (const { kind, says } of claimsOf(image, name, hash)) {
    const taken = target.takes?.[kind] ?? [];
    if (taken.includes(says)) continue;
    const takes = taken.length ? `takes ${taken.join(" or ")}` : "takes none";
    throw new SkintError("flash.board", `${name} is ${TITLES[kind]} ${says}; ${target.title} ${takes}: give its own image, or --board; --force writes it all the same`, {
      what: name,
    });
  }
}
