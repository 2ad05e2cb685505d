// Tables of BENCHMARKS.md out of records. A table stands between `<!-- table NAME: COMMAND -->` and `<!-- end -->`; what is between them is made anew
// of the records given for NAME, the rest of the page is left alone. Each table says its command, machine, engine and date; ratios come first.
import { SkintError } from "../../../runtime/errors.ts";
import type { Interval } from "../../../runtime/stats/bootstrap.ts";
import { field, fields, given, list, number, text } from "../../../runtime/stats/fields.ts";
import { type Figure, type Origin, originOf, type ResultRecord, validateRecord } from "../../../runtime/stats/record.ts";
import { fastest, type Row, ratio } from "../../../test/peers/contest.ts";
import { isPeer } from "../../../test/peers/entrants.ts";
import type { GoalRow } from "../../goals/goal.ts";
import { type KernelRecord, type KernelRun, validateKernelRecord } from "../kernels/record.ts";
import { type ProfileRow, profileOf, profilePicture, profileTables } from "./profile.ts";

/** One file of records, as one `--json` wrote it. */
type Drawn =
  | { readonly kind: "kernels"; readonly record: KernelRecord }
  | { readonly kind: "model"; readonly record: ResultRecord }
  | { readonly kind: "goals"; readonly record: Origin & { readonly rows: readonly GoalRow[] } }
  | { readonly kind: "eval"; readonly record: Origin & { readonly rows: readonly EvalRow[] } }
  | { readonly kind: "profile"; readonly record: Origin & ProfileRow }
  | { readonly kind: "peers"; readonly record: Origin & { readonly rows: readonly Row[] } };

const cells = (row: readonly string[]) => `| ${row.join(" | ")} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]) => [cells(head), `|${head.map(() => "---|").join("")}`, ...rows.map(cells)].join("\n");
const short = (v: number) => (v >= 1000 ? v.toFixed(0) : v.toPrecision(3));
const spread = ({ low, high }: { low: number; high: number }) => `[${short(low)} … ${short(high)}]`;
const withSpread = (v: number, i: { low: number; high: number }) => `${short(v)} ${spread(i)}`;
const fine = (i: Interval) => `${i.value.toFixed(4)} [${i.low.toFixed(4)} … ${i.high.toFixed(4)}]`;
const shareOf = (i: Interval) => `${i.value.toFixed(2)} [${i.low.toFixed(2)} … ${i.high.toFixed(2)}]`;

const machineOf = ({ machine, date }: Origin) => `${machine.board ?? machine.cpu}, ${machine.cores} cores, ${machine.os}; ${date.slice(0, 10)}`;
const engineOf = ({ engine }: Origin) => `${engine.name} ${engine.version}`;

function kernelTable({ shape, build, threads, limits, kernels, verdict }: KernelRun): string {
  const most = limits.map((l) => `${l.name} ${short(l.rate.value)} ${l.unit}`).join(", ");
  const unsteady = verdict.verdict === "steady" ? "" : ` The clock ${verdict.verdict}: ${verdict.reason}.`;
  const about = `${shape.name}: W ${shape.n} × ${shape.k}, build ${build}, ${threads} ${threads === 1 ? "thread" : "threads"}. Limits: ${most}.${unsteady}`;
  const head = ["kernel", "tokens", "W", ...limits.map((l) => `of ${l.name}`), "GMAC/s", "GB/s of W"];
  const rows = kernels.map((k) => [
    `\`${k.kernel}\``,
    String(k.tokens),
    k.state,
    ...limits.map((l) => (l.unit === "GB/s" && k.tokens > 1 ? "" : shareOf(k.of[l.name]))),
    withSpread(k.rate.value, k.rate),
    short((k.rate.value * k.bytes) / k.macs),
  ]);
  return `${about}\n\n${table(head, rows)}`;
}

function modelTable(records: readonly ResultRecord[]): string {
  const of = (r: ResultRecord, id: string, show: (f: Figure) => string) => {
    const figure = r.figures.find((f) => f.id === id);
    return figure ? show(figure) : "";
  };
  const median = (f: Figure) => withSpread(f.median, f);
  const head = ["engine", "build", "model", "decode, tokens/s", "decode step p95, ms", "prefill, tokens/s", "first token, ms", ""];
  const rows = records.map((r) => [
    engineOf(r),
    `${r.builds.join(" ")}, ${r.threads} ${r.threads === 1 ? "thread" : "threads"}`,
    `${r.model.name}, ${r.recipe}`,
    of(r, "decode.rate", median),
    of(r, "decode.step", (f) => short(f.p95)),
    of(r, "prefill.rate", median),
    of(r, "first_token", median),
    r.verdict.verdict === "steady" ? "steady" : `${r.verdict.verdict}: no headline`,
  ]);
  return table(head, rows);
}

function peersTable({ rows }: { readonly rows: readonly Row[] }): string {
  const same = (a: Row, b: Row) => a.contest === b.contest && a.figure === b.figure;
  const against = (row: Row) => {
    const best = fastest(rows.filter((other) => same(row, other) && isPeer({ id: other.entrant })));
    return !best || isPeer({ id: row.entrant }) ? "" : shareOf(ratio(row, best));
  };
  return table(
    ["contest", "work", "player", "to the fastest peer", "tokens/s"],
    rows.map((row) => [row.contest, row.figure, row.entrant, against(row), withSpread(row.median, row)]),
  );
}

/** A compressed model as `skint eval --speed --json` tells it. */
interface EvalRow {
  /** As it was called. */
  readonly model: string;
  readonly recipe: string;
  readonly bytes: number;
  readonly bitsPerByte: number;
  readonly low: number;
  readonly high: number;
  readonly rate?: { readonly median: number; readonly low: number; readonly high: number };
  /** Bits over those of the first model, on the same tokens. */
  readonly ratio?: Interval;
}

function evalTable({ rows }: { readonly rows: readonly EvalRow[] }): string {
  const quality = ({ bitsPerByte: value, low, high }: EvalRow) => fine({ value, low, high });
  return table(
    ["model", "recipe", "bits to the first", "file, MB", "bits per byte of text", "decode, tokens/s"],
    rows.map((r) => [r.model, `\`${r.recipe}\``, r.ratio ? fine(r.ratio) : "", (r.bytes / 1e6).toFixed(3), quality(r), r.rate ? withSpread(r.rate.median, r.rate) : ""]),
  );
}

function evalRow(item: unknown, path: string): EvalRow {
  const from = fields(item, path);
  const at = `${path}.`;
  const [bytes, bitsPerByte, low, high] = ["bytes", "bitsPerByte", "low", "high"].map((key) => number(from, key, at));
  const rate = given(from, "rate", () => {
    const [median, low, high] = ["median", "low", "high"].map((key) => number(fields(field(from, "rate"), `${at}rate`), key, `${at}rate.`));
    return { median, low, high };
  });
  const [model, recipe] = ["model", "recipe"].map((key) => text(from, key, at));
  return { model, recipe, bytes, bitsPerByte, low, high, rate };
}

/** Rows of the models, and how each stands to the first where there are several. */
function evalRows(from: ReturnType<typeof fields>): EvalRow[] {
  const ratios = (given(from, "differences", () => list(from, "differences", "")) ?? []).map((d, i) => {
    const at = `differences[${i}].ratioInterval`;
    const interval = fields(field(fields(d, `differences[${i}]`), "ratioInterval"), at);
    const [value, low, high] = ["value", "low", "high"].map((key) => number(interval, key, `${at}.`));
    return { value, low, high };
  });
  return list(from, "results", "").map((r, i) => ({ ...evalRow(r, `results[${i}]`), ratio: ratios[i - 1] }));
}

const MET = { true: "met", false: "**missed**", null: "" };

function goalsTable({ rows }: { readonly rows: readonly GoalRow[] }): string {
  const value = ({ value, low, high }: GoalRow) => (value === null ? "" : low === null || high === null ? short(value) : withSpread(value, { low, high }));
  return table(
    ["goal", "value", "must be", "", "what"],
    rows.map((row) => [`\`${row.id}\``, value(row), row.must, MET[`${row.ok}`], [row.figure, row.reason ?? row.note ?? ""].filter(Boolean).join("; ")]),
  );
}

/** What the table shows of a row. */
function goalsRow(item: unknown, path: string): GoalRow {
  const from = fields(item, path);
  const at = `${path}.`;
  const maybe = (key: string) => (field(from, key) === null ? null : number(from, key, at));
  const [id, figure, must] = ["id", "figure", "must"].map((key) => text(from, key, at));
  const [reason, note] = ["reason", "note"].map((key) => given(from, key, () => text(from, key, at)));
  return { ...(item as GoalRow), id, figure, must, reason, note, value: maybe("value"), low: maybe("low"), high: maybe("high") };
}

function peersRow(value: unknown, path: string): Row {
  const from = fields(value, path);
  const at = `${path}.`;
  const rates = list(from, "rates", at).map((rate, i) => number({ rate }, "rate", `${at}rates[${i}].`));
  const [median, low, high] = ["median", "low", "high"].map((key) => number(from, key, at));
  return { ...(value as Row), contest: text(from, "contest", at), entrant: text(from, "entrant", at), figure: text(from, "figure", at), rates, median, low, high };
}

/** Which kind of record a value is. Throws `format.header`, `format.version`. */
export function drawnFrom(value: unknown): Drawn {
  const from = fields(value, "the record");
  if (field(from, "kind") === "kernels") return { kind: "kernels", record: validateKernelRecord(value) };
  const origin = () => originOf({ ...from, features: [] });
  if (field(from, "kind") === "goals") return { kind: "goals", record: { ...origin(), rows: list(from, "rows", "").map((r, i) => goalsRow(r, `rows[${i}]`)) } };
  if (field(from, "kind") === "eval") return { kind: "eval", record: { ...origin(), rows: evalRows(from) } };
  if (field(from, "kind") === "profile") return { kind: "profile", record: { ...origin(), ...profileOf(from) } };
  if (field(from, "figures") !== undefined) return { kind: "model", record: validateRecord(value) };
  const rows = list(from, "rows", "").map((r, i) => peersRow(r, `rows[${i}]`));
  return { kind: "peers", record: { ...origin(), rows } };
}

/** Where the picture of a record lies, by the table's name and the record's place in it. */
const pictureAt = (name: string, i: number) => `docs/charts/${name}${i ? `-${i + 1}` : ""}.svg`;

function tablesOf(d: Exclude<Drawn, { kind: "model" }>, name: string, i: number): string[] {
  if (d.kind === "kernels") return d.record.runs.map(kernelTable);
  if (d.kind === "profile") return profileTables(d.record, table, pictureAt(name, i));
  if (d.kind === "eval") return [evalTable(d.record)];
  return [d.kind === "goals" ? goalsTable(d.record) : peersTable(d.record)];
}

/** The tables of one place in the page, for records in the order given. */
export function render(name: string, command: string, drawn: readonly Drawn[]): string {
  const models = drawn.flatMap((d) => (d.kind === "model" ? [d.record] : []));
  const parts = drawn.flatMap((d, i) => (d.kind === "model" ? [] : [`${engineOf(d.record)} on ${machineOf(d.record)}.`, ...tablesOf(d, name, i)]));
  const machines = [...new Set(models.map(machineOf))].map((m) => `On ${m}.`);
  return [`\`${command}\``, ...(models.length ? [...machines, modelTable(models)] : []), ...parts].join("\n\n");
}

/** Pictures that the tables show, SVG by path. */
export function picturesOf(records: ReadonlyMap<string, readonly Drawn[]>): Map<string, string> {
  const all = [...records].flatMap(([name, drawn]) => drawn.map((d, i) => [pictureAt(name, i), d.kind === "profile" ? profilePicture(d.record) : undefined] as const));
  return new Map(all.filter((p): p is readonly [string, string] => p[1] !== undefined));
}

const PLACE = /<!-- table ([\w-]+): (.+?) -->\n[\s\S]*?<!-- end -->/g;

/** The page with the tables of `records` (by name) made anew. Throws `usage` if a name has no place. */
export function renderPage(page: string, records: ReadonlyMap<string, readonly Drawn[]>): string {
  const places = [...page.matchAll(PLACE)].map((m) => m[1]);
  for (const name of records.keys())
    if (!places.includes(name)) throw new SkintError("usage", `the page has no table ${name}; it has ${places.join(", ") || "none"}`, { what: name });
  return page.replace(PLACE, (old, name: string, command: string) => {
    const drawn = records.get(name);
    return drawn ? `<!-- table ${name}: ${command} -->\n\n${render(name, command, drawn)}\n\n<!-- end -->` : old;
  });
}
