// `node tools/dev/ts.mjs test/support/write-rwkv.ts FILE FOLDER`: writes a checkpoint of rwkv.cpp as a folder that `skint` opens.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rwkvFiles } from "./rwkv-file.ts";

const [file, folder] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
for (const [name, bytes] of await rwkvFiles(new Uint8Array(readFileSync(file)))) writeFileSync(join(folder, name), bytes);
