// Unfinished downloads on Node: a folder for each, with `data` and `pin.json`. One process at a time works on one: it renames the folder to a name
// of its own (only one rename succeeds), and gives it back when it stops. A folder whose owner was killed can be taken over.
// What the pin counts as kept was synced: bytes behind it may be holes after a power cut, and are fetched again.
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { SkintError } from "../../../runtime/errors.ts";
import type { TransferStore } from "../../../runtime/io/partial.ts";
import type { Pin } from "../../../runtime/io/pin.ts";
import { attempt, syncFolder } from "./files.ts";
import { sha256 } from "./hash.ts";

/** Bytes between two syncs: the most that a kill -9 costs. */
const SYNC_BYTES = 16 * 2 ** 20;
/** Given up for room to note what is kept, when a disk is full. */
const ROOM_BYTES = 128 * 2 ** 10;
/** A folder of another machine, or of a process whose number lives on, is taken over when nothing touched it for so long. */
const ABANDONED_MS = 7 * 24 * 3600_000;

export interface FileStore extends TransferStore {
  /** Path of the bytes. */
  readonly path: string;
  /** Puts the bytes under another name, in one step and to stay, and ends the use. */
  moveTo(path: string): void;
  /** Ends the use and removes what is there. Safe to call after `moveTo`. */
  discard(): void;
  /** Ends the use; what is there stays for a later try, unless it was moved away. */
  release(): void;
}

export function hashText(text: string): string {
  const hash = sha256();
  hash.update(new TextEncoder().encode(text));
  return hash.digest();
}

const here = () => hashText(hostname()).slice(0, 8);

let taken = 0;

/** The end of a name that only this process gives, and only once. `isFree` tells when its owner is gone. */
export const ownSuffix = () => `${here()}-${process.pid}-${taken++}`;

/** Takes what an earlier try left for `url`, or begins with nothing. */
export function claimPartial(root: string, url: string): FileStore {
  const key = hashText(url).slice(0, 32);
  mkdirSync(root, { recursive: true });
  const own = join(root, `${key}.${ownSuffix()}`);
  for (const name of attempt(root, "listed", () => readdirSync(root)).sort()) {
    if (!name.startsWith(`${key}.`) || !isFree(root, name)) continue;
    if (renamed(join(root, name), own)) return openPartial(own, join(root, `${key}.free`));
  }
  attempt(own, "made", () => mkdirSync(own));
  return openPartial(own, join(root, `${key}.free`));
}

/** Whether nobody works on `<something>.<owner>`: given back, or its owner is gone. */
export function isFree(root: string, name: string): boolean {
  const owner = name.slice(name.lastIndexOf(".") + 1);
  if (owner.startsWith("free")) return true;
  const [host, pid] = owner.split("-");
  if (host === here() && !isAlive(Number(pid))) return true;
  try {
    const touched = [join(root, name), join(root, name, "data")].map((f) => statSync(f, { throwIfNoEntry: false })?.mtimeMs ?? 0);
    return Date.now() - Math.max(...touched) > ABANDONED_MS;
  } catch {
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (e) {
    return (e as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

function renamed(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch {
    return false;
  }
}

interface Kept {
  readonly pin: Pin;
  readonly kept: number;
}

/** What pin.json says, if it can be believed. */
function readKept(folder: string, bytes: number): Kept | undefined {
  try {
    const { pin, kept } = JSON.parse(readFileSync(join(folder, "pin.json"), "utf8")) as { pin?: Record<string, unknown>; kept?: unknown };
    const text = (v: unknown) => (typeof v === "string" ? v : undefined);
    if (typeof pin?.url !== "string" || !Number.isSafeInteger(kept) || (kept as number) < 0) return undefined;
    const total = Number.isSafeInteger(pin.bytes) && (pin.bytes as number) >= 0 ? (pin.bytes as number) : undefined;
    return { pin: { url: pin.url, etag: text(pin.etag), lastModified: text(pin.lastModified), bytes: total }, kept: Math.min(kept as number, bytes) };
  } catch {
    return undefined;
  }
}

/** Puts a small file in place in one step. */
export function writeAtomic(path: string, text: string): void {
  const aside = `${path}.${ownSuffix()}`;
  try {
    attempt(path, "written", () => {
      const fd = openSync(aside, "wx");
      try {
        writeFileSync(fd, text);
        fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
      renameSync(aside, path);
    });
  } catch (e) {
    rmSync(aside, { force: true });
    throw e;
  }
}

function openPartial(folder: string, free: string): FileStore {
  return new Partial(folder, join(folder, "data"), free);
}

/** Unfinished downloads that nobody works on, with what they are of. */
export function listPartials(root: string): { folder: string; url: string | undefined; bytes: number }[] {
  const names = existsSync(root) ? readdirSync(root).filter((name) => isFree(root, name)) : [];
  return names.sort().map((name) => {
    const folder = join(root, name);
    const bytes = statSync(join(folder, "data"), { throwIfNoEntry: false })?.size ?? 0;
    return { folder, url: readKept(folder, bytes)?.pin.url, bytes };
  });
}

class Partial implements FileStore {
  readonly path: string;
  private readonly folder: string;
  private readonly free: string;
  private readonly fd: number;
  private kept: number;
  private open = true;
  pin: Pin | undefined;
  size: number;

  constructor(folder: string, path: string, free: string) {
    this.folder = folder;
    this.path = path;
    this.free = free;
    this.fd = attempt(path, "opened", () => openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600));
    const known = readKept(folder, statSync(path).size);
    this.pin = known?.pin;
    this.size = known?.kept ?? 0;
    this.kept = this.size;
  }

  async read(offset: number, into: Uint8Array): Promise<void> {
    for (let at = 0; at < into.length; ) {
      const read = attempt(this.path, "read", () => readSync(this.fd, into, at, into.length - at, offset + at));
      if (read === 0) throw new SkintError("format.truncated", `${this.path} ends at byte ${offset + at}; remove it, it is fetched again`, { what: this.path, offset });
      at += read;
    }
  }

  async append(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) at += attempt(this.path, "written", () => writeSync(this.fd, bytes, at, bytes.length - at, this.size + at));
    this.size += bytes.length;
    if (this.size - this.kept >= SYNC_BYTES) await this.keep();
  }

  async keep(): Promise<void> {
    if (this.pin !== undefined) this.record(this.pin);
  }

  async reset(pin: Pin): Promise<void> {
    // In this order: bytes never stand beside a pin they are not of.
    attempt(this.folder, "written", () => {
      rmSync(join(this.folder, "pin.json"), { force: true });
      ftruncateSync(this.fd, 0);
    });
    this.pin = pin;
    this.size = 0;
    this.kept = 0;
  }

  moveTo(path: string): void {
    attempt(path, "written", () => {
      fsyncSync(this.fd);
      closeSync(this.fd);
      this.open = false;
      chmodSync(this.path, 0o444);
      renameSync(this.path, path);
      syncFolder(dirname(path));
      rmSync(this.folder, { recursive: true, force: true });
    });
  }

  discard(): void {
    if (this.open) closeSync(this.fd);
    this.open = false;
    rmSync(this.folder, { recursive: true, force: true });
  }

  release(): void {
    if (!this.open) return;
    if (this.pin !== undefined && this.size > this.kept) this.keepOnFullDisk(this.pin);
    closeSync(this.fd);
    this.open = false;
    if (this.pin === undefined || this.kept === 0) rmSync(this.folder, { recursive: true, force: true });
    // Somebody gave one back already: both stay, under names of their own.
    else if (!renamed(this.folder, this.free)) renamed(this.folder, `${this.free}-${ownSuffix()}`);
  }

  /** The pin could not be written: gives up the end of the data to make room for it. */
  private keepOnFullDisk(pin: Pin): void {
    try {
      this.size = Math.max(0, this.size - ROOM_BYTES);
      ftruncateSync(this.fd, this.size);
      this.record(pin);
    } catch {
      // Then it is fetched again from where it was kept last.
    }
  }

  private record(pin: Pin): void {
    attempt(this.path, "written", () => fsyncSync(this.fd));
    writeAtomic(join(this.folder, "pin.json"), JSON.stringify({ pin, kept: this.size }));
    this.kept = this.size;
  }
}
