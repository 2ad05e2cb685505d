// What a page and its session worker say to each other. A page calls by name, with an id; the worker answers with events and one end. All
// values are plain data; big arrays are handed over, not copied.
//   page → worker   call · abort · more (the reader has room for more events) · leave (the reader wants no more) · forget (a session)
//                   lane (what a lane says) · close
//   worker → page   ready, once · events · end · lane (to be started) · endLane · closed, last
import { type ErrorCode, type ErrorPlace, SkintError } from "../../../runtime/errors.ts";
import type { ModelOptions } from "../../../runtime/session/model.ts";
import type { ScoreOptions } from "../../../runtime/session/score.ts";
import type { GenerateOptions, GenerateStats, Piece } from "../../../runtime/session/session.ts";
import type { WasmOptions } from "../../devices/wasm/device.ts";
import type { LaneInit } from "../host.ts";

/** Events a worker may be ahead of its reader: hides the way to and fro, and bounds what is made in vain when the reader leaves. */
export const WINDOW = 32;

type Plain<T> = Omit<T, "signal" | "onProgress">;

/** What to do about a copy kept in the origin's private file system. */
export type CacheMode = "check" | "trust" | "off";

export interface LoadRequest {
  /** Absolute URL, Blob or File, or a file of OPFS. */
  readonly location: string | Blob | FileSystemFileHandle;
  /** Folder of the builds of the core, absolute. */
  readonly core?: string;
  readonly cache: CacheMode;
  readonly options: Plain<ModelOptions> & WasmOptions;
}

/** What a page knows of a loaded model. */
export interface ModelFacts {
  readonly name: string;
  readonly card: Readonly<Record<string, unknown>>;
  readonly recipe: string;
  readonly hash: string;
  readonly bos: readonly number[];
  readonly tokenizer?: { readonly vocabSize: number; readonly bos?: number; readonly eos?: number };
  readonly vocab: number;
  readonly context: number;
  readonly memoryBytes: number;
  readonly build: string;
  readonly lanes: number;
  readonly whySingle?: string;
  readonly cache: "hit" | "stored" | "none";
  readonly notes: readonly string[];
}

export interface Progress {
  readonly done: number;
  readonly total: number;
}

type InSession<T> = T & { readonly session: number };

/** Every call: what it takes, what its events are, what it ends with. */
export interface Calls {
  load: { args: LoadRequest; event: Progress; end: ModelFacts };
  encode: { args: { readonly text: string; readonly opened: boolean }; event: never; end: Uint32Array };
  decode: { args: { readonly ids: ArrayLike<number>; readonly special: boolean }; event: never; end: string };
  score: { args: { readonly tokens: Uint32Array; readonly options: Plain<ScoreOptions> }; event: Progress; end: Float64Array };
  feed: { args: InSession<{ readonly tokens: Uint32Array }>; event: never; end: { readonly logits: Float32Array; readonly length: number } };
  append: { args: InSession<{ readonly tokens: Uint32Array }>; event: never; end: { readonly logits: Float32Array; readonly length: number } };
  saveState: { args: InSession<object>; event: never; end: Uint8Array };
  loadState: { args: InSession<{ readonly bytes: Uint8Array }>; event: never; end: number };
  /** `fork`: the number of the session that is to be made. */
  forkState: { args: InSession<{ readonly fork: number }>; event: never; end: undefined };
  reset: { args: InSession<object>; event: never; end: undefined };
  generate: {
    args: InSession<{ readonly prompt: string | Uint32Array; readonly options: Plain<GenerateOptions> }>;
    event: Piece;
    end: { readonly stats: GenerateStats; readonly length: number };
  };
}

export type CallName = keyof Calls;

export type ToWorker =
  | { [N in CallName]: { readonly type: "call"; readonly id: number; readonly name: N; readonly args: Calls[N]["args"] } }[CallName]
  | { readonly type: "abort" | "leave"; readonly id: number }
  | { readonly type: "more"; readonly id: number; readonly count: number }
  | { readonly type: "forget"; readonly session: number }
  | { readonly type: "lane"; readonly lane: number; readonly says: string }
  | { readonly type: "close" };

export type ToPage =
  | { readonly type: "ready" }
  | { readonly type: "lane"; readonly lane: number; readonly init: LaneInit }
  | { readonly type: "endLane"; readonly lane: number }
  | { readonly type: "closed" }
  | { readonly type: "events"; readonly id: number; readonly events: readonly unknown[] }
  | { readonly type: "end"; readonly id: number; readonly value?: unknown; readonly error?: PlainError };

/** An error as plain data. Without a code it is a bug. */
export interface PlainError {
  readonly code?: ErrorCode;
  readonly message: string;
  readonly place?: ErrorPlace;
  /** Of the cause, or the stack of a bug. */
  readonly detail?: string;
}

export function plainError(e: unknown): PlainError {
  if (e instanceof SkintError) return { code: e.code, message: e.message, place: e.place, detail: e.cause === undefined ? undefined : String(e.cause) };
  return e instanceof Error ? { message: String(e), detail: e.stack } : { message: String(e) };
}

export function revive({ code, message, place, detail }: PlainError): Error {
  return code ? new SkintError(code, message, place, { cause: detail }) : new Error(message, { cause: detail });
}
