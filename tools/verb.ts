// What a verb of the command line is. `npm run gen` lists every tools/<verb>/command.ts that exports `verb` (docs/adding-a-verb.md).
import type { Context } from "./cli/context.ts";

export interface VerbArgument {
  /** `<needed>`, `[optional]` or `[many...]`. */
  readonly name: string;
  readonly description: string;
}

export interface VerbOption {
  /** `--long`, `-s, --long <value>`, `--no-long`. The value arrives as `options.long`, dashes in camel case. */
  readonly flags: string;
  readonly description: string;
  readonly default?: string | number | boolean;
  readonly choices?: readonly string[];
  /** Turns the text into the value; throws a SkintError `usage` (tools/cli/values.ts has the common ones). */
  readonly parse?: (text: string) => unknown;
}

export interface Args {
  /** In the order of `arguments`; an optional one that was left out is undefined, a `many...` one is an array. */
  readonly positional: readonly (string | undefined | readonly string[])[];
  /** By option name. Its types are what the verb's own options make of them. */
  // biome-ignore lint/suspicious/noExplicitAny: the verb that declared an option knows its type
  readonly options: Readonly<Record<string, any>>;
}

export interface Verb {
  readonly name: string;
  /** One line for `skint --help`. */
  readonly summary: string;
  /** What it does, in a few sentences, for `skint <verb> --help`. */
  readonly description: string;
  /** Lines that can be typed as they stand. */
  readonly example: string;
  readonly arguments?: readonly VerbArgument[];
  /** Verbs of its own, called as `skint <verb> <name>`. */
  readonly verbs?: readonly Verb[];
  /** `--json` and `--progress` are added to every verb. */
  readonly options?: readonly VerbOption[];
  /** Resolves with the exit code (`EXIT` in tools/cli/errors.ts). Failures are thrown as SkintError. */
  run(args: Args, context: Context): Promise<number>;
}
