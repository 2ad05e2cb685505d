// The process that does some of the cuts of flash.cuts (cuts.ts): takes `Cuts` as messages, answers each with its `Outcome`.
import { type Cuts, cutAll } from "./cutting.ts";

// Every cut ends in an error, and where in the source it came from is read by nobody.
Error.stackTraceLimit = 0;

process.on("message", async (cuts: Cuts) => {
  process.send?.(await cutAll(cuts));
});
