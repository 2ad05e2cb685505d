// Child of streaming.long.test.ts: writes a pack of 200 MB to argv[2], verifies it, prints by how many bytes the peak of resident memory grew.
import { openPack } from "../../runtime/formats/skint/reader.ts";
import { createPack } from "../../runtime/formats/skint/writer.ts";
import { createFile, openFile } from "../../targets/hosts/node/files.ts";
import { sha256 } from "../../targets/hosts/node/hash.ts";
import { specOf } from "./packs.ts";

const CHUNK = 8192;
const [file] = process.argv.slice(2);
const before = process.resourceUsage().maxRSS;
const tensors = Array.from({ length: 10 }, (_, i) => ({ name: `w${i}`, dtype: "U8" as const, bytes: 20e6 }));
const pack = await createPack(await createFile(file), sha256(), specOf(tensors));
for (const { name, bytes } of tensors) for (let at = 0; at < bytes; at += CHUNK) await pack.write(name, new Uint8Array(Math.min(CHUNK, bytes - at)).fill(at >> 13));
await pack.document("golden", "{}");
await pack.finish();
await (await openPack(await openFile(file), { hasher: sha256() })).close();
console.log(JSON.stringify({ grown: (process.resourceUsage().maxRSS - before) * 1024 }));
