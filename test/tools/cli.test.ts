// The frame of the command line, in process, with a made-up verb: options, answers, failures and exit codes.
import { expect, test } from "vitest";
import { SkintError, throwIfAborted } from "../../runtime/errors.ts";
import type { Context, Io } from "../../tools/cli/context.ts";
import { main } from "../../tools/cli/program.ts";
import { whole } from "../../tools/cli/values.ts";
import type { Args, Verb } from "../../tools/verb.ts";
import { captureIo } from "./io.ts";

const verbWith = (run: Verb["run"]): Verb => ({
  name: "try",
  summary: "try it",
  description: "Tries it.",
  example: "skint try model.skint --count 3",
  arguments: [
    { name: "<model>", description: "a model" },
    { name: "[text]", description: "a text" },
  ],
  options: [
    { flags: "-c, --count <n>", description: "how many", default: 1, parse: whole("--count", { min: 1, max: 9 }) },
    { flags: "--no-cache", description: "without cache" },
    { flags: "--scheme <name>", description: "how", choices: ["q8", "q4g32"] },
  ],
  run,
});

async function call(argv: string[], run: Verb["run"], over: Partial<Io> = {}) {
  const io = captureIo(over);
  const exit = await main(argv, [verbWith(run)], io, "0.0.0");
  return { exit, out: io.stdout, err: io.stderr };
}

const fails = (error: unknown) => async () => {
  throw error;
};

test("arguments and options arrive", async () => {
  let seen: Args | undefined;
  const run = async (args: Args, context: Context) => {
    seen = args;
    context.answer({ count: args.options.count }, () => `counted ${args.options.count}`);
    return 0;
  };
  expect(await call(["try", "m.skint", "--count", "3", "--no-cache", "--scheme", "q8"], run)).toEqual({ exit: 0, out: "counted 3\n", err: "" });
  expect(seen?.positional).toEqual(["m.skint", undefined]);
  expect(seen?.options).toMatchObject({ count: 3, cache: false, scheme: "q8" });
  expect(await call(["try", "m.skint", "--json"], run)).toEqual({ exit: 0, out: `{"count":1}\n`, err: "" });
});

test("wrong use ends with 2 and says what is right", async () => {
  const never = fails(new Error("ran"));
  for (const argv of [["nope"], ["try"], ["try", "m", "--nope"], ["try", "m", "--scheme", "q5"], ["try", "m", "--count", "10"], []]) {
    const { exit, out, err } = await call(argv, never);
    expect({ argv, exit, out }).toEqual({ argv, exit: 2, out: "" });
    expect(err).not.toBe("");
  }
  expect((await call(["try", "m", "--count", "ten"], never)).err).toContain(`--count is "ten"; give a whole number from 1 to 9`);
  const json = await call(["try", "--json"], never);
  expect(json).toMatchObject({ exit: 2, err: "" });
  expect(JSON.parse(json.out).error.code).toBe("usage");
});

test("a failure tells code, message and place", async () => {
  const error = new SkintError("format.truncated", "x ends early; fetch it again", { what: "x", offset: 12 });
  const human = await call(["try", "m"], fails(error));
  expect(human).toEqual({ exit: 1, out: "", err: "skint: x ends early; fetch it again\n  format.truncated: a file ends before the bytes its header promises (x, byte 12)\n" });
  const json = await call(["try", "m", "--json"], fails(error));
  expect(json).toMatchObject({ exit: 1, err: "" });
  expect(JSON.parse(json.out)).toEqual({ error: { code: "format.truncated", message: "x ends early; fetch it again", place: { what: "x", offset: 12 } } });
});

test("exit codes", async () => {
  const exitOf = async (error: unknown) => (await call(["try", "m"], fails(error))).exit;
  expect(await exitOf(new SkintError("file.missing", "x"))).toBe(3);
  expect(await exitOf(new SkintError("device.unavailable", "x"))).toBe(3);
  expect(await exitOf(new SkintError("usage", "x"))).toBe(2);
  expect(await exitOf(new SkintError("aborted", "x"))).toBe(130);
  expect(await exitOf(new DOMException("stop", "AbortError"))).toBe(130);
  expect(await exitOf(Object.assign(new Error("ENOENT"), { code: "ENOENT", path: "m" }))).toBe(3);
  expect(await exitOf(Object.assign(new Error("EACCES"), { code: "EACCES", path: "m" }))).toBe(1);
  expect((await call(["try", "m"], async () => 3)).exit).toBe(3);
});

test("an unexpected error is called a bug and shows its stack", async () => {
  const { exit, err } = await call(["try", "m"], fails(new TypeError("x is undefined")));
  expect(exit).toBe(1);
  expect(err).toMatch(/this is a bug in Skint/);
  expect(err).toContain("cli.test.ts");
  expect(JSON.parse((await call(["try", "m", "--json"], fails(new TypeError("x")))).out).error).toMatchObject({ code: "bug", message: "x" });
});

test("a verb that ends in peace after Ctrl-C still exits with 130", async () => {
  const io = captureIo();
  const run = async (_args: Args, { signal }: Context) => {
    io.stop.abort();
    return signal.aborted ? 0 : 1;
  };
  expect(await main(["try", "m"], [verbWith(run)], io, "0.0.0")).toBe(130);
  expect(() => throwIfAborted(io.signal, "the work")).toThrow(SkintError);
});

test("colour follows the terminal, NO_COLOR and --json", async () => {
  const run = async (_args: Args, { colour, out }: Context) => {
    out(colour.red("x"));
    return 0;
  };
  const plain = async (argv: string[], over: Partial<Io>) => (await call(["try", "m", ...argv], run, over)).out === "x";
  expect(await plain([], { outIsTerminal: true })).toBe(false);
  expect(await plain([], { outIsTerminal: true, env: { NO_COLOR: "1" } })).toBe(true);
  expect(await plain([], { env: { FORCE_COLOR: "1" } })).toBe(false);
  expect(await plain([], {})).toBe(true);
  expect(await plain(["--json"], { outIsTerminal: true })).toBe(true);
});

test("progress goes to stderr: a line on a terminal, JSON when asked, else nothing", async () => {
  const run = async (_args: Args, context: Context) => {
    const p = context.progress("reading m", "bytes", 100);
    p.update(50);
    p.end();
    return 0;
  };
  expect((await call(["try", "m"], run)).err).toBe("");
  expect((await call(["try", "m"], run, { errIsTerminal: true })).err).toContain("reading m: 0 B of 100 B, 0%");
  expect((await call(["try", "m", "--progress", "off"], run, { errIsTerminal: true })).err).toBe("");
  const lines = (await call(["try", "m", "--progress", "json"], run)).err.trim().split("\n");
  expect(lines.map((l) => JSON.parse(l)).at(-1)).toMatchObject({ progress: "reading m", done: 50, total: 100, unit: "bytes", ended: true });
});
