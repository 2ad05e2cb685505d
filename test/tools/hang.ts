// A program that waits for its stop signal and takes as long to clean up as its argument says (milliseconds).
import { stopSignal } from "../../tools/cli/signals.ts";

const signal = stopSignal();
setTimeout(() => {}, 60_000);
signal.addEventListener("abort", () => {
  setTimeout(() => {
    console.log("cleaned up");
    process.exit(130);
  }, Number(process.argv[2]));
});
console.log("waiting");
