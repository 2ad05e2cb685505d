// Child of cache.test.ts: pulls made-up files into a cache, in small pieces, for ever or `rounds` times. argv: root, rounds, seed.
import { Cache } from "../../targets/hosts/node/cache.ts";
import { sha256 } from "../../targets/hosts/node/hash.ts";
import { content, FILES, urlOf } from "./puller-files.ts";

const [root, rounds, seed] = process.argv.slice(2);
const PIECE = 20_000;

async function pullOne(cache: Cache, i: number): Promise<void> {
  const bytes = content(i);
  const store = cache.partial(urlOf(i));
  const hash = sha256();
  if (store.pin === undefined || store.size > bytes.length) await store.reset({ url: urlOf(i), bytes: bytes.length });
  hash.update(bytes.subarray(0, store.size));
  while (store.size < bytes.length) {
    const piece = bytes.subarray(store.size, store.size + PIECE);
    await store.append(piece);
    hash.update(piece);
    await store.keep();
  }
  const digest = hash.digest();
  cache.adopt(store, digest);
  cache.put({ name: urlOf(i), files: [{ name: "model.gguf", sha256: digest, bytes: bytes.length }], pulled: new Date().toISOString() });
}

const cache = new Cache(root);
console.log("ready");
for (let round = 0; round < Number(rounds); round++) {
  const i = (Number(seed) + round) % FILES;
  // Sometimes it is cleared away first, as a user may.
  if (rounds === "1e9" && round % 5 === 4) cache.remove(urlOf(i));
  await pullOne(cache, i);
}
console.log("done");
