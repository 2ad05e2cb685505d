// Ctrl-C: the first asks the work to stop and clean up, the second does not wait for it.
import { EXIT } from "./errors.ts";

/** A signal that fires at the first SIGINT or SIGTERM of this process. */
export function stopSignal(): AbortSignal {
  const stop = new AbortController();
  const onSignal = () => {
    if (stop.signal.aborted) process.exit(EXIT.aborted);
    process.stderr.write("\nskint: stopping; once more to leave at once\n");
    stop.abort();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return stop.signal;
}
