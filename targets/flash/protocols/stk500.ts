// STK500 version 1, as optiboot and with it most Arduinos with an AVR speak it: a command, its arguments, 20; the answer is 14, what was asked for, 10.
// Addresses in the line are of 16-bit words; programming a page erases it. The loader is reached by a reset, which DTR gives.
import { SkintError } from "../../../runtime/errors.ts";
import { hex } from "../image/extent.ts";
import type { Chip, LineProtocol, Region } from "../protocol.ts";
import { stk500Twin } from "../twins/stk500.ts";
import { patiently, Wire } from "../wire.ts";

const END = 0x20;
const IN_SYNC = 0x14;
const OK = 0x10;
const COMMANDS = { sync: 0x30, signature: 0x75, address: 0x55, program: 0x64, read: 0x74, leave: 0x51 } as const;
const FLASH = 0x46;
const PAGE = 128;
const ANSWER = 500;
/** DTR is let go for this long, ms; the loader listens soon after. */
const RESET = 60;
const TRIES = 5;

export const protocol: LineProtocol = {
  name: "stk500",
  title: "STK500v1 (optiboot, Arduino)",
  kind: "line",
  tried: "optiboot, compiled from the source in Debian's arduino-core-avr, in simavr, which avrdude writes as well; never a board",
  twin: stk500Twin,
  async connect(line, target, { signal } = {}) {
    const chip = new AvrChip(new Wire(line, signal), target.region);
    await chip.resync();
    await patiently(
      () => chip.greet(),
      () => chip.resync(),
    );
    return chip;
  },
};

class AvrChip implements Chip {
  readonly sector = PAGE;
  id = "";

  constructor(
    private readonly wire: Wire,
    readonly region: Region,
  ) {}

  async greet(): Promise<void> {
    this.id = [...(await this.ask([COMMANDS.signature], 3))].map((b) => b.toString(16).padStart(2, "0")).join("");
  }

  async program(at: number, bytes: Uint8Array): Promise<void> {
    await this.seek(at);
    await this.ask([COMMANDS.program, bytes.length >> 8, bytes.length & 255, FLASH, ...bytes], 0);
  }

  async read(at: number, count: number): Promise<Uint8Array> {
    await this.seek(at);
    return this.ask([COMMANDS.read, count >> 8, count & 255, FLASH], count);
  }

  /** A loader that lost bytes can only be reset. */
  async resync(): Promise<void> {
    const { line } = this.wire;
    for (let tries = 0; tries < TRIES; tries++) {
      await line.signals?.({ dtr: false, rts: false });
      await this.wire.drain(RESET);
      await line.signals?.({ dtr: true, rts: true });
      await this.wire.drain(RESET);
      const heard = await this.ask([COMMANDS.sync], 0).then(
        () => true,
        () => false,
      );
      if (heard) return;
    }
    throw new SkintError("device.unavailable", `no boot loader answers on ${line.name}; press the board's reset and run the command again at once, and check the baud rate`, {
      what: line.name,
    });
  }

  async boot(): Promise<void> {
    await this.ask([COMMANDS.leave], 0);
  }

  private async seek(at: number): Promise<void> {
    const word = at >> 1;
    await this.ask([COMMANDS.address, word & 255, word >> 8], 0);
  }

  private async ask(command: readonly number[], count: number): Promise<Uint8Array> {
    await this.wire.send([...command, END]);
    const answer = await this.wire.take(count + 2, ANSWER);
    if (answer[0] === IN_SYNC && answer[count + 1] === OK) return answer.subarray(1, count + 1);
    const { name } = this.wire.line;
    throw new SkintError("device.noisy", `the boot loader on ${name} answered ${hex(answer[0])} … ${hex(answer[count + 1])} instead of ${hex(IN_SYNC)} … ${hex(OK)}`, {
      what: name,
    });
  }
}
