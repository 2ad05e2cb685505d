// What a calibration has done so far: the packed matrices of each finished segment with their reports, and the values that the next segment
// starts from. In memory, or in a folder beside the artefact from which a run that was stopped goes on.
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { SkintError } from "../../../runtime/errors.ts";
import { attempt, createFile, makeFolder } from "../../../targets/hosts/node/files.ts";
import { sha256 } from "../../../targets/hosts/node/hash.ts";
import type { MatrixReport } from "../method.ts";
import type { Carried } from "./runner.ts";

export interface Finished {
  readonly packed: ReadonlyMap<string, Uint8Array>;
  readonly reports: readonly MatrixReport[];
}

export interface CalibrationState {
  /** Segments that need not be run again. */
  readonly finished: number;
  /** Values that the segment after those reads. */
  carried(): Carried;
  save(segment: Finished, carried: Carried): Promise<void>;
  /** Packed bytes of a matrix of a finished segment; undefined if it was in none. */
  packed(matrix: string): Uint8Array | undefined;
  reports(): readonly MatrixReport[];
  /** The artefact is there: nothing of this is wanted any more. */
  remove(): void;
}

export function memoryState(): CalibrationState {
  const packed = new Map<string, Uint8Array>();
  const reports: MatrixReport[] = [];
  let last: Carried = new Map();
  let finished = 0;
  return {
    get finished() {
      return finished;
    },
    carried: () => last,
    async save(segment, carried) {
      for (const [name, bytes] of segment.packed) packed.set(name, bytes);
      reports.push(...segment.reports);
      last = carried;
      finished++;
    },
    packed: (matrix) => packed.get(matrix),
    reports: () => reports,
    remove() {},
  };
}

const KEY = "key.json";
const segmentFile = (i: number) => `segment-${i}.bin`;
const carriedFile = (i: number) => `carried-${i}.bin`;

/**
 * State in the folder `path`. What stands there is gone on from if `resume` is asked for, else it is thrown away.
 * @param key all that decides what is computed; a folder of another key is refused with `usage`
 */
export async function folderState(path: string, key: string, resume: boolean): Promise<CalibrationState> {
  const file = (name: string) => join(path, name);
  if (!resume) rmSync(path, { recursive: true, force: true });
  makeFolder(path);
  if (existsSync(file(KEY)) && readFileSync(file(KEY), "utf8") !== key)
    throw new SkintError("usage", `${path} is left of a run with another checkpoint, recipe or calibration; run without --resume to start anew`, { what: "--resume" });
  await writeWhole(file(KEY), new TextEncoder().encode(key));
  let finished = 0;
  while (existsSync(file(segmentFile(finished)))) finished++;
  // A run that was killed between the two files of a segment does that segment again.
  while (finished > 0 && !existsSync(file(carriedFile(finished - 1)))) finished--;
  const segmentOf = new Map<string, number>();
  const reports: MatrixReport[] = [];
  const note = (i: number, names: Iterable<string>, more: readonly MatrixReport[]) => {
    for (const name of names) segmentOf.set(name, i);
    reports.push(...more);
  };
  for (let i = 0; i < finished; i++) {
    const { parts, reports } = readParts(file(segmentFile(i)));
    note(i, parts.keys(), reports);
  }
  let lastRead: { i: number; parts: Map<string, Uint8Array> } | undefined;
  return {
    get finished() {
      return finished;
    },
    carried() {
      if (finished === 0) return new Map();
      const { parts } = readParts(file(carriedFile(finished - 1)));
      return new Map([...parts].map(([name, bytes]) => [name, new Float32Array(Uint8Array.from(bytes).buffer)]));
    },
    async save(segment, carried) {
      await writeWhole(file(segmentFile(finished)), partsOf(segment.packed, segment.reports));
      await writeWhole(file(carriedFile(finished)), partsOf(new Map([...carried].map(([name, v]) => [name, new Uint8Array(v.buffer, v.byteOffset, v.byteLength)])), []));
      note(finished, segment.packed.keys(), segment.reports);
      finished++;
      for (const name of readdirSync(path)) if (name.startsWith("carried-") && name !== carriedFile(finished - 1)) rmSync(file(name), { force: true });
    },
    packed(matrix) {
      const i = segmentOf.get(matrix);
      if (i === undefined) return undefined;
      if (lastRead?.i !== i) lastRead = { i, parts: readParts(file(segmentFile(i))).parts };
      return lastRead.parts.get(matrix);
    },
    reports: () => reports,
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const sink = await createFile(path);
  try {
    await sink.write(0, bytes);
    await sink.commit();
  } catch (e) {
    await sink.abort();
    throw e;
  }
}

interface Head {
  readonly sha256: string;
  readonly parts: readonly { readonly name: string; readonly bytes: number }[];
  readonly reports: readonly MatrixReport[];
}

const digestOf = (bytes: Uint8Array) => {
  const hash = sha256();
  hash.update(bytes);
  return hash.digest();
};

/** u32 length of a JSON head, the head, then the parts one behind the other. */
function partsOf(parts: ReadonlyMap<string, Uint8Array>, reports: readonly MatrixReport[]): Uint8Array {
  const payload = Buffer.concat([...parts.values()]);
  const head: Head = { sha256: digestOf(payload), parts: [...parts].map(([name, b]) => ({ name, bytes: b.length })), reports };
  const text = new TextEncoder().encode(JSON.stringify(head));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  return Buffer.concat([length, text, payload]);
}

function readParts(path: string): { parts: Map<string, Uint8Array>; reports: readonly MatrixReport[] } {
  const bytes = attempt(path, "read", () => readFileSync(path));
  const damaged = (cause?: unknown) => new SkintError("format.hash", `${path} is damaged; run without --resume to start anew`, { what: path }, { cause });
  let head: Head;
  const at = 4 + (bytes.length < 4 ? 0 : bytes.readUInt32LE(0));
  try {
    head = JSON.parse(bytes.subarray(4, at).toString("utf8"));
  } catch (e) {
    throw damaged(e);
  }
  const payload = bytes.subarray(at);
  if (digestOf(payload) !== head.sha256) throw damaged();
  const parts = new Map<string, Uint8Array>();
  let from = 0;
  for (const p of head.parts) {
    parts.set(p.name, new Uint8Array(payload.buffer, payload.byteOffset + from, p.bytes));
    from += p.bytes;
  }
  return { parts, reports: head.reports };
}
