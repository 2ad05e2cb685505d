// Child of node.test.ts: writes a file without end, until a signal comes. argv: file, and `own` to handle the signal itself.
import { createFile } from "../../targets/hosts/node/files.ts";

const [file, own] = process.argv.slice(2);
if (own === "own") process.once("SIGINT", () => setTimeout(() => process.exit(3), 100));
const sink = await createFile(file);
const chunk = new Uint8Array(65536);
await sink.write(0, chunk);
console.log("writing");
for (;;) await sink.write(0, chunk);
