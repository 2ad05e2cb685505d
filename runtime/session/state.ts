// The state of a recurrent model as a user holds it: all that the model remembers of a text, of one size however long the text is. Saved, it is
// a safetensors file with the states as they lie in memory (U8) and, in `__metadata__`: format, version, the model's name, recipe and SHA-256,
// number and hash of the tokens, SHA-256 of the data.
import { SkintError } from "../errors.ts";
import { readHeader, type SafetensorsHeader } from "../formats/safetensors/header.ts";
import { layoutSafetensors } from "../formats/safetensors/writer.ts";
import type { HasherFactory } from "../io/hash.ts";
import { memorySource } from "../io/source.ts";
import type { Engine } from "./engine.ts";
import { type Digest, RecurrentPast } from "./past.ts";

const FORMAT = "skint.state";
const VERSION = "1";

/** The model that a state belongs to. */
export interface Identity {
  readonly name: string;
  readonly recipe: string;
  /** SHA-256 of its file. */
  readonly hash: string;
}

export interface StateOptions {
  readonly engine: Engine;
  readonly model: Identity;
  readonly sha256: HasherFactory;
}

/** What a session can do with its state. Models that keep keys and values by position have none: every call throws `session.state`. */
export interface SessionState<S> {
  /** The state behind the last token that was fed, as a file's bytes. */
  save(): Uint8Array;
  /**
   * Goes on from a saved state: what was fed before is forgotten. Throws `format.*` for a damaged file, `format.version`, and `session.state`
   * for a state of another model, or of another precision of this one; the session is then as it was.
   */
  load(bytes: Uint8Array): Promise<void>;
  /** A second session that goes on from the same state. */
  fork(): S;
  /** What each int8 scan has clamped since the text began: a count that grows fast tells of a text unlike that of calibration. */
  saturations(): Saturation[];
}

export interface Saturation {
  readonly scan: string;
  /** Codes of the scan's input, steps and gate at an end of their range. */
  readonly inputs: number;
  /** States that were beyond theirs. */
  readonly states: number;
}

/** The session whose state it is. */
export interface StateOwner<S> {
  /** Another session of the same model with this text. */
  renew(text: RecurrentPast): S;
  /** The text has become another. */
  changed(): void;
}

export function stateOf<S>(o: StateOptions, past: object, owner: StateOwner<S>): SessionState<S> {
  const text = () => {
    if (past instanceof RecurrentPast) return past;
    throw new SkintError("session.state", `${o.model.name} keeps keys and values by position and has no state of its own; keep its text instead, and feed that again`, {
      what: o.model.name,
    });
  };
  return {
    save: () => write(o, text()),
    load: (bytes) => read(o, bytes, text()).then(() => owner.changed()),
    fork() {
      const from = text();
      const to = new RecurrentPast(o.engine);
      to.become(from.copy(), from.length, from.hash);
      return owner.renew(to);
    },
    saturations: () => saturationsOf(o.engine, text()),
  };
}

const digestOf = (sha256: HasherFactory, bytes: Uint8Array) => {
  const hash = sha256();
  hash.update(bytes);
  return hash.digest();
};

function write({ engine, model, sha256 }: StateOptions, past: RecurrentPast): Uint8Array {
  const states = past.copy() ?? new Uint8Array(engine.stateBytes);
  const metadata = {
    format: FORMAT,
    version: VERSION,
    model: model.hash,
    name: model.name,
    recipe: model.recipe,
    tokens: String(past.length),
    hash: JSON.stringify(past.hash),
    sha256: digestOf(sha256, states),
  };
  const tensors = engine.states.map((s) => ({ name: s.name, dtype: "U8" as const, shape: [s.bytes.length] }));
  const { head } = layoutSafetensors(tensors, new Map(Object.entries(metadata)));
  const file = new Uint8Array(head.length + states.length);
  file.set(head);
  file.set(states, head.length);
  return file;
}

async function read(o: StateOptions, file: Uint8Array, past: RecurrentPast): Promise<void> {
  const header = await readHeader(memorySource(file, "the state"));
  checkOrigin(header, o.model);
  checkStates(header, o.engine);
  const tokens = Number(header.metadata.get("tokens"));
  const hash = parseHash(header.metadata.get("hash"));
  const context = o.engine.options.context;
  if (!hash || !Number.isInteger(tokens) || tokens < 0) throw malformed("tokens or hash are not what a state has");
  if (tokens > context) throw new SkintError("session.context", `the state stands behind ${tokens} tokens, the context is ${context}; load the model with a longer one`);
  // A copy of its own: a Buffer's slice would be a view.
  const states = Uint8Array.from(file.subarray(header.dataOffset));
  if (digestOf(o.sha256, states) !== header.metadata.get("sha256"))
    throw new SkintError("format.hash", "the state's bytes do not hash to what its header says: it was damaged; save it again", { what: "state" });
  const damaged = o.engine.findDamage(states);
  if (damaged) throw new SkintError("session.state", `the state of ${damaged} holds numbers that are not finite; save it again`, { what: damaged });
  o.engine.take(undefined);
  past.become(tokens > 0 ? states : undefined, tokens, hash);
}

function saturationsOf(engine: Engine, past: RecurrentPast): Saturation[] {
  const copy = past.copy() ?? new Uint8Array(engine.stateBytes);
  const found: Saturation[] = [];
  let at = 0;
  for (const { name, format, bytes } of engine.states) {
    const part = copy.slice(at, at + bytes.length);
    at += bytes.length;
    if (!format.startsWith("saturations")) continue;
    const counts = new Uint32Array(part.buffer);
    const sum = (from: number, to: number) => counts.subarray(from, to).reduce((a, b) => a + b, 0);
    const channels = counts.length / 2;
    found.push({ scan: name.slice(0, name.lastIndexOf(".")), inputs: sum(0, channels), states: sum(channels, 2 * channels) });
  }
  return found;
}

const malformed = (why: string) => new SkintError("format.header", `the state's header is malformed: ${why}; save it again`, { what: "state" });

function checkOrigin({ metadata }: SafetensorsHeader, model: Identity): void {
  if (metadata.get("format") !== FORMAT) throw malformed(`its format is ${JSON.stringify(metadata.get("format") ?? null)}, not ${FORMAT}`);
  const version = metadata.get("version");
  if (version !== VERSION)
    throw new SkintError("format.version", `the state is of version ${version}, this build knows ${VERSION}; take the Skint that saved it, or feed the text again`, {
      what: "state",
    });
  if (metadata.get("model") === model.hash) return;
  const named = (name?: string, recipe?: string) => `${name} (recipe ${recipe})`;
  throw new SkintError(
    "session.state",
    `the state was saved by ${named(metadata.get("name"), metadata.get("recipe"))} and does not fit ${named(model.name, model.recipe)}: another model, or another precision of it; load that model, or feed the text again`,
    { what: metadata.get("name") },
  );
}

/** The states must be the model's own, in order, and nothing else. */
function checkStates({ tensors }: SafetensorsHeader, engine: Engine): void {
  const { states } = engine;
  const given = [...tensors.values()].sort((a, b) => a.begin - b.begin);
  const fits = given.length === states.length && states.every((s, i) => given[i].name === s.name && given[i].bytes === s.bytes.length);
  if (!fits)
    throw new SkintError("format.shape", `the state holds ${given.length} tensors that are not those of the model, which has ${states.length}; save it again`, { what: "state" });
}

function parseHash(text: string | undefined): Digest | undefined {
  const m = /^\[(\d{1,10}),(\d{1,10})\]$/.exec(text ?? "");
  return m ? [Number(m[1]) >>> 0, Number(m[2]) >>> 0] : undefined;
}
