// Files in browsers, seen from a worker: sources over a Blob or File, over a file of the origin's private file system (OPFS), and over a URL
// (stream.ts). What passes is read in pieces of 4 MiB; synchronous reads let messages have their turn every 50 ms.
import { SkintError } from "../../../runtime/errors.ts";
import type { Source } from "../../../runtime/io/source.ts";
import { turn } from "../../../runtime/io/turn.ts";
import { openStream, type StreamSource, type Transfer } from "./stream.ts";

const PIECE = 4 * 2 ** 20;
const TURN_MS = 50;

function endsAt(source: Source, offset: number, wanted: number): SkintError {
  return new SkintError("format.truncated", `${source.name} ends at byte ${source.size}, ${wanted} bytes were wanted at ${offset}; fetch the file again`, {
    what: source.name,
    offset,
  });
}

/** A Blob, or a File a user chose. */
export function blobSource(blob: Blob, name = blob instanceof File ? blob.name : "blob"): Source {
  const source: Source = {
    name,
    size: blob.size,
    async read(offset, into) {
      if (offset + into.length > blob.size) throw endsAt(source, offset, into.length);
      for (let at = 0; at < into.length; at += PIECE) {
        const piece = blob.slice(offset + at, offset + Math.min(at + PIECE, into.length));
        const bytes = await piece.arrayBuffer().catch((cause) => {
          throw new SkintError("file.unreadable", `${name} cannot be read (${cause}); it was moved or changed: choose it again`, { what: name }, { cause });
        });
        into.set(new Uint8Array(bytes), at);
      }
    },
    async close() {},
  };
  return source;
}

/** TypeScript's DOM types know no modes yet. */
type OpenSync = (options?: { mode: "read-only" }) => Promise<FileSystemSyncAccessHandle>;

/** A file of the origin's private file system: straight into (shared) memory where the browser can, else as a Blob. */
export async function openHandle(handle: FileSystemFileHandle, name = handle.name): Promise<Source> {
  try {
    return syncSource(await (handle.createSyncAccessHandle as OpenSync).call(handle, { mode: "read-only" }), name);
  } catch {
    // no such handles, or another tab holds the file: a Blob of it can still be had
  }
  try {
    return blobSource(await handle.getFile(), name);
  } catch (cause) {
    throw new SkintError("file.missing", `${name} is not among the files this site keeps (${cause}); store it again`, { what: name }, { cause });
  }
}

function syncSource(handle: FileSystemSyncAccessHandle, name: string): Source {
  let last = performance.now();
  let scratch: Uint8Array<ArrayBuffer> | undefined;
  /** Not every browser reads into shared memory. */
  const read = (into: Uint8Array, at: number): number => {
    if (!scratch)
      try {
        return handle.read(into as Uint8Array<ArrayBuffer>, { at });
      } catch (e) {
        if (!(e instanceof TypeError)) throw e;
        scratch = new Uint8Array(PIECE);
      }
    const count = handle.read(scratch.subarray(0, into.length), { at });
    into.set(scratch.subarray(0, count));
    return count;
  };
  const source: Source = {
    name,
    size: handle.getSize(),
    async read(offset, into) {
      for (let at = 0; at < into.length; ) {
        const count = read(into.subarray(at, at + PIECE), offset + at);
        if (count === 0) throw endsAt(source, offset + at, into.length - at);
        at += count;
        if (performance.now() - last < TURN_MS) continue;
        await turn();
        last = performance.now();
      }
    },
    async close() {
      handle.close();
    },
  };
  return source;
}

/** Opens a URL as bytes that come once, from front to back. Throws `file.missing`, `network.*`, `aborted`, `format.*`. */
export async function openUrl(url: string, signal?: AbortSignal): Promise<StreamSource | Source> {
  const { response, transfer } = await connect(url, {}, signal);
  const name = new URL(url).pathname.split("/").pop() || url;
  const size = Number(response.headers.get("content-length") ?? Number.NaN);
  // A compressed answer states the length it has on the way, so the whole is taken first.
  if (!transfer || !Number.isSafeInteger(size) || response.headers.has("content-encoding")) {
    const blob = await (transfer ? new Response(transfer.body) : response).blob().catch((cause) => {
      if (signal?.aborted) throw new SkintError("aborted", `fetching ${url} was stopped by the caller`, { what: url }, { cause });
      throw new SkintError("network.interrupted", `the transfer of ${url} broke off (${cause}); try again`, { what: url }, { cause });
    });
    return blobSource(blob, name);
  }
  const version = versionOf(response);
  const resume = async (at: number): Promise<Transfer | undefined> => {
    const rest = await connect(url, { range: `bytes=${at}-` }, signal);
    const [status, range] = [rest.response.status, rest.response.headers.get("content-range") ?? `bytes ${at}-${size - 1}/${size}`];
    if (status === 206 && range === `bytes ${at}-${size - 1}/${size}` && versionOf(rest.response) === version) return rest.transfer;
    rest.transfer?.stop();
    if (status !== 206) return undefined;
    throw new SkintError("network.changed", `${url} changed on its server while it was fetched; load it again`, { what: url });
  };
  return openStream({ name, size, transfer, resume, signal });
}

/** What tells two versions of a file apart. */
function versionOf({ headers }: Response): string | null {
  return headers.get("etag") ?? headers.get("last-modified");
}

/** One request that can be stopped. It does not fill the browser's own cache too: models are kept in OPFS. */
async function connect(url: string, headers: Record<string, string>, signal: AbortSignal | undefined): Promise<{ response: Response; transfer: Transfer | undefined }> {
  const controller = new AbortController();
  const stop = () => controller.abort(signal?.reason);
  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop, { once: true });
  const response = await fetchOk(url, { signal: controller.signal, cache: "no-store", headers });
  return { response, transfer: response.body ? { body: response.body, stop } : undefined };
}

/** An answer with status 2xx, or a typed error. */
export async function fetchOk(url: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (cause) {
    if (init.signal?.aborted) throw new SkintError("aborted", `fetching ${url} was stopped by the caller`, { what: url }, { cause });
    throw new SkintError(
      "network.unreachable",
      `${url} cannot be fetched (${cause}); check the address, the connection, and that its server allows this page to read it (CORS, Content-Security-Policy)`,
      { what: url },
      { cause },
    );
  }
  if (response.ok) return response;
  await response.body?.cancel();
  const { status } = response;
  if (status === 404 || status === 410) throw new SkintError("file.missing", `${url} is not there (status ${status}); check the address`, { what: url });
  throw new SkintError("network.status", `${url} was refused by its server with status ${status}; check the address and the rights, or try later`, { what: url });
}
