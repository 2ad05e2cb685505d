// `npm run bench:peers -- [--only NAME] [--json]`: tokens a second of Skint and of other engines on the same work, taking turns. Exit code 3 where no
// other engine is installed.
import { Command, Option } from "commander";
import { SkintError } from "../../runtime/errors.ts";
import type { EngineSummary, MachineSummary } from "../../runtime/stats/record.ts";
import { readEngine, readMachine, summariseMachine } from "../../targets/hosts/node/machine.ts";
import { describeFailure, EXIT } from "../../tools/cli/errors.ts";
import { stopSignal } from "../../tools/cli/signals.ts";
import { table } from "../../tools/cli/table.ts";
import { whole } from "../../tools/cli/values.ts";
import { fastest, type Outcome, playContest, type Row, ratio } from "./contest.ts";
import { CONTESTS, isPeer } from "./entrants.ts";
import { Stage } from "./stage.ts";
import { SMOL, type SyntheticShape } from "./synthetic.ts";

interface Report extends Outcome {
  /** ISO 8601. */
  readonly date: string;
  readonly machine: MachineSummary;
  readonly engine: EngineSummary;
  /** The model all play: a synthetic file of this shape, all Q4_0. */
  readonly model: SyntheticShape;
}

const isOurs = ({ entrant: id }: Row) => !isPeer({ id });

function tableOf(rows: readonly Row[]): string {
  const best = fastest(rows.filter((row) => !isOurs(row)));
  const cells = rows.map((row) => {
    const r = best && isOurs(row) ? ratio(row, best) : undefined;
    const against = r ? `${r.value.toFixed(2)} [${r.low.toFixed(2)} … ${r.high.toFixed(2)}]` : row === best ? "= 1" : "";
    return [row.entrant, row.median.toFixed(1), `[${row.low.toFixed(1)} … ${row.high.toFixed(1)}]`, against, row.engine.slice(0, 90)];
  });
  const { contest, figure, work } = rows[0];
  return `${contest}, ${figure}: ${work.prompt} tokens read, ${work.decode} decoded\n${table(["", "tokens/s", "95 %", "to the fastest peer", "engine"], cells, { right: [1] })}`;
}

function text({ machine, engine, rows, absent }: Report): string {
  const keyOf = ({ contest, figure }: Row) => `${contest} ${figure}`;
  const groups = [...new Set(rows.map(keyOf))].map((key) => rows.filter((row) => keyOf(row) === key));
  const missing = absent.map(({ contest, entrant, reason }) => `absent from ${contest}: ${entrant}: ${reason}`);
  return [`${machine.cpu}, ${machine.cores} cores; ${engine.name} ${engine.version}`, ...groups.map(tableOf), ...missing].join("\n\n");
}

async function run(): Promise<number> {
  const command = new Command("bench:peers")
    .description(
      "Skint and other engines decode and read prompts on a synthetic all-Q4_0 model of SmolLM2-135M's shape. They take turns in one run; medians of the rounds, with 95 % bootstrap intervals. The peers are installed apart (test/peers/README.md).",
    )
    .addOption(new Option("--only <contest>", "one contest").choices(CONTESTS.map(({ name }) => name)))
    .option("--rounds <n>", "rounds after the warm-up (default: 7, in browsers 5)", whole("--rounds", { min: 1, max: 1000 }))
    .option("--json", "print JSON")
    .parse();
  const { only, rounds, json } = command.opts<{ only?: string; rounds?: number; json?: boolean }>();
  const options = { rounds, signal: stopSignal(), note: (line: string) => void process.stderr.write(`${line}\n`) };
  const stage = new Stage(options);
  try {
    const outcomes: Outcome[] = [];
    for (const contest of CONTESTS) if (!only || contest.name === only) outcomes.push(await playContest(contest, stage, options));
    const [rows, absent] = [outcomes.flatMap((o) => o.rows), outcomes.flatMap((o) => o.absent)];
    if (rows.length === 0) throw new SkintError("file.missing", `nobody to compare with: ${absent[0]?.reason}`, { what: absent[0]?.entrant });
    const report: Report = { date: new Date().toISOString(), machine: summariseMachine(readMachine()), engine: readEngine(), model: SMOL, rows, absent };
    console.log(json ? JSON.stringify(report) : text(report));
    return EXIT.ok;
  } finally {
    await stage.close();
  }
}

const code = await run().catch((error) => {
  const failure = describeFailure(error, "bench:peers");
  process.stderr.write(failure.text);
  return failure.exit;
});
process.stdout.write("", () => process.exit(code));
