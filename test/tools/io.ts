// A captured outside world for the command line.
import type { Io } from "../../tools/cli/context.ts";

export interface CapturedIo extends Io {
  stdout: string;
  stderr: string;
  readonly stop: AbortController;
}

export function captureIo(over: Partial<Io> = {}): CapturedIo {
  const stop = new AbortController();
  const io: CapturedIo = {
    stdout: "",
    stderr: "",
    stop,
    out: (text) => {
      io.stdout += text;
    },
    err: (text) => {
      io.stderr += text;
    },
    outIsTerminal: false,
    errIsTerminal: false,
    env: {},
    signal: stop.signal,
    ...over,
  };
  return io;
}
