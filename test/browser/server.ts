// A static server on 127.0.0.1 for pages under test: strict Content-Security-Policy, COOP and COEP on demand, ranges, models in memory, and the
// misfortunes of networks. Counts what was asked and sent.
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";

export const CSP = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'";

export interface Served {
  readonly bytes: Uint8Array;
  /** Answers with it instead. */
  readonly status?: number;
  /** Breaks off at this byte, so many times (default: always). */
  readonly cut?: number;
  cuts?: number;
  /** Entity tag; `*`: another one each time. */
  readonly etag?: string;
  /** Knows no ranges. */
  readonly whole?: boolean;
  /** Ends the connection without an answer. */
  readonly dead?: boolean;
  /** Milliseconds between two pieces of 4 KiB. */
  readonly slow?: number;
  /** Says no length. */
  readonly chunked?: boolean;
}

export interface TestServer {
  readonly origin: string;
  /** By name: /models/<name>. */
  readonly models: Map<string, Served>;
  /** Paths that were asked for, in order, and bytes of models that went out. */
  readonly asked: string[];
  sent: number;
  close(): Promise<void>;
}

const TYPES: Readonly<Record<string, string>> = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm", ".map": "application/json" };

export async function serve(options: { isolated: boolean; csp?: string }): Promise<TestServer> {
  const models = new Map<string, Served>();
  const asked: string[] = [];
  const http = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const server: TestServer = {
    origin: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    models,
    asked,
    sent: 0,
    close: () =>
      new Promise((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = normalize(new URL(request.url ?? "/", server.origin).pathname);
    asked.push(path);
    response.setHeader("Content-Security-Policy", options.csp ?? CSP);
    if (options.isolated) {
      response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
      response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
    }
    const model = path.startsWith("/models/") ? models.get(path.slice(8)) : fileAt(path);
    if (!model) response.writeHead(404).end();
    else await send(request, response, model, path);
  }

  async function send(request: IncomingMessage, response: ServerResponse, served: Served, path: string): Promise<void> {
    const { bytes, status, slow, chunked, etag } = served;
    if (served.dead) {
      response.destroy();
      return;
    }
    const range = served.whole ? null : /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
    const cut = served.cuts === 0 ? undefined : served.cut;
    if (served.cuts) served.cuts--;
    if (etag) response.setHeader("ETag", etag === "*" ? `"${asked.length}"` : etag);
    const [from, to] = range ? [Number(range[1]), range[2] ? Number(range[2]) + 1 : bytes.length] : [0, bytes.length];
    response.setHeader("Content-Type", TYPES[path === "/" ? ".html" : extname(path)] ?? "application/octet-stream");
    if (range) response.setHeader("Content-Range", `bytes ${from}-${to - 1}/${bytes.length}`);
    if (!chunked) response.setHeader("Content-Length", to - from);
    response.writeHead(status ?? (range ? 206 : 200));
    const end = Math.min(to, cut ?? to);
    const piece = slow === undefined ? bytes.length : 4096;
    for (let at = from; at < end && !response.destroyed; at += piece) {
      const part = bytes.subarray(at, Math.min(at + piece, end));
      response.write(part);
      if (path.startsWith("/models/")) server.sent += part.length;
      if (slow) await new Promise((resolve) => setTimeout(resolve, slow));
    }
    if (end < to) setTimeout(() => response.destroy(), 50);
    else response.end();
  }
  return server;
}

/** The page and its helpers from this folder, the library from dist/. */
function fileAt(path: string): Served | undefined {
  const file = path === "/" ? "test/browser/page.html" : path.startsWith("/dist/") ? path.slice(1) : join("test/browser", path);
  try {
    return { bytes: readFileSync(file) };
  } catch {
    return undefined;
  }
}
