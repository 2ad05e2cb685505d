// The state of a recurrent model in a file: a text that goes on from one run to the next.
import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { SkintError } from "../../runtime/errors.ts";
import type { Session } from "../../runtime/session/session.ts";
import { attempt, createFile } from "../../targets/hosts/node/files.ts";

/** Goes on from the state in a file; a file that is not there is a text that begins. */
export async function resumeState(session: Session, path: string): Promise<void> {
  // A model without a state is to fail before it works, not behind it.
  session.state.save();
  if (!existsSync(path)) return;
  const bytes = attempt(path, "read", () => readFileSync(path));
  try {
    await session.state.load(bytes);
  } catch (e) {
    if (e instanceof SkintError) throw new SkintError(e.code, `${path}: ${e.message}`, { ...e.place, what: e.place.what ?? basename(path) }, { cause: e });
    throw e;
  }
}

/** Leaves the state behind the whole text, `unfed` being its last tokens, in the file. */
export async function saveState(session: Session, unfed: readonly number[], path: string): Promise<void> {
  if (unfed.length > 0) await session.append(Uint32Array.from(unfed));
  const sink = await createFile(path);
  try {
    await sink.write(0, session.state.save());
    await sink.commit();
  } catch (e) {
    await sink.abort();
    throw e;
  }
}
