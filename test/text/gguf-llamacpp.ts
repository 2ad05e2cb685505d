// Writes gguf-llamacpp-golden.json beside itself, from the root of the repository: what llama.cpp makes of the vocabularies and texts of gguf-golden.json.
//   npm i --prefix <folder> --ignore-scripts node-llama-cpp@3.22.1 @node-llama-cpp/linux-x64@3.22.1
//   node tools/dev/ts.mjs test/text/gguf-llamacpp.ts <folder>
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { CUTS } from "../../runtime/text/gguf/patterns.ts";
import { buildGguf, field } from "../support/gguf.ts";
import { type VocabSpec, vocabFields } from "../support/gguf-vocab.ts";

const folder = resolve(process.argv[2]);
const { getLlama } = await import(pathToFileURL(join(folder, "node_modules/node-llama-cpp/dist/index.js")).href);
const llama = await getLlama({ gpu: false, build: "never", logLevel: "error" });
const golden = JSON.parse(readFileSync("test/text/gguf-golden.json", "utf8"));
const temporary = mkdtempSync(join(tmpdir(), "vocabulary-"));

/** What a model needs for llama.cpp to load its vocabulary. */
const shape = {
  "general.architecture": field("string", "llama"),
  "llama.context_length": field("u32", 64),
  "llama.embedding_length": field("u32", 32),
  "llama.block_count": field("u32", 1),
  "llama.feed_forward_length": field("u32", 32),
  "llama.attention.head_count": field("u32", 1),
  "llama.attention.layer_norm_rms_epsilon": field("f32", 1e-5),
};

async function tokenize(spec: VocabSpec): Promise<number[][]> {
  const path = join(temporary, "vocabulary.gguf");
  writeFileSync(path, buildGguf({ metadata: { ...shape, ...vocabFields(spec) } }));
  const model = await llama.loadModel({ modelPath: path, vocabOnly: true });
  const ids = golden.input.map((text: string) => [...model.tokenize(text, true)]);
  await model.dispose();
  return ids;
}

const ids: Record<string, number[][]> = {};
const more = { bos_token_id: field("u32", 0), eos_token_id: field("u32", 1) };
for (const pre of CUTS.keys()) {
  try {
    ids[pre] = await tokenize({ model: "gpt2", pre, ...golden.gpt2, more });
  } catch (error) {
    console.log(`${pre}: ${error}`); // a name younger than this llama.cpp
  }
}
ids.llama = await tokenize({ model: "llama", ...golden.llama });
ids.t5 = await tokenize({ model: "t5", ...golden.t5, more: { add_space_prefix: field("bool", true), remove_extra_whitespaces: field("bool", true) } });
/** Names whose texts all become the same ids stand together. */
const groups = new Map<string, string[]>();
for (const [name, found] of Object.entries(ids)) {
  const key = JSON.stringify(found);
  groups.set(key, [...(groups.get(key) ?? []), name]);
}
const rows = [...groups].map(([found, names]) => `{"names":${JSON.stringify(names)},"ids":${found}}`);
writeFileSync("test/text/gguf-llamacpp-golden.json", `{"release":${JSON.stringify(llama.llamaCppRelease?.release ?? "")},"groups":[\n${rows.join(",\n")}\n]}\n`);
console.log(Object.keys(ids).length, "names in", groups.size, "groups");
rmSync(temporary, { recursive: true });
await llama.dispose();
