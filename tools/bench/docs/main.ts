// `npm run bench:docs -- NAME=RECORD …`: puts records that `--json` wrote into the tables of BENCHMARKS.md (render.ts),
// and their pictures beside it.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { SkintError } from "../../../runtime/errors.ts";
import { describeFailure, EXIT } from "../../cli/errors.ts";
import { readRecord } from "../read.ts";
import { drawnFrom, picturesOf, renderPage } from "./render.ts";

const PAGE = "BENCHMARKS.md";

function run(argv: readonly string[]): number {
  const records = new Map<string, ReturnType<typeof drawnFrom>[]>();
  for (const arg of argv) {
    const [, name, path] = /^([\w-]+)=(.+)$/.exec(arg) ?? [];
    if (!name) throw new SkintError("usage", `${JSON.stringify(arg)} is not NAME=RECORD, such as kernels=kernels.json`);
    records.set(name, [...(records.get(name) ?? []), readRecord(path, drawnFrom)]);
  }
  if (records.size === 0) throw new SkintError("usage", "no records were given; write NAME=RECORD, such as kernels=kernels.json");
  writeFileSync(PAGE, renderPage(readFileSync(PAGE, "utf8"), records));
  for (const [path, picture] of picturesOf(records)) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, picture);
  }
  console.log(`${PAGE}: ${[...records.keys()].join(", ")}`);
  return EXIT.ok;
}

try {
  process.exitCode = run(process.argv.slice(2));
} catch (error) {
  const failure = describeFailure(error, "bench:docs");
  process.stderr.write(failure.text);
  process.exitCode = failure.exit;
}
