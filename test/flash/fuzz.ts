// What is thrown at the readers of files and at the protocols, from a seed: malformed files, and lines whose far end lies.

import { SkintError } from "../../runtime/errors.ts";
import { createRandom, type Random } from "../../runtime/num/random.ts";
import type { Line } from "../../targets/devices/fpga/link/line.ts";
import { claimsOf } from "../../targets/flash/image/claims.ts";
import { MAX_IMAGE } from "../../targets/flash/image/extent.ts";
import { writeHex } from "../../targets/flash/image/hex.ts";
import { multiboot, vectorsOf, withComment } from "../../targets/flash/image/ice40.ts";
import { readImage } from "../../targets/flash/image/read.ts";
import { seal, unsealed } from "../../targets/flash/image/record.ts";
import { writeUf2 } from "../../targets/flash/image/uf2.ts";
import type { FileProtocol } from "../../targets/flash/protocol.ts";
import { targetOf } from "../../targets/flash/targets.ts";
import { digest, flashOver, holds, lineTarget, madeUp } from "../../tools/goals/flash/cutting.ts";

const bytesOf = (random: Random, n: number) => Uint8Array.from({ length: n }, () => random.below(256));

/** Good files of every kind. */
function seeds(random: Random): Uint8Array[] {
  const bytes = bytesOf(random, 1 + random.below(1200));
  const start = [0, 0xfff0, 0x1000_0000, 0xffff_f000][random.below(4)];
  const head = Uint8Array.from(Buffer.from("ff0000ff7eaa997e510001059200206202b372015011000101", "hex"));
  const bitstream = withComment(Uint8Array.from([...head, ...bytes]), unsealed("icebrkr"));
  seal(bitstream, digest);
  return [
    new TextEncoder().encode(writeHex({ start, bytes }, 1 + random.below(40))),
    writeUf2({ start: start - (start % 256), bytes }, random.u32()),
    bitstream,
    multiboot(bitstream, [random.below(1 << 24)]),
  ];
}

/** Flipped bits, lost and doubled stretches, other files' stretches, large numbers. */
function damage(random: Random, file: Uint8Array, other: Uint8Array): Uint8Array {
  const bytes = [...file];
  for (let n = random.below(6); n >= 0; n--) {
    const at = random.below(bytes.length + 1);
    const length = random.below(random.below(2) ? 8 : 600);
    const ways: readonly (() => void)[] = [
      () => bytes.splice(at, 1, (bytes[at] ?? 0) ^ (1 << random.below(8))),
      () => bytes.splice(at, length),
      () => bytes.splice(at, 0, ...bytes.slice(at, at + length)),
      () => bytes.splice(at, length, ...other.slice(at, at + length)),
      () => bytes.splice(at, 4, ...[0xff, 0x7f, 0x00, 0x80].map((b) => (random.below(2) ? b : 0xff))),
      () => bytes.splice(at, bytes.length),
    ];
    ways[random.below(ways.length)]();
  }
  return Uint8Array.from(bytes);
}

/** Files that are read, each an image within bounds or an error of its kind; what became of how many. */
export function fuzzFiles(seed: number, count: number): { read: number; refused: number } {
  const random = createRandom(seed);
  const told = { read: 0, refused: 0 };
  for (let i = 0; i < count; i++) {
    const [files, others] = [seeds(random), seeds(random)];
    const file = damage(random, files[random.below(files.length)], others[random.below(others.length)]);
    try {
      const image = readImage(file, "fuzz", { start: 0x1000, end: 0x100000 });
      if (image.bytes.length === 0 || image.bytes.length > MAX_IMAGE) throw new Error(`seed ${seed}, file ${i}: ${image.bytes.length} bytes`);
      vectorsOf(image.bytes);
      claimsOf(image, "fuzz", digest);
      told.read++;
    } catch (e) {
      if (!(e instanceof SkintError) || !e.code.startsWith("format.")) throw e;
      told.refused++;
    }
  }
  return told;
}

/** UF2 files that a drive damaged: read back, each is an image within bounds, which the command compares by its hash, or is refused. */
export function fuzzUf2Drive(seed: number, count: number): { read: number; refused: number } {
  const random = createRandom(seed);
  const { target, protocol } = targetOf("pico");
  const drive = protocol as FileProtocol;
  const told = { read: 0, refused: 0 };
  for (let i = 0; i < count; i++) {
    const image = madeUp(target, 256 * (1 + random.below(5)), i);
    const file = drive.encode(image, target);
    try {
      const back = drive.decode(damage(random, file, file), "fuzz", target);
      if (back.bytes.length > MAX_IMAGE) throw new Error(`seed ${seed}, file ${i}: ${back.bytes.length} bytes`);
      told.read++;
    } catch (e) {
      if (!(e instanceof SkintError) || !e.code.startsWith("format.")) throw e;
      told.refused++;
    }
  }
  return told;
}

/** What a far end may do with what it should say. */
export const LIES = ["random", "truncated", "flipped", "long", "twice", "endless"] as const;
export type Lie = (typeof LIES)[number];

/** Reads and writes of one line, beyond which something does not end. */
const MOST_CALLS = 200_000;
/** Bytes of one read that says too much. */
const FLOOD = 1 << 16;

/** A line that tells the truth for `honest` bytes, and then what `lie` says. */
export function lyingLine(line: Line, lie: Lie, honest: number, random: Random): Line {
  let [told, calls] = [0, 0];
  const count = () => {
    if (++calls > MOST_CALLS) throw new Error(`${line.name}: no end with answers that are ${lie}`);
  };
  const said: Readonly<Record<Lie, (truth: Uint8Array) => Uint8Array>> = {
    random: (truth) => bytesOf(random, random.below(2 * truth.length + 3)),
    truncated: (truth) => truth.subarray(0, random.below(truth.length + 1)),
    flipped: (truth) => truth.map((b) => (random.below(20) ? b : b ^ (1 << random.below(8)))),
    long: (truth) => (truth.length ? Uint8Array.from([...truth, ...bytesOf(random, random.below(8) ? 5 : FLOOD)]) : truth),
    twice: (truth) => Uint8Array.from([...truth, ...truth]),
    endless: () => bytesOf(random, 64),
  };
  return {
    ...line,
    async write(bytes) {
      count();
      await line.write(bytes);
    },
    async read(ms) {
      count();
      const truth = await line.read(ms);
      told += truth.length;
      return told <= honest ? truth : said[lie](truth);
    },
  };
}

/** Runs over lines that lie from some byte on: how many ended in which error, and how many in a success, which has to be a true one. */
export async function fuzzReplies(board: string, seed: number, count: number): Promise<Record<string, number>> {
  const { target, protocol } = lineTarget(board);
  const random = createRandom(seed);
  const image = madeUp(target, 700);
  const ends: Record<string, number> = {};
  for (let i = 0; i < count; i++) {
    const twin = protocol.twin(target);
    const lie = LIES[i % LIES.length];
    const honest = random.below(3) ? random.below(4000) : 0;
    const ended = await flashOver(lyingLine(twin.line, lie, honest, random), protocol, target, image).catch((e) => {
      if (!(e instanceof SkintError)) throw e;
      return e;
    });
    if (!(ended instanceof SkintError) && !holds(twin, image, ended.confirmed)) throw new Error(`${board}, seed ${seed}, run ${i} (${lie} from ${honest} on): a false success`);
    const how = ended instanceof SkintError ? ended.code : "success";
    ends[how] = (ends[how] ?? 0) + 1;
  }
  return ends;
}
