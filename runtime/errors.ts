// The one error class and its closed list of codes. Every code has a test; every message says what happened, to what, and what to do next.

/** Code → what the class of error means (docs/errors.md is generated from this table). */
export const ERROR_CODES = {
  "file.missing": "a file that was asked for is not there",
  "file.unreadable": "a file is there but cannot be read or written",
  "format.truncated": "a file ends before the bytes its header promises",
  "format.header": "a header is not what the format says it must be",
  "format.limit": "a number in a file is beyond the limits of runtime/limits.ts",
  "format.dtype": "a tensor has a data type that is not supported here",
  "format.shape": "a tensor's shape does not fit its bytes, its row length or the model",
  "format.overlap": "tensors overlap, leave holes or do not cover the file",
  "format.duplicate": "a name stands twice",
  "format.version": "a file was written by a format version this build does not know",
  "format.hash": "the bytes do not hash to what the file says",
  "format.path": "a path in a file points outside its folder",
  "model.architecture": "the architecture is not supported",
  "model.config": "a model's config lacks a field or holds an impossible value",
  "model.tensor": "a tensor that the architecture needs is missing",
  "model.tokenizer": "the tokenizer is missing or unusable",
  "model.template": "the model has no chat template, or it fails, loops or grows beyond its limits",
  "model.golden": "the golden self-test after loading gave other numbers",
  "calibration.text": "the calibration text is missing or too short",
  "recipe.invalid": "a compression recipe does not exist or does not fit the model",
  "graph.invalid": "a graph is malformed or names what does not exist",
  "plan.kernel": "no kernel of this build takes a step of the plan",
  "plan.memory": "the plan needs more memory than the device can give",
  "device.unavailable": "the device, build or feature that was asked for is not here",
  "device.disproved": "a kernel gave wrong answers once the engine had optimised it",
  "device.trap": "the core trapped; the session is failed and must be reloaded",
  "device.wrong": "another device than the one that was asked for is on the line, or its image is another",
  "device.lost": "the device was reset or its line was closed",
  "device.noisy": "the line to the device damages so much that nothing gets through",
  "flash.board": "an image says that it is for another board",
  "flash.region": "an image would be written outside of what may be written",
  "flash.verify": "what was read back from a board is not what was written",
  "session.context": "the text does not fit the context window",
  "session.failed": "the session failed earlier and cannot go on",
  "session.nan": "the model produced a number that is not finite",
  "session.state": "a saved state belongs to another model or precision, or the model has none",
  "session.token": "a token id is outside the vocabulary",
  "network.unreachable": "a server cannot be reached",
  "network.status": "a server answered with an error",
  "network.answer": "a server's answer does not fit what was asked of it",
  "network.interrupted": "a transfer broke off, or delivered nothing for too long",
  "network.changed": "a file kept changing on its server while it was fetched",
  "program.failed": "another program that was asked for help (npm, pip) failed",
  "usage": "a command or call was used wrongly",
  "aborted": "the caller asked to stop",
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface ErrorPlace {
  /** File or tensor or layer the error is about. */
  readonly what?: string;
  /** Byte offset in that file. */
  readonly offset?: number;
}

export class SkintError extends Error {
  readonly code: ErrorCode;
  readonly place: ErrorPlace;

  /** @param message what happened, to what, and what to do next */
  constructor(code: ErrorCode, message: string, place: ErrorPlace = {}, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "SkintError";
    this.code = code;
    this.place = place;
  }
}

/** Throws `aborted` if the signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted) throw new SkintError("aborted", `${what} was stopped by the caller`, {}, { cause: signal.reason });
}
