// A TinyFPGA BX in its boot loader, in software.
import type { Target, Twin } from "../protocol.ts";
import { lineOf } from "./line.ts";
import { Nor } from "./nor.ts";

/** Adesto's 1 MiB, as on the BX. */
const FLASH = { size: 1 << 20, jedec: [0x1f, 0x85, 0x01] as const };
const ACCESS = 1;
const LEAVE = 0;
const HEAD = 5;

/** What the maker writes into the security registers, a document a page. */
function registers({ id, region }: Target): Uint8Array[] {
  const at = (n: number) => `0x${n.toString(16)}`;
  const board = { boardmeta: { name: id, fpga: "ice40lp8k-cm81", hver: "1.0.0" } };
  const boot = {
    bootmeta: { bootloader: "TinyFPGA USB Bootloader", bver: "1.0.1", addrmap: { bootloader: "0x000a0-0x28000", userimage: `${at(region.start)}-${at(region.end)}` } },
  };
  const page = (text: string) => {
    const bytes = new Uint8Array(256).fill(0xff);
    bytes.set(new TextEncoder().encode(text));
    return bytes;
  };
  return [page(""), page(JSON.stringify(board)), page(JSON.stringify(boot)), page("")];
}

export function tinyfpgaTwin(target: Target): Twin {
  const nor = new Nor({ ...FLASH, region: target.region, security: registers(target) });
  let request: number[] = [];
  let booted = false;
  const step = (byte: number): number[] => {
    if (booted) return [];
    request.push(byte);
    if (request[0] !== ACCESS) {
      booted = request[0] === LEAVE;
      request = [];
      return [];
    }
    const [, lo, hi, inLow, inHigh] = request;
    if (request.length < HEAD || request.length < HEAD + (lo | (hi << 8))) return [];
    nor.select();
    for (const b of request.slice(HEAD)) nor.transfer(b);
    const got = Array.from({ length: inLow | (inHigh << 8) }, () => nor.transfer(0));
    nor.deselect();
    request = [];
    return got;
  };
  return {
    line: lineOf(`${target.name}:twin`, (bytes) => Array.from(bytes).flatMap(step)),
    memory: { base: 0, bytes: nor.bytes },
    get booted() {
      return booted;
    },
    violations: nor.violations,
    reset() {
      nor.reset();
      request = [];
      booted = false;
    },
  };
}
