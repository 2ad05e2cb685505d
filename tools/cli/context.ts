// What a verb has of the outside world: streams, the wish for JSON, colours, progress, and the signal that says stop.
import picocolors from "picocolors";
import { type Progress, type ProgressMode, startProgress } from "./progress.ts";

export interface Io {
  /** Text to stdout, as it is. */
  readonly out: (text: string) => void;
  /** Text to stderr, as it is. */
  readonly err: (text: string) => void;
  readonly outIsTerminal: boolean;
  readonly errIsTerminal: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Fires at the first Ctrl-C. */
  readonly signal: AbortSignal;
}

export type Colours = ReturnType<typeof picocolors.createColors>;

export interface Context {
  readonly json: boolean;
  readonly signal: AbortSignal;
  /** For stdout: plain functions where colour is not wanted. */
  readonly colour: Colours;
  /** Text to stdout as it is, for streamed output. */
  readonly out: (text: string) => void;
  /** One line to stderr; silent with `--json`, whose reader wants no chatter. */
  note(line: string): void;
  /** The verb's answer: `value` as one line of JSON with `--json`, else what `text` makes of it. */
  answer(value: unknown, text: () => string): void;
  /** Starts showing a job; call `end` in a `finally`. */
  progress(what: string, unit?: string, total?: number): Progress;
}

export interface ContextOptions {
  readonly json: boolean;
  readonly progress: "auto" | "json" | "off";
}

/** NO_COLOR (any value but empty) and FORCE_COLOR come before what the stream is. */
function wantsColour(io: Io): boolean {
  if (io.env.NO_COLOR) return false;
  if (io.env.FORCE_COLOR && io.env.FORCE_COLOR !== "0") return true;
  return io.outIsTerminal && io.env.TERM !== "dumb";
}

export function createContext(io: Io, { json, progress }: ContextOptions): Context {
  const mode: ProgressMode = progress === "auto" ? (io.errIsTerminal && !json ? "line" : "off") : progress;
  return {
    json,
    signal: io.signal,
    colour: picocolors.createColors(!json && wantsColour(io)),
    out: io.out,
    note: (line) => {
      if (!json) io.err(`${line}\n`);
    },
    answer: (value, text) => io.out(`${json ? JSON.stringify(value) : text()}\n`),
    progress: (what, unit = "bytes", total) => startProgress({ mode, write: io.err, what, unit, total }),
  };
}
