// `npm run goals [-- --only AREA] [--json] [--record FILE]`: measures the project's goals and prints each figure beside its bound.
// Exit code 1 if one is not met; a goal whose peer or file is absent is neither met nor missed.
import { writeFileSync } from "node:fs";
import { Command } from "commander";
import picocolors from "picocolors";
import { SkintError } from "../../runtime/errors.ts";
import { readEngine, readMachine, summariseMachine } from "../../targets/hosts/node/machine.ts";
import { describeFailure, EXIT } from "../cli/errors.ts";
import { stopSignal } from "../cli/signals.ts";
import { table } from "../cli/table.ts";
import { AREAS as CATALOGUE } from "./areas.gen.ts";
import type { GoalRecord, GoalRow } from "./goal.ts";
import { measureGoal } from "./measure.ts";

const AREAS = Object.values(CATALOGUE);

const figure = (v: number | null) => (v === null ? "" : Number.isInteger(v) ? String(v) : v.toPrecision(4));

function text(rows: readonly GoalRow[]): string {
  const met = { true: picocolors.green("met"), false: picocolors.red("MISSED"), null: picocolors.yellow("absent") };
  const spread = (r: GoalRow) => (r.low === null || r.high === null ? "" : `${figure(r.low)}…${figure(r.high)}`);
  const cells = rows.map((r) => [r.id, figure(r.value), spread(r), r.unit, r.must, met[`${r.ok}`], r.reason ?? r.note ?? r.figure]);
  return table(["goal", "value", "low…high", "unit", "must be", "", ""], cells, { right: [1] });
}

const recordOf = (rows: readonly GoalRow[]): GoalRecord => ({
  kind: "goals",
  date: new Date().toISOString(),
  machine: summariseMachine(readMachine()),
  engine: readEngine(),
  rows,
});

async function run(): Promise<number> {
  const command = new Command("goals")
    .option("--only <area>", "one area, or one goal by its id")
    .option("--json", "print JSON")
    .option("--record <file>", "write the rows with machine, engine and date, for npm run bench:docs")
    .parse();
  const { only, json, record } = command.opts<{ only?: string; json?: boolean; record?: string }>();
  const goals = AREAS.flatMap((a) => a.goals.filter((g) => !only || a.name === only || g.id === only));
  if (only && !goals.length && !AREAS.some((a) => a.name === only))
    throw new SkintError("usage", `there is no area or goal ${JSON.stringify(only)}; the areas are ${AREAS.map((a) => a.name).join(", ")}`);
  const signal = stopSignal();
  const note = (line: string) => process.stderr.write(`${line}\n`);
  const rows: GoalRow[] = [];
  for (const goal of goals) {
    note(`measuring ${goal.id}`);
    rows.push(await measureGoal(goal, { signal, note }));
  }
  if (record) writeFileSync(record, JSON.stringify(recordOf(rows)));
  console.log(json ? JSON.stringify(rows, null, 2) : text(rows));
  return rows.some((r) => r.ok === false) ? EXIT.error : EXIT.ok;
}

const code = await run().catch((error) => {
  const failure = describeFailure(error, "goals");
  process.stderr.write(failure.text);
  return failure.exit;
});
process.stdout.write("", () => process.exit(code));
