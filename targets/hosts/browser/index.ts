// The package's door in browsers: `import { load } from "skint"`. The model lives in a worker of its own; the page only sends and receives.
import { SkintError } from "../../../runtime/errors.ts";
import type { ModelOptions } from "../../../runtime/session/model.ts";
import type { WasmOptions } from "../../devices/wasm/device.ts";
import { Connection } from "./connection.ts";
import { Model } from "./model.ts";
import type { CacheMode } from "./protocol.ts";

export * from "../../../runtime/index.ts";
export { clearCache } from "./clear.ts";
export * as fpga from "./fpga.ts";
export { Model, type RemoteTokenizer, Session } from "./model.ts";

export interface BrowserOptions {
  /**
   * A model from a URL is kept in the origin's private file system. `check`, the default: the server is asked for the file's first bytes, and
   * for the rest only if they name another file than the one kept; offline, the one kept is taken. `trust`: if there is one, the server is
   * not asked. `off`: nothing is kept.
   */
  readonly cache?: CacheMode;
  /** Where the files of dist/ are served, if not beside this one: the scripts of the workers, and the folder `core/`. Same origin. */
  readonly urls?: { readonly worker?: string | URL; readonly lane?: string | URL; readonly core?: string | URL };
}

/** As in Node, without `taps`: their outputs stay in the worker. */
export type LoadOptions = Omit<ModelOptions, "taps"> & WasmOptions & BrowserOptions;

/**
 * Loads a model.skint onto the WASM device of a new worker.
 * @param location URL, relative to the page; a Blob, or a File the user chose; a file of the origin's private file system
 * @returns the model; `close()` it to end its workers
 * Throws SkintError: `file.*`, `network.*`, `format.*`, `graph.invalid`, `plan.*`, `model.golden`, `device.unavailable`, `aborted`.
 */
export async function load(location: string | URL | Blob | FileSystemFileHandle, options: LoadOptions = {}): Promise<Model> {
  const { signal, onProgress, cache = "check", urls = {}, ...rest } = options;
  const isUrl = typeof location === "string" || location instanceof URL;
  const request = {
    location: isUrl ? absolute(location) : location,
    core: urls.core && absolute(urls.core).replace(/\/?$/, "/"),
    cache,
    options: rest,
  };
  const connection = new Connection(startWorker(urls.worker), () => startLane(urls.lane));
  try {
    const facts = await connection.call("load", request, { signal, onEvent: onProgress && (({ done, total }) => onProgress(done, total)) });
    return new Model(connection, facts);
  } catch (e) {
    connection.close();
    throw e;
  }
}

function absolute(url: string | URL): string {
  try {
    return new URL(url, globalThis.document?.baseURI ?? globalThis.location.href).href;
  } catch (cause) {
    throw new SkintError("usage", `${JSON.stringify(url)} is no URL; give one, absolute or relative to the page`, { what: String(url) }, { cause });
  }
}

/** Spelled as bundlers look for it. */
function startWorker(url: string | URL | undefined): Worker {
  try {
    return url ? new Worker(absolute(url), { type: "module" }) : new Worker(new URL("./browser-worker.js", import.meta.url), { type: "module" });
  } catch (cause) {
    if (cause instanceof SkintError) throw cause;
    throw new SkintError("device.unavailable", `no worker can be started here (${cause}); serve Skint's files from the page's own origin`, {}, { cause });
  }
}

function startLane(url: string | URL | undefined): Worker {
  return url ? new Worker(absolute(url), { type: "module" }) : new Worker(new URL("./browser-lane.js", import.meta.url), { type: "module" });
}
