// A serial NOR flash as it is, byte by byte on its bus: programming only clears bits, erasing sets whole sectors, a page wraps round at 256 bytes,
// every write wants the latch set before it, and while the chip is at work it answers nothing but its status. What a careful flasher never does is
// obeyed as silicon would, and counted. The same chip in C++, in clocks: sim/nor.h.

export const NOR = {
  sector: 4096,
  page: 256,
  status: 0x05,
  latch: 0x06,
  unlatch: 0x04,
  id: 0x9f,
  wake: 0xab,
  sleep: 0xb9,
  erase: 0x20,
  program: 0x02,
  read: 0x03,
  fast: 0x0b,
  security: 0x48,
} as const;
/** Erasures of 32 KiB, 64 KiB and all. */
const LARGER: Readonly<Record<number, number>> = { 82: 32768, 216: 65536, 199: Number.POSITIVE_INFINITY, 96: Number.POSITIVE_INFINITY };
/** Looks at the status until a chip in software is done. */
const BUSY_LOOKS = { program: 2, erase: 5 };

export interface NorOptions {
  readonly size: number;
  /** Manufacturer and two bytes of device. */
  readonly jedec: readonly [number, number, number];
  /** Where somebody may write; elsewhere it is counted. */
  readonly region: { readonly start: number; readonly end: number };
  /** Security registers, of 256 bytes each. */
  readonly security?: readonly Uint8Array[];
}

export class Nor {
  readonly bytes: Uint8Array;
  readonly violations = { unerased: 0, wrapped: 0, outside: 0, unlatched: 0, busy: 0 };
  private readonly options: NorOptions;
  /** Bytes of the command so far, but not those that only clock an answer out. */
  private command: number[] = [];
  private count = 0;
  private looks = 0;
  private latched = false;
  private asleep = false;

  constructor(options: NorOptions) {
    this.options = options;
    this.bytes = new Uint8Array(options.size).fill(0xff);
  }

  /** Chip select goes low: a command begins. */
  select(): void {
    this.command = [];
    this.count = 0;
  }

  /** A byte goes in, one comes out. */
  transfer(byte: number): number {
    const at = this.count++;
    if (at < 5 || this.command[0] === NOR.program || this.command[0] === NOR.erase) this.command.push(byte);
    const op = this.command[0];
    if (at === 0) {
      if (this.looks > 0 && op !== NOR.status) this.violations.busy++;
      return 0xff;
    }
    if (op === NOR.status) return this.look();
    if (this.looks > 0 || (this.asleep && op !== NOR.wake)) return 0xff;
    if (op === NOR.id) return this.options.jedec[at - 1] ?? 0xff;
    if (op === NOR.read && at >= 4) return this.bytes[(this.address + at - 4) % this.bytes.length];
    if (op === NOR.fast && at >= 5) return this.bytes[(this.address + at - 5) % this.bytes.length];
    if (op === NOR.security && at >= 5) return this.options.security?.[this.address >> 12]?.[(this.address + at - 5) & 255] ?? 0xff;
    return 0xff;
  }

  /** Chip select goes high: what was told is done. */
  deselect(): void {
    const [op] = this.command;
    if (op === undefined || this.looks > 0) return;
    if (op === NOR.wake) this.asleep = false;
    if (this.asleep) return;
    if (op === NOR.sleep) this.asleep = true;
    if (op === NOR.latch) this.latched = true;
    if (op === NOR.unlatch) this.latched = false;
    if (op === NOR.program && this.command.length > 4) this.write(() => this.program());
    if (op === NOR.erase && this.command.length === 4) this.write(() => this.erase(NOR.sector));
    if (op in LARGER) this.write(() => this.erase(Math.min(LARGER[op], this.bytes.length)));
  }

  /** Power off and on: a latch is forgotten, the memory is not. */
  reset(): void {
    this.command = [];
    this.looks = 0;
    this.latched = false;
    this.asleep = false;
  }

  private get address(): number {
    return ((this.command[1] << 16) | (this.command[2] << 8) | this.command[3]) % this.bytes.length;
  }

  private look(): number {
    const status = (this.looks > 0 ? 1 : 0) | (this.latched ? 2 : 0);
    if (this.looks > 0) this.looks--;
    return status;
  }

  private write(work: () => void): void {
    if (!this.latched) {
      this.violations.unlatched++;
      return;
    }
    work();
    this.latched = false;
  }

  private outside(at: number): void {
    const { start, end } = this.options.region;
    if (at < start || at >= end) this.violations.outside++;
  }

  private program(): void {
    const data = this.command.slice(4);
    const page = this.address - (this.address % NOR.page);
    if ((this.address % NOR.page) + data.length > NOR.page) this.violations.wrapped++;
    data.forEach((b, i) => {
      const at = page + ((this.address + i) % NOR.page);
      this.outside(at);
      if ((this.bytes[at] & b) !== b) this.violations.unerased++;
      this.bytes[at] &= b;
    });
    this.looks = BUSY_LOOKS.program;
  }

  private erase(size: number): void {
    const at = this.address - (this.address % size);
    this.outside(at);
    this.outside(at + size - 1);
    this.bytes.fill(0xff, at, at + size);
    this.looks = BUSY_LOOKS.erase;
  }
}
