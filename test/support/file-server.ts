// A real HTTP server on 127.0.0.1 that serves made-up files with ranges, and misbehaves when told to.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Served {
  bytes: Uint8Array;
  etag?: string;
  /** Where this path redirects to. */
  to?: string;
  ranges?: boolean;
}

/** Return true when the request was answered, or is to be left hanging. */
export type Fault = (request: IncomingMessage, response: ServerResponse, n: number) => boolean | undefined;

export interface FileServer {
  readonly url: string;
  readonly files: Map<string, Served>;
  readonly log: { path: string; range: string | undefined; authorization: string | undefined }[];
  fault: Fault;
  close(): Promise<void>;
}

/** Most bytes sent at once; between pieces other work gets its turn. */
const PIECE = 65_536;

export async function serveFiles(): Promise<FileServer> {
  const files = new Map<string, Served>();
  const log: FileServer["log"] = [];
  const server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? "").split("?")[0]);
    log.push({ path, range: request.headers.range, authorization: request.headers.authorization });
    if (self.fault(request, response, log.length - 1)) return;
    const file = files.get(path);
    if (!file) response.writeHead(404).end("no");
    else if (file.to) response.writeHead(302, { location: file.to }).end();
    else send(file, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const self: FileServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    files,
    log,
    fault: () => undefined,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return self;
}

function send(file: Served, request: IncomingMessage, response: ServerResponse): void {
  const { bytes, etag } = file;
  const headers = etag ? { etag } : {};
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
  if (!range || file.ranges === false) {
    response.writeHead(200, { ...headers, "content-length": bytes.length });
    pour(bytes, response);
    return;
  }
  const first = Number(range[1]);
  const last = Math.min(Number(range[2]), bytes.length - 1);
  if (first > last) {
    response.writeHead(416, { "content-range": `bytes */${bytes.length}` }).end();
    return;
  }
  response.writeHead(206, { ...headers, "content-length": last - first + 1, "content-range": `bytes ${first}-${last}/${bytes.length}` });
  pour(bytes.subarray(first, last + 1), response);
}

function pour(bytes: Uint8Array, response: ServerResponse): void {
  if (response.destroyed) return;
  if (bytes.length <= PIECE) response.end(bytes);
  else {
    response.write(bytes.subarray(0, PIECE));
    setImmediate(() => pour(bytes.subarray(PIECE), response));
  }
}

/** Announces the whole file, sends its first `bytes`, then breaks the connection or falls silent. */
export function cutAfter(bytes: number, how: "breaks" | "stalls", file: Served): Fault {
  return (request, response) => {
    const first = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const rest = file.bytes.subarray(first);
    response.writeHead(206, { etag: file.etag, "content-length": rest.length, "content-range": `bytes ${first}-${file.bytes.length - 1}/${file.bytes.length}` });
    response.write(rest.subarray(0, bytes), () => {
      if (how === "breaks") response.destroy();
    });
    return true;
  };
}
