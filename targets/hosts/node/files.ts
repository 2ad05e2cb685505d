// Files on Node: sources, sinks and folders over file descriptors. Reads and writes are synchronous, in pieces of 4 MiB: straight into views of
// (shared) WebAssembly memory that is the fastest way. At most every 50 ms they let timers, signals and the user's Ctrl-C have their turn.
import { closeSync, constants, fstatSync, fsyncSync, mkdirSync, openSync, readdirSync, readSync, renameSync, rmSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { SkintError } from "../../../runtime/errors.ts";
import type { Folder, Sink, Source } from "../../../runtime/io/source.ts";

const PIECE = 4 * 2 ** 20;
const TURN_MS = 50;

export async function openFile(path: string): Promise<Source> {
  const name = basename(path);
  // Without O_NONBLOCK, opening a pipe would wait for its writer.
  const fd = attempt(path, "opened", () => openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)));
  const stat = fstatSync(fd);
  if (!stat.isFile()) {
    closeSync(fd);
    throw new SkintError("file.unreadable", `${path} is not a regular file; name a file`, { what: path });
  }
  const turn = turns();
  let open = true;
  return {
    name,
    size: stat.size,
    async read(offset, into) {
      for (let at = 0; at < into.length; ) {
        const read = attempt(path, "read", () => readSync(fd, into, at, Math.min(PIECE, into.length - at), offset + at));
        if (read === 0)
          throw new SkintError("format.truncated", `${path} ends at byte ${offset + at}, ${into.length} bytes were wanted at ${offset}; fetch the file again`, {
            what: name,
            offset,
          });
        at += read;
        await turn();
      }
    },
    async close() {
      if (open) closeSync(fd);
      open = false;
    },
  };
}

/** A file that appears under its name only when it is whole. Until then it stands beside it as `<name>.partial-<process id>`. */
export async function createFile(path: string): Promise<Sink> {
  const partial = `${path}.partial-${process.pid}`;
  if (PARTIALS.has(partial)) throw new SkintError("usage", `${path} is being written already; wait for the other writer`, { what: path });
  // A file left by a killed process of the same number goes; `wx` then refuses to follow a link put in its place.
  const fd = attempt(path, "written", () => {
    rmSync(partial, { force: true });
    return openSync(partial, "wx+", 0o666);
  });
  watch(partial);
  const turn = turns();
  let open = true;
  const close = () => {
    if (open) closeSync(fd);
    open = false;
  };
  return {
    async write(offset, bytes) {
      for (let at = 0; at < bytes.length; ) {
        at += attempt(path, "written", () => writeSync(fd, bytes, at, Math.min(PIECE, bytes.length - at), offset + at));
        await turn();
      }
    },
    async commit() {
      attempt(path, "written", () => {
        fsyncSync(fd);
        close();
        renameSync(partial, path);
        syncFolder(dirname(path));
      });
      unwatch(partial);
    },
    async abort() {
      close();
      if (!PARTIALS.has(partial)) return;
      rmSync(partial, { force: true });
      unwatch(partial);
    },
  };
}

export async function openFolder(path: string): Promise<Folder> {
  const list = () => attempt(path, "listed", () => readdirSync(path));
  list();
  return {
    name: path,
    list: async () => list(),
    async open(file) {
      if (file !== basename(file) || file === "" || file === "." || file === "..")
        throw new SkintError("format.path", `${JSON.stringify(file)} is not a plain file name; files of a model stand in its folder`, { what: file });
      return openFile(join(path, file));
    },
  };
}

/** Makes a folder, and those above it; one that is there is fine. */
export function makeFolder(path: string): void {
  attempt(path, "made", () => mkdirSync(path, { recursive: true }));
}

/** Runs a file operation; its failure becomes a typed error. */
export function attempt<T>(path: string, what: string, operation: () => T): T {
  try {
    return operation();
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR")
      throw new SkintError("file.missing", `${path} cannot be ${what}: it, or its folder, is not there; check the path`, { what: path }, { cause });
    throw new SkintError("file.unreadable", `${path} cannot be ${what} (${code ?? String(cause)}); check its rights, its kind and the space left`, { what: path }, { cause });
  }
}

/** Makes a rename last through a power cut, where folders can be synced. */
export function syncFolder(path: string): void {
  if (process.platform === "win32") return;
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** A function that lets the event loop turn once when the last turn is 50 ms ago. */
function turns(): () => Promise<void> | undefined {
  let last = performance.now();
  return () => {
    const now = performance.now();
    if (now - last < TURN_MS) return undefined;
    return setImmediate().then(() => {
      last = performance.now();
    });
  };
}

/** Files under construction, removed when the process ends, by whatever signal. */
const PARTIALS = /* @__PURE__ */ new Set<string>();
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

function watch(partial: string): void {
  if (PARTIALS.size === 0) {
    process.on("exit", removePartials);
    // In front of others: a listener of theirs for one time takes itself away before it runs, and would not be counted.
    for (const signal of SIGNALS) process.prependListener(signal, onSignal);
  }
  PARTIALS.add(partial);
}

function unwatch(partial: string): void {
  PARTIALS.delete(partial);
  if (PARTIALS.size > 0) return;
  process.off("exit", removePartials);
  for (const signal of SIGNALS) process.off(signal, onSignal);
}

function removePartials(): void {
  for (const partial of PARTIALS) rmSync(partial, { force: true });
}

/** When nobody else handles the signal it ends the process, as it would without us; who handles it decides, and `exit` cleans up. */
function onSignal(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return;
  removePartials();
  process.off(signal, onSignal);
  process.kill(process.pid, signal);
}
