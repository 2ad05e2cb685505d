// The Node host: files, workers, hash, clock. Works from dist/ and from the source tree after a build.
import { existsSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { SkintError } from "../../../runtime/errors.ts";
import { buildOf, fileOf } from "../../devices/wasm/files.ts";
import type { Host, Lane, LaneInit } from "../host.ts";
import { openFile } from "./files.ts";
import { setEngineFlags } from "./flags.ts";
import { sha256 } from "./hash.ts";

/** A file of dist/, seen from a bundle in dist/ or from this file in the source tree. */
export function built(name: string): string {
  const places = [new URL(name, import.meta.url), new URL(`../../../dist/${name}`, import.meta.url)].map((u) => fileURLToPath(u));
  const found = places.find((p) => existsSync(p));
  if (!found) throw new SkintError("device.unavailable", `${name} was not built (looked at ${places.join(" and ")}); run npm run build`, { what: name });
  return found;
}

function spawnLane(init: LaneInit, onError: (message: string) => void): Lane {
  const worker = new Worker(built("lane.js"), { workerData: init });
  worker.unref();
  worker.on("message", (m: string) => {
    if (m !== "left") onError(m);
  });
  worker.on("error", (e) => onError(String(e)));
  return { terminate: () => void worker.terminate() };
}

export const host: Host = {
  name: "node",
  parallelism: availableParallelism(),
  now: () => performance.now(),
  core: async (build) => buildOf(build, new Uint8Array(readFileSync(built(`core/${fileOf(build)}.wasm`)))),
  spawnLane,
  setEngineFlags,
  sha256,
  open: openFile,
};
