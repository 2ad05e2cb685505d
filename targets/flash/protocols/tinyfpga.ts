// TinyFPGA's boot loader, on its USB serial port. A request is 01, bytes out:u16, bytes in:u16 and the bytes out, which go to the flash as they are;
// the bytes in come back. 00 leaves the boot loader and starts the image. No checksums: USB has its own, and what came wrong is seen on reading back.
import { SkintError } from "../../../runtime/errors.ts";
import type { Chip, LineProtocol, Region } from "../protocol.ts";
import { tinyfpgaTwin } from "../twins/tinyfpga.ts";
import { Wire } from "../wire.ts";

const ACCESS = 0x01;
const LEAVE = 0x00;
const SPI = { id: 0x9f, wake: 0xab, status: 0x05, latch: 0x06, erase: 0x20, program: 0x02, fast: 0x0b, security: 0x48 } as const;
const PAGE = 256;
/** Bytes read at once. */
const READ = 255;
/** Longest erasure of a sector that data sheets allow is 0.4 s; a look at the status takes about 1 ms. */
const LOOKS = 2000;
const PATIENCE = 1000;
/** Pages of the security registers that hold what the board is, one after the other. */
const REGISTERS = [1, 2, 3];

export const protocol: LineProtocol = {
  name: "tinyfpga",
  title: "TinyFPGA's boot loader",
  kind: "line",
  tried: "our twin of it before a model of the flash; no other client, never a board",
  twin: tinyfpgaTwin,
  async connect(line, target, { signal } = {}) {
    const chip = new TinyChip(new Wire(line, signal), target.region);
    await chip.greet();
    return chip;
  },
};

class TinyChip implements Chip {
  readonly sector = 4096;
  id = "";
  region: Region;
  readonly bootsUnheard = true;

  constructor(
    private readonly wire: Wire,
    region: Region,
  ) {
    this.region = region;
  }

  async greet(): Promise<void> {
    await this.wire.drain();
    await this.spi([SPI.wake], 0);
    const jedec = await this.spi([SPI.id], 3);
    if (jedec.every((b) => b === 0xff || b === 0))
      throw new SkintError("device.unavailable", `behind ${this.wire.line.name} there is no flash; is this a TinyFPGA that waits in its boot loader?`, {
        what: this.wire.line.name,
      });
    let text = "";
    for (const page of REGISTERS) text += String.fromCharCode(...(await this.spi([SPI.security, 0, page << 4, 0, 0], READ)));
    const { name, region } = parseMeta(text.replace(/[\xff\0]+/g, ""), this.wire.line.name);
    this.id = name;
    // The board's own word and ours: only what both allow.
    this.region = { start: Math.max(region.start, this.region.start), end: Math.min(region.end, this.region.end) };
  }

  async erase(at: number): Promise<void> {
    await this.spi([SPI.latch], 0);
    await this.spi([SPI.erase, ...address(at)], 0);
    await this.done();
  }

  async program(at: number, bytes: Uint8Array): Promise<void> {
    for (let i = 0; i < bytes.length; i += PAGE) {
      const page = bytes.subarray(i, i + PAGE);
      if (page.every((b) => b === 0xff)) continue;
      await this.spi([SPI.latch], 0);
      await this.spi([SPI.program, ...address(at + i), ...page], 0);
      await this.done();
    }
  }

  async read(at: number, count: number): Promise<Uint8Array> {
    const out = new Uint8Array(count);
    for (let i = 0; i < count; i += READ) out.set(await this.spi([SPI.fast, ...address(at + i), 0], Math.min(READ, count - i)), i);
    return out;
  }

  /** Nothing in this protocol can say where a request begins: only the board's button can. */
  async resync(): Promise<void> {
    throw new SkintError("device.noisy", `${this.wire.line.name} lost bytes in a request; press the board's button and run the command again`, { what: this.wire.line.name });
  }

  async boot(): Promise<void> {
    await this.wire.send([LEAVE]);
  }

  private async done(): Promise<void> {
    for (let i = 0; i < LOOKS; i++) if (!((await this.spi([SPI.status], 1))[0] & 1)) return;
    throw new SkintError("device.noisy", `the flash behind ${this.wire.line.name} does not become ready; is its supply right?`, { what: this.wire.line.name });
  }

  private async spi(out: readonly number[], count: number): Promise<Uint8Array> {
    await this.wire.send([ACCESS, out.length & 255, out.length >> 8, count & 255, count >> 8, ...out]);
    return this.wire.take(count, PATIENCE);
  }
}

const address = (at: number) => [(at >> 16) & 255, (at >> 8) & 255, at & 255];

/** Of the JSON in the registers, what is used: `boardmeta.name` and `bootmeta.addrmap.userimage`. Throws `device.wrong`. */
function parseMeta(text: string, line: string): { name: string; region: Region } {
  const name = /"boardmeta"\s*:\s*\{[^{}]*"name"\s*:\s*"([^"]{1,40})"/.exec(text)?.[1];
  const [, from, to] = /"userimage"\s*:\s*"0x([0-9a-fA-F]{1,6})-0x([0-9a-fA-F]{1,6})"/.exec(text) ?? [];
  if (name && from) return { name, region: { start: Number.parseInt(from, 16), end: Number.parseInt(to, 16) } };
  throw new SkintError("device.wrong", `${line} does not say what board it is and where its image goes; is this a TinyFPGA that waits in its boot loader?`, { what: line });
}
