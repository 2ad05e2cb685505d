// The command line as commander sees it: one subcommand a verb, the same two options and an example in each.
import { Argument, Command, CommanderError, Option } from "commander";
import { SkintError } from "../../runtime/errors.ts";
import type { Verb, VerbOption } from "../verb.ts";
import { type ContextOptions, createContext, type Io } from "./context.ts";
import { describeFailure, EXIT } from "./errors.ts";

const ABOUT = "Runs compressed models on devices with next to nothing to spend.";

const indent = (text: string) =>
  text
    .trim()
    .split("\n")
    .map((l) => `  ${l}`)
    .join("\n");

function option({ flags, description, default: value, choices, parse }: VerbOption): Option {
  const o = new Option(flags, description);
  if (value !== undefined) o.default(value);
  if (choices) o.choices(choices);
  if (parse) o.argParser(parse);
  return o;
}

function addVerb(program: Command, verb: Verb, io: Io, done: (code: number) => void): void {
  const command = program.command(verb.name).summary(verb.summary).description(verb.description);
  for (const a of verb.arguments ?? []) command.addArgument(new Argument(a.name, a.description));
  for (const o of verb.options ?? []) command.addOption(option(o));
  command.option("--json", "answer with one line of JSON");
  command.addOption(new Option("--progress <how>", "how to show progress on stderr").choices(["auto", "json", "off"]).default("auto"));
  command.addHelpText("after", `\nExample:\n${indent(verb.example)}`);
  command.enablePositionalOptions();
  for (const inner of verb.verbs ?? []) addVerb(command, inner, io, done);
  command.action(async (...given: unknown[]) => {
    const options = given.at(-2) as ContextOptions & Record<string, unknown>;
    const context = createContext(io, { json: options.json === true, progress: options.progress });
    done(await verb.run({ positional: given.slice(0, -2) as string[], options }, context));
  });
}

const misuse = (e: CommanderError) => new SkintError("usage", `${e.message.replace(/^error: /, "").replace("(outputHelp)", "no verb was given")}; see skint --help`);

/** Runs one command line (without `node` and the script) and returns the exit code. Never throws. */
export async function main(argv: readonly string[], verbs: readonly Verb[], io: Io, version: string): Promise<number> {
  let exit: number = EXIT.ok;
  const json = argv.includes("--json");
  const program = new Command("skint").description(ABOUT).version(version, "-v, --version", "print the version");
  // Options behind the name of a verb are that verb's, though its outer verb may have options of the same name.
  program.enablePositionalOptions().helpCommand(false).exitOverride().showHelpAfterError("(try --help)");
  program.configureOutput({ writeOut: io.out, writeErr: json ? () => {} : io.err, getOutHelpWidth: () => 100, getErrHelpWidth: () => 100 });
  program.addHelpText("after", "\nEvery verb explains itself: skint <verb> --help");
  for (const verb of verbs) addVerb(program, verb, io, (code) => (exit = code));
  try {
    await program.parseAsync([...argv], { from: "user" });
    return io.signal.aborted ? EXIT.aborted : exit;
  } catch (error) {
    if (error instanceof CommanderError && (error.exitCode === 0 || !json)) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const failure = describeFailure(error instanceof CommanderError ? misuse(error) : error, version);
    if (json) io.out(failure.json);
    else io.err(failure.text);
    return failure.exit;
  }
}
