// `npm run goals [-- --only AREA] [--json]`: measures the project's goals and prints each figure beside its bound.
// Exit code 1 if one is not met; a goal whose peer or file is absent is neither met nor missed.
import { Command } from "commander";
import picocolors from "picocolors";
import { SkintError } from "../../runtime/errors.ts";
import { describeFailure, EXIT } from "../cli/errors.ts";
import { stopSignal } from "../cli/signals.ts";
import { table } from "../cli/table.ts";
import { AREAS as CATALOGUE } from "./areas.gen.ts";
import type { GoalRow } from "./goal.ts";
import { measureGoal } from "./measure.ts";

const AREAS = Object.values(CATALOGUE);

const figure = (v: number | null) => (v === null ? "" : Number.isInteger(v) ? String(v) : v.toPrecision(4));

function text(rows: readonly GoalRow[]): string {
  const met = { true: picocolors.green("met"), false: picocolors.red("MISSED"), null: picocolors.yellow("absent") };
  const spread = (r: GoalRow) => (r.low === null || r.high === null ? "" : `${figure(r.low)}…${figure(r.high)}`);
  const cells = rows.map((r) => [r.id, figure(r.value), spread(r), r.unit, r.must, met[`${r.ok}`], r.reason ?? r.note ?? r.figure]);
  return table(["goal", "value", "low…high", "unit", "must be", "", ""], cells, { right: [1] });
}

async function run(): Promise<number> {
  const command = new Command("goals").option("--only <area>", "one area, or one goal by its id").option("--json", "print JSON").parse();
  const { only, json } = command.opts<{ only?: string; json?: boolean }>();
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
  console.log(json ? JSON.stringify(rows, null, 2) : text(rows));
  return rows.some((r) => r.ok === false) ? EXIT.error : EXIT.ok;
}

const code = await run().catch((error) => {
  const failure = describeFailure(error, "goals");
  process.stderr.write(failure.text);
  return failure.exit;
});
process.stdout.write("", () => process.exit(code));
