// A server in memory, as a fetch: one file, served with or without ranges, and a script of faults by request number.
import type { Fetch } from "../../runtime/io/http.ts";

export interface Served {
  bytes: Uint8Array;
  etag?: string;
  lastModified?: string;
  /** Without: every answer is 200 with the whole file. */
  ranges: boolean;
  /** Without: `bytes a-b/*`, and no Content-Length on a whole. */
  lengths: boolean;
}

export interface Asked {
  readonly url: string;
  readonly range: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** Answers request `n` (from 0) itself, or changes what is served and returns undefined. */
export type Fault = (n: number, asked: Asked, file: Served) => Response | Promise<Response> | undefined;

export function serve(bytes: Uint8Array, more: Partial<Served> = {}, fault: Fault = () => undefined) {
  const file: Served = { bytes, etag: '"one"', ranges: true, lengths: true, ...more };
  const log: Asked[] = [];
  const fetch: Fetch = async (url, init) => {
    const headers = init.headers as Record<string, string>;
    const asked = { url, range: headers.range, headers, signal: init.signal as AbortSignal };
    log.push(asked);
    return (await fault(log.length - 1, asked, file)) ?? answer(asked, file);
  };
  return { file, log, fetch };
}

/** What a server without faults answers. */
export function answer({ range }: Pick<Asked, "range">, file: Served): Response {
  const headers = new Headers();
  if (file.etag) headers.set("etag", file.etag);
  if (file.lastModified) headers.set("last-modified", file.lastModified);
  const wanted = /^bytes=(\d+)-(\d+)$/.exec(range ?? "");
  if (!wanted || !file.ranges) {
    if (file.lengths) headers.set("content-length", String(file.bytes.length));
    return new Response(body(file.bytes), { status: 200, headers });
  }
  const total = file.bytes.length;
  const first = Number(wanted[1]);
  const last = Math.min(Number(wanted[2]), total - 1);
  if (first >= total) return new Response(null, { status: 416, headers: { "content-range": `bytes */${total}` } });
  headers.set("content-range", `bytes ${first}-${last}/${file.lengths ? total : "*"}`);
  return new Response(body(file.bytes.subarray(first, last + 1)), { status: 206, headers });
}

export interface Ending {
  /** Bytes after which the body ends, breaks or falls silent. */
  readonly after: number;
  readonly how: "ends" | "breaks" | "stalls";
}

/** A body in pieces of 1,000 bytes. */
export function body(bytes: Uint8Array, ending?: Ending): ReadableStream<Uint8Array> {
  const most = Math.min(bytes.length, ending?.after ?? Infinity);
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at < most) {
        controller.enqueue(bytes.slice(at, Math.min(at + 1000, most)));
        at = Math.min(at + 1000, most);
        return undefined;
      }
      if (ending?.how === "breaks") controller.error(new TypeError("terminated"));
      else if (ending?.how === "stalls") return new Promise(() => {});
      else controller.close();
      return undefined;
    },
  });
}

/** The right answer, with a body that ends badly. */
export function cut(asked: Asked, file: Served, ending: Ending): Response {
  const right = answer(asked, file);
  const range = /^bytes (\d+)-(\d+)/.exec(right.headers.get("content-range") ?? "");
  const part = range ? file.bytes.subarray(Number(range[1]), Number(range[2]) + 1) : file.bytes;
  return new Response(body(part, ending), { status: right.status, headers: right.headers });
}
