// An STM32 in its boot loader, in software: flash of the size of the board's region, pages of 1 KiB. Older ROMs erase by 43, later ones by 44 instead. Programming only clears bits here: the chip itself refuses
// halfwords that are not erased, and this counts them.
import type { Target, Twin } from "../protocol.ts";
import { lineOf } from "./line.ts";

const SYNC = 0x7f;
const ACK = 0x79;
const NACK = 0x1f;
const COMMANDS = [0x00, 0x01, 0x02, 0x11, 0x21, 0x31];
const ERASE = { pages: 0x43, extended: 0x44 } as const;
/** Product ids of the chips on boards here whose ROM knows 44. */
const LATER = ["0444"];
/** From here on a count of pages of 44 is a special code: all, the first bank, the second; the others are reserved. */
const SPECIAL = 0xfff0;
const ALL = 0xffff;
const BANKS = [0xfffe, 0xfffd];
const PAGE = 1024;
const VERSION = 0x22;

/** Takes a byte at a time: yields what it answers, is resumed with the next byte. */
type Talk = Generator<number[], void, number>;

export interface Stm32Options {
  /** Default: as the board's chip. */
  readonly erase?: (typeof ERASE)[keyof typeof ERASE];
  /** Halves of the flash that 44 may erase by themselves. Default: 1, which is none. */
  readonly banks?: 1 | 2;
}

export function stm32Twin(target: Target, { erase: byPages = LATER.includes(target.id) ? ERASE.extended : ERASE.pages, banks = 1 }: Stm32Options = {}): Twin {
  const { start, end } = target.region;
  const commands = [...COMMANDS, byPages];
  const bytes = new Uint8Array(end - start).fill(0xff);
  const violations = { unerased: 0, outside: 0 };
  let booted = false;

  const id = Number.parseInt(target.id, 16);
  const xor = (all: readonly number[]) => all.reduce((a, b) => a ^ b, 0);

  /** Bytes one after the other, nothing said between them but `first`. */
  function* take(count: number, first: number[] = []): Generator<number[], number[], number> {
    const got: number[] = [];
    let say = first;
    while (got.length < count) {
      got.push(yield say);
      say = [];
    }
    return got;
  }

  function* address(): Generator<number[], number | undefined, number> {
    const got = yield* take(5, [ACK]);
    return xor(got) === 0 ? ((got[0] << 24) | (got[1] << 16) | (got[2] << 8) | got[3]) >>> 0 : undefined;
  }
  const inside = (at: number | undefined, count: number) => at !== undefined && at >= start && at + count <= end;

  function* write(): Generator<number[], number[], number> {
    const at = yield* address();
    if (at === undefined) return [NACK];
    const [most] = yield* take(1, [ACK]);
    const got = yield* take(most + 2);
    if (xor([most, ...got]) !== 0 || (most + 1) % 4) return [NACK];
    if (!inside(at, most + 1)) {
      violations.outside++;
      return [NACK];
    }
    for (let i = 0; i <= most; i++) {
      if ((bytes[at - start + i] & got[i]) !== got[i]) violations.unerased++;
      bytes[at - start + i] &= got[i];
    }
    return [ACK];
  }

  function* erase(): Generator<number[], number[], number> {
    const [most] = yield* take(1, [ACK]);
    if (most === 255) {
      const [check] = yield* take(1);
      if (check !== 0) return [NACK];
      bytes.fill(0xff);
      return [ACK];
    }
    const pages = yield* take(most + 2);
    if (xor([most, ...pages]) !== 0 || pages.slice(0, -1).some((page) => page * PAGE >= bytes.length)) return [NACK];
    for (const page of pages.slice(0, -1)) bytes.fill(0xff, page * PAGE, (page + 1) * PAGE);
    return [ACK];
  }

  function* extendedErase(): Generator<number[], number[], number> {
    const count = yield* take(2, [ACK]);
    const most = (count[0] << 8) | count[1];
    if (most >= SPECIAL) {
      const [check] = yield* take(1);
      const bank = banks === 2 ? BANKS.indexOf(most) : -1;
      if (check !== xor(count) || (most !== ALL && bank < 0)) return [NACK];
      const half = bytes.length / 2;
      if (most === ALL) bytes.fill(0xff);
      else bytes.fill(0xff, bank * half, (bank + 1) * half);
      return [ACK];
    }
    const got = yield* take(2 * (most + 1) + 1);
    const pages = Array.from({ length: most + 1 }, (_, i) => (got[2 * i] << 8) | got[2 * i + 1]);
    if (xor([...count, ...got]) !== 0 || pages.some((page) => page * PAGE >= bytes.length)) return [NACK];
    for (const page of pages) bytes.fill(0xff, page * PAGE, (page + 1) * PAGE);
    return [ACK];
  }

  function* read(): Generator<number[], number[], number> {
    const at = yield* address();
    if (at === undefined) return [NACK];
    const [most, check] = yield* take(2, [ACK]);
    if ((most ^ check) !== 255 || !inside(at, most + 1)) return [NACK];
    return [ACK, ...bytes.subarray(at - start, at - start + most + 1)];
  }

  function* go(): Generator<number[], number[], number> {
    if ((yield* address()) !== start) return [NACK];
    booted = true;
    return [ACK];
  }

  const answers: Readonly<Record<number, () => Generator<number[], number[], number>>> = { 17: read, 33: go, 49: write, 67: erase, 68: extendedErase };
  const fixed: Readonly<Record<number, number[]>> = {
    0: [ACK, commands.length, VERSION, ...commands, ACK],
    1: [ACK, VERSION, 0, 0, ACK],
    2: [ACK, 1, id >> 8, id & 255, ACK],
  };

  function* talk(): Talk {
    let say: number[] = [];
    while ((yield say) !== SYNC) say = [];
    say = [ACK];
    while (!booted) {
      const [command, check] = yield* take(2, say);
      if ((command ^ check) !== 255 || !commands.includes(command)) say = [NACK];
      else say = fixed[command] ?? (yield* answers[command]());
    }
    yield say;
    for (;;) yield [];
  }

  let running = talk();
  running.next();
  return {
    line: lineOf(`${target.name}:twin`, (sent) => Array.from(sent).flatMap((b) => running.next(b).value ?? [])),
    memory: { base: start, bytes },
    get booted() {
      return booted;
    },
    violations,
    reset() {
      booted = false;
      running = talk();
      running.next();
    },
  };
}
