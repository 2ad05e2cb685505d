// The browser host, seen from the session worker: lanes, the core by fetch, hash, clock. Never on the main thread, where nothing may wait for
// memory. Lanes are started by the page on its behalf: Chromium may hang for ever when it ends a worker together with workers of that worker,
// and not every browser lets workers start workers.
import { SkintError } from "../../../runtime/errors.ts";
import { poison } from "../../devices/wasm/core.ts";
import { buildOf, type CoreFile, fileOf } from "../../devices/wasm/files.ts";
import { probe } from "../../devices/wasm/probe.ts";
import type { Host, Lane, LaneInit } from "../host.ts";
import { fetchOk, openUrl } from "./files.ts";
import { sha256 } from "./hash.ts";

/** Starts a lane's worker and returns how to end it; `onSay` gets what it says: "joined", "left", or what went wrong. */
export type StartLane = (init: LaneInit, onSay: (message: string) => void) => () => void;

export interface BrowserHost extends Host {
  /** Whether more than one lane can run at all, wanted or not. */
  readonly canSpawn: boolean;
  /** Resolves when every lane that was spawned has joined; throws `device.unavailable` if one cannot start. */
  lanesJoined(): Promise<void>;
}

/** Spelled out, so that bundlers find them. */
const CORES: Readonly<Record<CoreFile, URL>> = {
  scalar: new URL("./core/scalar.wasm", import.meta.url),
  "simd-threads": new URL("./core/simd-threads.wasm", import.meta.url),
  "relaxed-threads": new URL("./core/relaxed-threads.wasm", import.meta.url),
  "dot32-threads": new URL("./core/dot32-threads.wasm", import.meta.url),
};

const JOIN_MS = 20_000;

/** @param core folder of the builds of the core, absolute, with a slash at its end; default: `core/` beside this script */
export function createHost(startLane: StartLane, core?: string): BrowserHost {
  const why = reasonForOne();
  const whySingle = why ?? (navigator.hardwareConcurrency > 1 ? undefined : "the browser reports one processor");
  const joining: Promise<void>[] = [];
  return {
    name: "browser",
    parallelism: whySingle ? 1 : navigator.hardwareConcurrency,
    whySingle,
    canSpawn: !why,
    now: () => performance.now(),
    core: async (build) => buildOf(build, await fetchCore(core ? new URL(`${fileOf(build)}.wasm`, core) : CORES[fileOf(build)])),
    spawnLane(init, onError) {
      const { lane, joined } = spawnLane(startLane, init, onError);
      joining.push(joined);
      return lane;
    },
    sha256,
    open: (location) => openUrl(location),
    async lanesJoined() {
      await Promise.all(joining);
    },
  };
}

/** Why no lane can be spawned, and what to do; undefined if they can. */
function reasonForOne(): string | undefined {
  if (!globalThis.crossOriginIsolated)
    return "the page is not cross-origin isolated, so the browser gives it no shared memory; serve the page and Skint's files with the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp";
  const { threads, sharedMemory } = probe();
  if (!threads || !sharedMemory) return "this browser has no shared WebAssembly memory; a current Chrome, Firefox or Safari has";
  return undefined;
}

async function fetchCore(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const response = await fetchOk(url.href);
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SkintError(
      "device.unavailable",
      `the core could not be fetched (${why}); serve dist/core, or say where it is with the option urls.core`,
      { what: url.href },
      { cause },
    );
  }
}

/** Watches a lane. Before it has joined, its errors reject `joined`; afterwards they go to `onError`. */
function spawnLane(start: StartLane, init: LaneInit, onError: (message: string) => void): { lane: Lane; joined: Promise<void> } {
  let [join, reject] = [() => {}, (_: Error) => {}];
  const joined = new Promise<void>((yes, no) => {
    [join, reject] = [yes, no];
  });
  joined.catch(() => {}); // told by lanesJoined
  let tell = (why: string) => reject(notStarted(init.lane, why));
  const timer = setTimeout(() => tell(`no word from it in ${JOIN_MS / 1000} s`), JOIN_MS);
  const settle = () => {
    clearTimeout(timer);
    tell = onError;
    join();
  };
  const end = start(init, (message) => {
    if (message === "joined") settle();
    else if (message !== "left") tell(message);
  });
  const terminate = () => {
    settle();
    // A lane that waits for memory hears nothing; told to leave, it ends at once instead of after the browser's patience (2 s in Chromium).
    poison(init.memory, init.control);
    end();
  };
  return { lane: { terminate }, joined };
}

function notStarted(lane: number, why: string): SkintError {
  return new SkintError(
    "device.unavailable",
    `lane ${lane} did not start (${why}); serve browser-lane.js from the page's origin with the headers of the page, or load with threads: 1`,
    {
      what: "browser-lane.js",
    },
  );
}
