// One HTTP request as a transfer needs it: `fetch` comes from the host, redirects are counted and watched, silence ends in an error, headers are
// believed only when they are well-formed. Not a client for anything else.
import { type ErrorCode, SkintError } from "../errors.ts";

/** The host's fetch, or a test's. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface RequestOptions {
  readonly fetch: Fetch;
  readonly headers?: Readonly<Record<string, string>>;
  /** Headers that hold a secret: sent to the origin of the first URL only. */
  readonly secret?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Milliseconds without a byte (or without an answer) after which a server counts as silent. */
  readonly stallMs: number;
  readonly redirects: number;
}

export interface Answer {
  readonly response: Response;
  /** Where the redirects led. */
  readonly url: string;
  /** Pieces of the body; throws `network.interrupted` when it breaks off or stalls, `aborted` when the caller asked. */
  body(): AsyncGenerator<Uint8Array, void>;
  /** Lets go of the connection. Safe to call twice. */
  cancel(): void;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** A URL as a message may show it: no password, no query (signed links are secrets), no fragment. */
export function shown(url: string): string {
  try {
    const u = new URL(url);
    return `${u.protocol}//${u.host}${u.pathname}`;
  } catch {
    return url;
  }
}

/** Sends a GET and follows redirects. The answer may have any status that is no redirect. */
export async function request(url: string, options: RequestOptions): Promise<Answer> {
  let current = url;
  for (let hop = 0; ; hop++) {
    const answer = await send(current, url, options);
    const location = REDIRECTS.has(answer.response.status) ? answer.response.headers.get("location") : null;
    if (location === null) return answer;
    answer.cancel();
    if (hop === options.redirects)
      throw new SkintError("network.answer", `${shown(url)} redirects more than ${options.redirects} times, last to ${shown(current)}; check the address`, { what: shown(url) });
    current = redirected(current, location);
  }
}

function redirected(from: string, location: string): string {
  const refuse = (why: string) => new SkintError("network.answer", `${shown(from)} redirects to ${why}; fetch the file by hand if you trust it`, { what: shown(from) });
  let to: URL;
  try {
    to = new URL(location, from);
  } catch {
    throw refuse("something that is no address");
  }
  if (to.protocol !== "https:" && to.protocol !== "http:") throw refuse(`a ${to.protocol} address`);
  if (to.protocol === "http:" && new URL(from).protocol === "https:") throw refuse(`${shown(to.href)}, which is not encrypted`);
  return to.href;
}

async function send(url: string, first: string, options: RequestOptions): Promise<Answer> {
  const { headers, secret, stallMs } = options;
  const fetch = options.fetch;
  const stop = new AbortController();
  const onAbort = () => stop.abort();
  options.signal?.addEventListener("abort", onAbort, { once: true });
  if (options.signal?.aborted) stop.abort();
  const call: Call = {
    url: shown(first),
    stallMs,
    stop: stop.signal,
    asked: options.signal,
    end: () => {
      options.signal?.removeEventListener("abort", onAbort);
      stop.abort();
    },
  };
  const own = new URL(url).origin === new URL(first).origin;
  const init = { headers: { ...headers, ...(own ? secret : {}) }, signal: stop.signal, cache: "no-store" } as const;
  const answered = async () => {
    const response = await fetch(url, { ...init, redirect: "manual" });
    // A browser does not tell where a redirect leads: there the browser follows it, by its own limit.
    return response.type === "opaqueredirect" ? fetch(url, { ...init, redirect: "follow" }) : response;
  };
  try {
    const response = await within(answered(), call);
    return { response, url: response.url || url, body: () => pieces(response, call), cancel: call.end };
  } catch (cause) {
    call.end();
    throw failure(cause, call, "network.unreachable", (why) => `${shown(url)} cannot be reached (${why}); check the connection and the address, then run it again`);
  }
}

/** One exchange: what its messages name, when it counts as silent, and who may end it. */
interface Call {
  readonly url: string;
  readonly stallMs: number;
  /** Ends the exchange: the caller's wish, or ours. */
  readonly stop: AbortSignal;
  /** The caller's own signal. */
  readonly asked: AbortSignal | undefined;
  end(): void;
}

function failure(cause: unknown, { url, asked }: Call, code: ErrorCode, message: (why: string) => string): SkintError {
  if (asked?.aborted) return new SkintError("aborted", `fetching ${url} was stopped by the caller`, { what: url }, { cause: asked.reason });
  return cause instanceof SkintError ? cause : new SkintError(code, message(reason(cause)), { what: url }, { cause });
}

/** What fetch says is "fetch failed"; the reason is its cause. */
function reason(error: unknown): string {
  const { cause, message } = error as Error;
  const inner = cause as (Error & { code?: string }) | undefined;
  return inner?.code ?? inner?.message ?? message ?? String(error);
}

async function* pieces(response: Response, call: Call): AsyncGenerator<Uint8Array, void> {
  const reader = response.body?.getReader();
  try {
    while (reader) {
      const { done, value } = await within(reader.read(), call);
      if (done) return;
      if (value.length > 0) yield value;
    }
  } catch (cause) {
    throw failure(cause, call, "network.interrupted", (why) => `the connection to ${call.url} broke off (${why}); run it again to go on`);
  } finally {
    call.end();
    // Not awaited: a body that never ends never settles either.
    reader?.cancel().catch(() => {});
  }
}

/** A promise that loses against silence and against the signal: some hosts let neither settle it. */
async function within<T>(work: Promise<T>, { url, stallMs, stop }: Call): Promise<T> {
  work.catch(() => {});
  let timer: ReturnType<typeof setTimeout> | undefined;
  let onStop = () => {};
  const lost = new Promise<never>((_, reject) => {
    const silent = () => reject(new SkintError("network.interrupted", `${url} sent nothing for ${stallMs / 1000} s; run it again to go on`, { what: url }));
    timer = setTimeout(silent, stallMs);
    onStop = () => reject(stop.reason);
    stop.addEventListener("abort", onStop, { once: true });
    if (stop.aborted) onStop();
  });
  try {
    return await Promise.race([work, lost]);
  } finally {
    clearTimeout(timer);
    stop.removeEventListener("abort", onStop);
  }
}

export interface ContentRange {
  /** First and last byte of the body; undefined in an answer that says only the size (416). */
  readonly first?: number;
  readonly last?: number;
  /** Bytes of the whole; undefined for `*`. */
  readonly total?: number;
}

const whole = (digits: string): number | undefined => {
  const n = Number(digits);
  return Number.isSafeInteger(n) ? n : undefined;
};

/** `bytes 0-99/1000`, `bytes 0-99/*`, `bytes * /1000`; undefined if it is none of these. */
export function contentRange(response: Response): ContentRange | undefined {
  const match = /^bytes (?:(\d{1,16})-(\d{1,16})|\*)\/(?:(\d{1,16})|\*)$/.exec((response.headers.get("content-range") ?? "").trim());
  if (!match) return undefined;
  const [first, last, total] = match.slice(1).map((d) => (d === undefined ? undefined : whole(d)));
  if ((first !== undefined && last !== undefined && last < first) || (total !== undefined && last !== undefined && last >= total)) return undefined;
  return { first, last, total };
}

/** Content-Length, where it is the length of what the body will give: not under a content encoding. */
export function contentLength(response: Response): number | undefined {
  const text = response.headers.get("content-length") ?? "";
  return isEncoded(response) || !/^\d{1,16}$/.test(text) ? undefined : whole(text);
}

export function isEncoded(response: Response): boolean {
  const encoding = (response.headers.get("content-encoding") ?? "identity").trim().toLowerCase();
  return encoding !== "identity" && encoding !== "";
}
