// The boot loader in the ROM of STM32s on their serial port (ST's application note AN3155): 8 data bits, even parity. 7F makes it measure the baud
// rate; a command is its byte and the complement, data end with the XOR of their bytes; each is acknowledged.
import { SkintError } from "../../../runtime/errors.ts";
import { hex } from "../image/extent.ts";
import type { Chip, LineProtocol, Target } from "../protocol.ts";
import { stm32Twin } from "../twins/stm32.ts";
import { patiently, Wire } from "../wire.ts";

const SYNC = 0x7f;
const ACK = 0x79;
const NACK = 0x1f;
const COMMANDS = { get: 0x00, id: 0x02, read: 0x11, go: 0x21, write: 0x31, erase: 0x43, extendedErase: 0x44 } as const;
/** Bytes of one READ or WRITE. */
const MOST = 256;
const ANSWER = 500;
/** A page of the slowest parts takes 40 ms; a whole bank's is not asked for. */
const ERASING = 2000;
/** More than the longest request: what is left of one is filled up and refused. */
const FILL = 300;
/** ms to wait for a refusal */
const STEP = 20;

export const protocol: LineProtocol = {
  name: "stm32",
  title: "STM32's boot loader in ROM (AN3155)",
  kind: "line",
  parity: "even",
  tried: "our twin of it, which stm32flash writes as well; without parity, as pseudo terminals have none; never a board",
  twin: stm32Twin,
  async connect(line, target, { signal } = {}) {
    const chip = new Stm32Chip(new Wire(line, signal), target);
    await chip.resync();
    await patiently(
      () => chip.greet(),
      () => chip.resync(),
    );
    return chip;
  },
};

class Stm32Chip implements Chip {
  readonly sector = 1024;
  readonly region: Chip["region"];
  id = "";
  private extended = false;

  constructor(
    private readonly wire: Wire,
    target: Target,
  ) {
    this.region = target.region;
  }

  async greet(): Promise<void> {
    await this.command(COMMANDS.get);
    const known = await this.counted();
    this.extended = known.includes(COMMANDS.extendedErase);
    await this.command(COMMANDS.id);
    this.id = [...(await this.counted())].map((b) => b.toString(16).padStart(2, "0")).join("");
  }

  async erase(at: number): Promise<void> {
    const page = (at - this.region.start) / this.sector;
    await this.command(this.extended ? COMMANDS.extendedErase : COMMANDS.erase);
    await this.data(this.extended ? [0, 0, page >> 8, page & 255] : [0, page], ERASING);
  }

  async program(at: number, bytes: Uint8Array): Promise<void> {
    for (let i = 0; i < bytes.length; i += MOST) {
      const part = [...bytes.subarray(i, i + MOST)];
      if (part.every((b) => b === 0xff)) continue;
      while (part.length % 4) part.push(0xff);
      await this.command(COMMANDS.write);
      await this.data(address(at + i), ANSWER);
      await this.data([part.length - 1, ...part], ERASING);
    }
  }

  async read(at: number, count: number): Promise<Uint8Array> {
    const out = new Uint8Array(count);
    for (let i = 0; i < count; i += MOST) {
      const most = Math.min(MOST, count - i);
      await this.command(COMMANDS.read);
      await this.data(address(at + i), ANSWER);
      await this.send([most - 1, (most - 1) ^ 255], ANSWER);
      out.set(await this.wire.take(most, ANSWER), i);
    }
    return out;
  }

  /**
   * 7F alone wakes a loader that was just reset. One that waits for a command takes two for a wrong command, one within a request takes as many as
   * are missing for data with a wrong checksum: each ends in a refusal, and then both are in step. No page has the number 7F.
   */
  async resync(): Promise<void> {
    await this.wire.drain();
    for (let i = 0; i < FILL; i++) {
      await this.wire.send([SYNC]);
      const answer = await this.answer(i === 0 ? ANSWER : STEP).catch(() => undefined);
      if (answer === ACK) return;
      if (answer === NACK) return this.wire.drain(STEP);
    }
    const { name } = this.wire.line;
    throw new SkintError("device.unavailable", `no boot loader answers on ${name}; set BOOT0, press reset, and check the cable`, { what: name });
  }

  async boot(): Promise<void> {
    await this.command(COMMANDS.go);
    await this.data(address(this.region.start), ANSWER);
  }

  private command(byte: number): Promise<void> {
    return this.send([byte, byte ^ 255], ANSWER);
  }

  private data(bytes: readonly number[], ms: number): Promise<void> {
    return this.send([...bytes, bytes.reduce((a, b) => a ^ b, bytes.length === 1 ? 255 : 0)], ms);
  }

  private async send(bytes: readonly number[], ms: number): Promise<void> {
    await this.wire.send(bytes);
    const answer = await this.answer(ms);
    if (answer !== ACK) throw this.refused(answer);
  }

  private async answer(ms: number): Promise<number> {
    return (await this.wire.take(1, ms))[0];
  }

  /** A count less one, that many bytes, and an acknowledgement. */
  private async counted(): Promise<Uint8Array> {
    const [most] = await this.wire.take(1, ANSWER);
    const bytes = await this.wire.take(most + 1, ANSWER);
    const answer = await this.answer(ANSWER);
    if (answer !== ACK) throw this.refused(answer);
    return bytes;
  }

  private refused(answer: number): SkintError {
    const { name } = this.wire.line;
    return new SkintError("device.noisy", `the boot loader on ${name} answered ${hex(answer)} instead of ${hex(ACK)}; is the flash protected against writing?`, { what: name });
  }
}

const address = (at: number) => [at >>> 24, (at >> 16) & 255, (at >> 8) & 255, at & 255];
