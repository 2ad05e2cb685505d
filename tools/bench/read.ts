// Reads a record that `--json` wrote.
import { readFileSync } from "node:fs";
import { SkintError } from "../../runtime/errors.ts";

/** Throws `file.missing`, `file.unreadable`, or what `validate` throws. */
export function readRecord<T>(path: string, validate: (value: unknown) => T): T {
  try {
    return validate(JSON.parse(readFileSync(path, "utf8")));
  } catch (e) {
    if (e instanceof SkintError) throw e;
    if ((e as NodeJS.ErrnoException).code === "ENOENT")
      throw new SkintError("file.missing", `there is no record ${path}; write one with skint bench --json`, { what: path }, { cause: e });
    throw new SkintError("file.unreadable", `the record ${path} cannot be read; give a file written by skint bench --json`, { what: path }, { cause: e });
  }
}
