// `skint cache`: what was pulled, and what it takes.
import { SkintError } from "../../runtime/errors.ts";
import { Cache } from "../../targets/hosts/node/cache.ts";
import type { Context } from "../cli/context.ts";
import { EXIT } from "../cli/errors.ts";
import { table } from "../cli/table.ts";
import { bytes } from "../cli/units.ts";
import type { Verb } from "../verb.ts";

function list(cache: Cache, context: Context): void {
  const entries = cache.list();
  const sizes = cache.sizes();
  const rows = entries.map(({ entry, bytes: b, whole }) => [entry.name, bytes(b), String(entry.files.length), entry.pulled.slice(0, 10), whole ? "" : "incomplete: pull it again"]);
  const unfinished = sizes.unfinished.reduce((sum, p) => sum + p.bytes, 0);
  const rest = [
    ...(unfinished ? [`${bytes(unfinished)} of unfinished pulls (the next pull goes on with them; skint cache rm --unused removes them)`] : []),
    ...(sizes.unused ? [`${bytes(sizes.unused)} that no entry needs (skint cache rm --unused)`] : []),
  ];
  const json = {
    root: cache.root,
    bytes: sizes.blobs,
    unusedBytes: sizes.unused,
    unfinished: sizes.unfinished,
    entries: entries.map(({ entry, ...more }) => ({ ...entry, ...more })),
  };
  const head = rows.length ? table(["name", "size", "files", "pulled", ""], rows, { right: [1, 2] }) : "nothing was pulled yet";
  context.answer(json, () => [head, "", `${cache.root}: ${bytes(sizes.blobs)}`, ...rest].join("\n"));
}

function remove(cache: Cache, names: readonly string[], o: Readonly<Record<string, unknown>>, context: Context): void {
  if (!o.all && !o.unused && names.length === 0)
    throw new SkintError("usage", "nothing was named to remove; give names as skint cache ls shows them, --unused or --all", { what: "rm" });
  const present = cache.list().map((e) => e.entry.name);
  const absent = names.filter((n) => !present.includes(n));
  if (absent.length) throw new SkintError("file.missing", `${absent.join(", ")} is not in the cache; skint cache ls shows what is`, { what: absent[0] });
  const all = () => cache.sizes().blobs + cache.sizes().unfinished.reduce((sum, p) => sum + p.bytes, 0);
  const before = all();
  const removed = o.all ? present : names;
  for (const name of removed) cache.remove(name);
  if (o.all || o.unused) cache.prune();
  const freed = before - all();
  context.answer({ removed, freedBytes: freed }, () => `${removed.length ? removed.join(", ") : "what no entry needs"}: removed, ${bytes(freed)} freed`);
}

async function run(action: string, names: readonly string[], o: Readonly<Record<string, unknown>>, context: Context): Promise<number> {
  const cache = new Cache();
  if (action === "ls") list(cache, context);
  else if (action === "rm") remove(cache, names, o, context);
  else throw new SkintError("usage", `${JSON.stringify(action)} is nothing that cache does; say ls or rm`, { what: action });
  return EXIT.ok;
}

export const verb: Verb = {
  name: "cache",
  summary: "list or remove what was pulled",
  description:
    "ls lists what skint pull fetched and what it takes; rm removes entries by name. Content that two entries share is kept until the last one goes. --unused removes unfinished pulls and content without an entry. SKINT_CACHE names the folder.",
  example: "skint cache ls\nskint cache rm hf:HuggingFaceTB/SmolLM2-135M-Instruct\nskint cache rm --all",
  arguments: [
    { name: "<action>", description: "ls or rm" },
    { name: "[names...]", description: "entries to remove" },
  ],
  options: [
    { flags: "--all", description: "remove everything" },
    { flags: "--unused", description: "remove what no entry needs" },
  ],
  run: ({ positional, options }, context) => run(positional[0] as string, (positional[1] ?? []) as readonly string[], options, context),
};
