// The `skint` command: streams, signals and exit code of the process around tools/cli/program.ts.
import { version } from "../package.json";
import { COMMANDS } from "./catalogue.gen.ts";
import { EXIT } from "./cli/errors.ts";
import { main } from "./cli/program.ts";
import { stopSignal } from "./cli/signals.ts";

// A reader that has seen enough (`skint inspect x | head`) is no failure.
process.stdout.on("error", (e: NodeJS.ErrnoException) => process.exit(e.code === "EPIPE" ? EXIT.ok : EXIT.error));

const io = {
  out: (text: string) => process.stdout.write(text),
  err: (text: string) => process.stderr.write(text),
  outIsTerminal: process.stdout.isTTY === true,
  errIsTerminal: process.stderr.isTTY === true,
  env: process.env,
  signal: stopSignal(),
};
const code = await main(process.argv.slice(2), Object.values(COMMANDS), io, version);
// Workers that are left over must not keep the command alive; what was written must still arrive.
process.stdout.write("", () => process.exit(code));
