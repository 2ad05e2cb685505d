// What a failure looks like from outside: exit code, text for people, one line of JSON for programs.
import { ERROR_CODES, type ErrorCode, SkintError } from "../../runtime/errors.ts";

export const EXIT = { ok: 0, error: 1, usage: 2, missing: 3, aborted: 130 } as const;

const EXIT_OF: Partial<Record<ErrorCode, number>> = {
  "usage": EXIT.usage,
  "file.missing": EXIT.missing,
  "device.unavailable": EXIT.missing,
  "aborted": EXIT.aborted,
};

export function exitOf(code: ErrorCode): number {
  return EXIT_OF[code] ?? EXIT.error;
}

interface Errno extends Error {
  readonly code?: string;
  readonly path?: string;
}

/** Failures that are nobody's bug come out as SkintError; undefined is a bug. */
function known(error: unknown): SkintError | undefined {
  if (error instanceof SkintError) return error;
  if (!(error instanceof Error)) return undefined;
  if (error.name === "AbortError") return new SkintError("aborted", "stopped by the caller", {}, { cause: error });
  const { code, path } = error as Errno;
  if (!code || !path) return undefined;
  const absent = code === "ENOENT";
  const message = absent ? `${path} is not there; check the name` : `${path} cannot be used (${code}); check its rights and the room on the disk`;
  return new SkintError(absent ? "file.missing" : "file.unreadable", message, { what: path }, { cause: error });
}

export interface Failure {
  readonly exit: number;
  readonly text: string;
  readonly json: string;
}

export function describeFailure(error: unknown, version: string): Failure {
  const e = known(error);
  if (e) {
    const place = [e.place.what, e.place.offset === undefined ? undefined : `byte ${e.place.offset}`].filter((p) => p !== undefined).join(", ");
    return {
      exit: exitOf(e.code),
      text: `skint: ${e.message}\n  ${e.code}: ${ERROR_CODES[e.code]}${place ? ` (${place})` : ""}\n`,
      json: `${JSON.stringify({ error: { code: e.code, message: e.message, place: e.place } })}\n`,
    };
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const machine = `skint ${version}, Node ${process.versions.node}, ${process.platform} ${process.arch}`;
  return {
    exit: EXIT.error,
    text: `skint: this is a bug in Skint; please report it with the lines below\n${machine}\n${stack}\n`,
    json: `${JSON.stringify({ error: { code: "bug", message: error instanceof Error ? error.message : String(error), place: {}, machine, stack } })}\n`,
  };
}
