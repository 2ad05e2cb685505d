// Fetches one file in ranges and goes on where an earlier try ended. What is fetched is pinned by ETag, Last-Modified and length: a change on the
// server starts over. Every fault of a server ends in a retry (bounded, with growing pauses) or in a SkintError, and what was stored stays stored.
// Lengths that a server names are compared, never allocated. Hosts give the fetch and the store (targets/hosts/<name>/cache.ts).
import { SkintError, throwIfAborted } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { Hasher, HasherFactory } from "./hash.ts";
import { type Answer, contentLength, contentRange, type Fetch, isEncoded, request, shown } from "./http.ts";
import type { TransferStore } from "./partial.ts";
import { hasValidator, type Pin, pinOf, samePin, statusError } from "./pin.ts";
import { sleep, turn } from "./turn.ts";

export interface TransferProgress {
  readonly done: number;
  readonly total: number | undefined;
  /** Of `done`, bytes that an earlier try had stored. */
  readonly resumed: number;
  /** Bytes a second, of this try. */
  readonly rate: number;
}

export interface TransferOptions {
  readonly fetch: Fetch;
  readonly hasher: HasherFactory;
  readonly headers?: Readonly<Record<string, string>>;
  /** Headers for the origin of `url` only, such as Authorization. */
  readonly secret?: Readonly<Record<string, string>>;
  /** What the whole must hash to and measure, where that is known. */
  readonly sha256?: string;
  readonly bytes?: number;
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (p: TransferProgress) => void;
  /** Bytes asked for at a time. */
  readonly rangeBytes?: number;
  /** Silence after which a connection is given up, milliseconds. */
  readonly stallMs?: number;
  /** Failures in a row, without a byte between them, that are retried. */
  readonly retries?: number;
  /** Pause before the first retry, milliseconds; doubles. */
  readonly backoffMs?: number;
  /** Times a file is begun anew because it changed. */
  readonly restarts?: number;
  readonly redirects?: number;
  /** For tests: pauses between tries. */
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
}

export interface Transferred {
  readonly pin: Pin;
  readonly bytes: number;
  readonly sha256: string;
  /** Bytes that were stored by an earlier try and used. */
  readonly resumed: number;
  readonly requests: number;
  readonly restarts: number;
}

const DEFAULTS = { maxBytes: LIMITS.transferBytes, rangeBytes: 32 * 2 ** 20, stallMs: 30_000, retries: 4, backoffMs: 500, restarts: 3, redirects: 8 };
const LONGEST_PAUSE_MS = 30_000;
const REHASH_BYTES = 4 * 2 ** 20;

/** Fetches `url` into `store`. The store is left whole and kept, or, after an error, with what there was of it. */
export function transfer(url: string, store: TransferStore, options: TransferOptions): Promise<Transferred> {
  return new Transfer(url, store, { ...DEFAULTS, ...options }).run();
}

/** What the server says about a file now, for comparing with `samePin`. */
export async function probe(url: string, options: TransferOptions): Promise<Pin> {
  const o = { ...DEFAULTS, ...options };
  const answer = await request(url, { ...o, headers: { ...o.headers, "accept-encoding": "identity", "range": "bytes=0-0" } });
  answer.cancel();
  const { status } = answer.response;
  if (status !== 200 && status !== 206 && status !== 416) throw statusError(url, status);
  return pinOf(url, answer, status === 200 ? contentLength(answer.response) : contentRange(answer.response)?.total);
}

type Settings = typeof DEFAULTS & TransferOptions;

class Transfer {
  private readonly url: string;
  private readonly store: TransferStore;
  private readonly o: Settings;
  private readonly name: string;
  private hash: Hasher;
  /** The stored bytes are not used: the next answer begins anew. */
  private fresh = true;
  private resumed = 0;
  private received = 0;
  private requests = 0;
  private restarts = 0;
  private failures = 0;
  private answered = false;
  private status = 0;
  private retryAfter = 0;
  private began = performance.now();

  constructor(url: string, store: TransferStore, options: Settings) {
    this.url = url;
    this.store = store;
    this.o = options;
    this.name = shown(url);
    this.hash = options.hasher();
  }

  async run(): Promise<Transferred> {
    await this.resume();
    for (;;) {
      try {
        throwIfAborted(this.o.signal, `fetching ${this.name}`);
        if (this.complete() || (await this.step())) {
          const result = await this.finish();
          if (result) return result;
        }
      } catch (error) {
        await this.pause(error);
      }
    }
  }

  private get at(): number {
    return this.fresh ? 0 : this.store.size;
  }

  private get pin(): Pin {
    return this.store.pin as Pin;
  }

  private complete(): boolean {
    return !this.fresh && (this.pin.bytes ?? this.o.bytes) === this.store.size;
  }

  /** Hashes what an earlier try stored, if it can be told to be of this file. */
  private async resume(): Promise<void> {
    const { pin, size } = this.store;
    const known = pin !== undefined && pin.url === this.url && (hasValidator(pin) || this.o.sha256 !== undefined);
    if (!known || size === 0 || size > (this.o.bytes ?? pin.bytes ?? this.o.maxBytes)) return;
    const piece = new Uint8Array(Math.min(REHASH_BYTES, size));
    for (let offset = 0; offset < size; offset += piece.length) {
      throwIfAborted(this.o.signal, `fetching ${this.name}`);
      const view = piece.subarray(0, Math.min(piece.length, size - offset));
      await this.store.read(offset, view);
      this.hash.update(view);
      await turn();
    }
    throwIfAborted(this.o.signal, `fetching ${this.name}`);
    this.resumed = size;
    this.fresh = false;
    this.report();
  }

  /** One request; true when the file is whole. */
  private async step(): Promise<boolean> {
    const at = this.at;
    const end = Math.min(at + this.o.rangeBytes, this.fresh ? Infinity : (this.pin.bytes ?? Infinity));
    this.requests++;
    const answer = await request(this.url, { ...this.o, headers: { ...this.o.headers, "accept-encoding": "identity", "range": `bytes=${at}-${end - 1}` } });
    try {
      const { status, headers } = answer.response;
      this.status = status;
      this.retryAfter = 1000 * Number(/^\d{1,4}$/.exec(headers.get("retry-after") ?? "")?.[0] ?? 0);
      if (status === 206) return await this.takeRange(answer, at, end);
      if (status === 200) return await this.takeWhole(answer);
      if (status === 416) return await this.takeEnd(answer);
      throw statusError(this.url, status);
    } finally {
      answer.cancel();
    }
  }

  private wrong(what: string): SkintError {
    return new SkintError("network.answer", `${this.name} ${what}; try another network or mirror, or fetch the file by hand`, { what: this.name });
  }

  /** 206: exactly the bytes that were asked for, of the version that was pinned. */
  private async takeRange(answer: Answer, at: number, end: number): Promise<boolean> {
    if (isEncoded(answer.response)) throw this.wrong("answered with a compressed range, which cannot be put in its place");
    const range = contentRange(answer.response);
    const { first, last, total } = range ?? {};
    if (first === undefined || last === undefined || first !== at || last >= end)
      throw this.wrong(`was asked for bytes ${at} … ${end - 1} and answered with ${JSON.stringify(answer.response.headers.get("content-range"))}`);
    const pin = pinOf(this.url, answer, total);
    if (!this.fresh && !samePin(this.pin, pin)) return this.startOver("network.changed", "kept changing while it was fetched");
    if (this.fresh) await this.begin(pin);
    await this.take(answer, 0, last - first + 1);
    // Without a total, only a 416 says where the file ends.
    return this.store.size === total;
  }

  /** 200: the whole file, from a server that knows no ranges. What is stored already is passed over, if it is of the same version. */
  private async takeWhole(answer: Answer): Promise<boolean> {
    const pin = pinOf(this.url, answer, contentLength(answer.response));
    const same = !this.fresh && samePin(this.pin, pin) && hasValidator(pin) && hasValidator(this.pin) && !isEncoded(answer.response);
    if (!this.fresh && !same) this.startOver(samePin(this.pin, pin) ? "network.interrupted" : "network.changed", "cannot be continued, and broke off again and again");
    if (this.fresh) await this.begin(pin);
    await this.take(answer, this.store.size, pin.bytes);
    return true;
  }

  /** 416: nothing there. The end of a file of unknown length, an empty file, or another version. */
  private async takeEnd(answer: Answer): Promise<boolean> {
    const total = contentRange(answer.response)?.total;
    if (this.at === 0) {
      if (total !== 0) throw statusError(this.url, 416);
      await this.begin(pinOf(this.url, answer, 0));
      return true;
    }
    if (this.pin.bytes === undefined && (total ?? this.store.size) === this.store.size) return true;
    return this.startOver("network.changed", "kept changing while it was fetched");
  }

  private async begin(pin: Pin): Promise<void> {
    const { bytes, maxBytes } = this.o;
    if (pin.bytes !== undefined && bytes !== undefined && pin.bytes !== bytes) throw final(this.wrong(`has ${pin.bytes} bytes, ${bytes} were expected`));
    if ((pin.bytes ?? 0) > maxBytes) throw this.tooLong(pin.bytes as number);
    await this.store.reset(pin);
    this.hash = this.o.hasher();
    this.resumed = 0;
    this.fresh = false;
  }

  private tooLong(bytes: number): SkintError {
    return new SkintError("format.limit", `${this.name} has ${bytes} bytes or more, the limit is ${this.o.maxBytes}; check the address`, { what: this.name });
  }

  private startOver(code: "network.changed" | "network.interrupted", what: string): false {
    if (++this.restarts > this.o.restarts) throw final(new SkintError(code, `${this.name} ${what} (${this.restarts} times); try again later`, { what: this.name }));
    this.fresh = true;
    return false;
  }

  /** Stores a body: without its first `skip` bytes, and of exactly `length` bytes if that is known. */
  private async take(answer: Answer, skip: number, length: number | undefined): Promise<void> {
    let seen = 0;
    for await (const piece of answer.body()) {
      const from = Math.min(piece.length, Math.max(0, skip - seen));
      seen += piece.length;
      if (length !== undefined && seen > length) throw this.wrong(`sent more than the ${length} bytes it had announced`);
      if (from === piece.length) continue;
      const bytes = piece.subarray(from);
      if (this.store.size + bytes.length > this.o.maxBytes) throw this.tooLong(this.store.size + bytes.length);
      await this.store.append(bytes);
      this.hash.update(bytes);
      this.received += bytes.length;
      this.failures = 0;
      this.answered = true;
      this.report();
      throwIfAborted(this.o.signal, `fetching ${this.name}`);
    }
    if (seen < (length ?? skip))
      throw new SkintError("network.interrupted", `${this.name} ended after ${seen} of ${length ?? skip} bytes; run it again to go on`, { what: this.name });
    this.answered = true;
  }

  private report(): void {
    const seconds = (performance.now() - this.began) / 1000;
    this.o.onProgress?.({ done: this.store.size, total: this.pin.bytes ?? this.o.bytes, resumed: this.resumed, rate: seconds > 0 ? this.received / seconds : 0 });
  }

  /** Compares size and hash; undefined when stored bytes of an earlier try may be to blame and the file is begun anew. */
  private async finish(): Promise<Transferred | undefined> {
    await this.store.keep();
    const bytes = this.store.size;
    const sha256 = this.hash.digest();
    const wanted = this.o.sha256 ?? sha256;
    if (sha256 === wanted && bytes === (this.o.bytes ?? bytes)) return { pin: this.pin, bytes, sha256, resumed: this.resumed, requests: this.requests, restarts: this.restarts };
    this.fresh = true;
    if (this.resumed > 0) return undefined;
    await this.store.reset(this.pin);
    throw new SkintError(
      "format.hash",
      `${this.name} hashes to ${sha256} (${bytes} bytes), ${wanted} was expected (${this.o.bytes ?? bytes} bytes); do not use it, and ask its publisher`,
      {
        what: this.name,
      },
    );
  }

  /** After a failure: keeps what there is, and throws, or waits before the next try. */
  private async pause(error: unknown): Promise<void> {
    const kept = this.fresh ? 0 : this.store.size;
    if (kept > 0) await this.store.keep().catch(() => {});
    if (!(error instanceof SkintError) || !this.worthRetrying(error)) throw this.told(error, kept);
    // A machine that is offline is told so soon.
    if (++this.failures > (this.answered || error.code !== "network.unreachable" ? this.o.retries : 1)) throw this.told(error, kept);
    const grown = this.o.backoffMs * 2 ** (this.failures - 1) * (0.75 + Math.random() / 4);
    const ms = Math.min(LONGEST_PAUSE_MS, Math.max(grown, this.retryAfter));
    await (this.o.sleep ?? sleep)(ms, this.o.signal);
  }

  private worthRetrying(error: SkintError): boolean {
    if (FINAL.has(error)) return false;
    if (error.code !== "network.status") return error.code.startsWith("network.");
    // Links expire and fleets disagree for a moment: what was there once is asked for again.
    return this.status >= 500 || [408, 425, 429].includes(this.status) || this.answered;
  }

  private told(error: unknown, kept: number): unknown {
    if (!(error instanceof SkintError) || kept === 0 || !/^(network\.|aborted)/.test(error.code)) return error;
    return new SkintError(error.code, `${error.message} (${kept} bytes are kept, the next try goes on from there)`, error.place, { cause: error });
  }
}

/** Errors that no retry can mend. */
const FINAL = /* @__PURE__ */ new WeakSet<SkintError>();

function final(error: SkintError): SkintError {
  FINAL.add(error);
  return error;
}
