// Which relaxed dot product is the fast one here: into i32, one instruction on processors with AVX-VNNI or Arm's DotProd, if the engine
// uses it, else five; or into i16, one everywhere, plus an addition. Timed once a process, as nothing tells. Either gives the same bits.

/** Few, as the baseline compiler keeps few in registers; the latency of a chain tells the same as the rate of many. */
const CHAINS = 4;
/** Products of each chain in a turn: many, as each turn costs the baseline compiler several moves. */
const LINKS = 24;
const FIRST_TURNS = 4000;
const MOST_TURNS = 1 << 20;
/** A timing must last so long, ms: a page's clock ticks every 0.1 ms. */
const LONG_ENOUGH = 1;
const ROUNDS = 3;
/** As many if i32 seems slow: its loop may have been left in the baseline tier so far, which doubles its time. */
const MOST_ROUNDS = 10;
/** i32 wins up to this ratio of the times: it is near 0.8 where its product is one instruction, near 1.6 elsewhere, on either tier of V8. */
const WORTH = 1.1;

const LOCAL_GET = 0x20;
const LOCAL_SET = 0x21;
const LOCAL_TEE = 0x22;
const I8_SPLAT = [0xfd, 0x0f];
const XOR = [0xfd, 0x51];
/** sum, operand, sum → i32x4.relaxed_dot_i8x16_i7x16_add_s. */
const INTO_I32 = (sum: number) => [LOCAL_GET, sum, LOCAL_GET, OPERAND, LOCAL_GET, sum, 0xfd, 0x93, 0x02];
/** sum + i16x8.relaxed_dot_i8x16_i7x16_s(sum, operand). */
const INTO_I16 = (sum: number) => [LOCAL_GET, sum, LOCAL_GET, sum, LOCAL_GET, OPERAND, 0xfd, 0x92, 0x02, 0xfd, 0x8e, 0x01];
/** Locals: turns, the operand, the sums. */
const OPERAND = 1;
const SUMS = Array.from({ length: CHAINS }, (_, i) => 2 + i);

const leb = (n: number): number[] => (n < 128 ? [n] : [(n & 127) | 128, ...leb(n >> 7)]);
const section = (id: number, content: readonly number[]) => [id, ...leb(content.length), ...content];

/** (turns: i32) → i32: every sum is multiplied with the operand and the product added to it, again and again. */
function chains(product: (sum: number) => number[]): (turns: number) => number {
  const links = Array.from({ length: LINKS }, () => SUMS.flatMap((sum) => [...product(sum), LOCAL_SET, sum])).flat();
  const loop = [0x03, 0x40, ...links, LOCAL_GET, 0, 0x41, 1, 0x6b, LOCAL_TEE, 0, 0x0d, 0, 0x0b]; // while (turns -= 1)
  const all = SUMS.flatMap((sum, i) => [LOCAL_GET, sum, ...(i ? XOR : [])]);
  const body = [LOCAL_GET, 0, ...I8_SPLAT, LOCAL_SET, OPERAND, ...loop, ...all, 0xfd, 0x1b, 0, 0x0b]; // i32x4.extract_lane 0
  const code = [1, 1 + CHAINS, 0x7b, ...body]; // one group of locals: v128
  const bytes = [
    [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    section(1, [1, 0x60, 1, 0x7f, 1, 0x7f]),
    section(3, [1, 0]),
    section(7, [1, 1, 0x66, 0, 0]), // export f
    section(10, [1, ...leb(code.length), ...code]),
  ].flat();
  return new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(bytes))).exports.f as (turns: number) => number;
}

/** Times of the product into i32 and into i16, ms: the best of a few alternating rounds, some 10 to 40 ms in all. */
export function timeDots(now: () => number): { i32: number; i16: number } {
  const i32 = chains(INTO_I32);
  const i16 = chains(INTO_I16);
  const time = (run: (turns: number) => number, turns: number) => {
    const start = now();
    run(turns);
    return now() - start;
  };
  let turns = FIRST_TURNS;
  // Twice: a stall, or the first call's compilation, must not pass for work.
  while (Math.min(time(i32, turns), time(i32, turns)) < LONG_ENOUGH && turns < MOST_TURNS) turns *= 2;
  const best = { i32: Number.POSITIVE_INFINITY, i16: Number.POSITIVE_INFINITY };
  for (let round = 0; round < ROUNDS || (round < MOST_ROUNDS && best.i32 >= WORTH * best.i16); round++) {
    best.i32 = Math.min(best.i32, time(i32, turns));
    best.i16 = Math.min(best.i16, time(i16, turns));
  }
  return best;
}

let known: boolean | undefined;

/** Is the build `dot32` worth trying before `relaxed`? The engine must have relaxed SIMD. */
export function prefersDot32(now: () => number): boolean {
  if (known === undefined) {
    const { i32, i16 } = timeDots(now);
    known = i32 < WORTH * i16;
  }
  return known;
}
