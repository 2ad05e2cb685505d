// A player is one engine with its model loaded, idle until it is asked to play. One that runs in a process of its own speaks by lines: it says what it
// is once ({"engine": …}), and answers each line "<prompt> <decode>" by {"prefillMs": …, "decodeMs": …}; at the end of stdin it leaves.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { SkintError } from "../../../runtime/errors.ts";

/** Tokens that are read at once as a new text, then steps of greedy decoding. */
export interface Work {
  readonly prompt: number;
  readonly decode: number;
}

export interface Played {
  /** Milliseconds until the first token was chosen. */
  readonly prefillMs: number;
  /** Milliseconds of all decode steps together, the choice of each next token included. */
  readonly decodeMs: number;
}

export interface Player {
  /** Engine, version and build. */
  readonly engine: string;
  play(work: Work): Promise<Played>;
  close(): Promise<void>;
}

/** How long a player may take to load, or to play once. */
const PATIENCE_MS = 180_000;

/** Token ids of a prompt, the same for every engine: bytes of the synthetic vocabulary, behind its three special tokens. */
export const promptTokens = (length: number): Uint32Array => Uint32Array.from({ length }, (_, i) => 3 + (i % 256));

/** Reads lines of JSON from a process, one for each `next`. */
class Answers {
  private readonly lines: AsyncIterator<string>;
  private errors = "";

  constructor(
    private readonly child: ChildProcess,
    private readonly name: string,
  ) {
    this.lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
    child.stderr?.on("data", (text) => {
      this.errors = `${this.errors}${text}`.slice(-2000);
    });
    child.on("error", (e) => {
      this.errors += e.message;
    });
  }

  async next<T>(): Promise<T> {
    const late = setTimeout(() => {
      this.errors += `no answer for ${PATIENCE_MS / 1000} s; leave the machine to it`;
      this.child.kill("SIGKILL");
    }, PATIENCE_MS);
    try {
      const { value, done } = await this.lines.next();
      if (!done) return JSON.parse(value) as T;
    } finally {
      clearTimeout(late);
    }
    throw new SkintError("session.failed", `${this.name} ended without an answer: ${this.errors.trim() || "it said nothing"}`, { what: this.name });
  }
}

/** Starts a process and waits until it has loaded. */
export async function startProcess(name: string, command: string, args: readonly string[]): Promise<Player> {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
  const gone = new Promise<void>((resolve) => child.once("close", () => resolve()));
  child.stdin.on("error", () => {}); // it has ended: the answer that does not come says so
  const answers = new Answers(child, name);
  const { engine } = await answers.next<{ engine: string }>();
  return {
    engine: engine.trim().replace(/\s+/g, " "),
    play({ prompt, decode }) {
      child.stdin.write(`${prompt} ${decode}\n`);
      return answers.next<Played>();
    },
    async close() {
      child.stdin.end();
      const late = setTimeout(() => child.kill("SIGKILL"), 5000);
      await gone;
      clearTimeout(late);
    },
  };
}

/** A TypeScript file of this folder as a process of the same Node. */
export const startScript = (name: string, script: string, args: readonly string[], flags: readonly string[] = []): Promise<Player> =>
  startProcess(name, process.execPath, [...flags, "tools/dev/ts.mjs", `test/peers/players/${script}`, ...args]);

/** The other end: what such a script does with the lines. */
export async function answerLines(engine: string, play: (work: Work) => Promise<Played>): Promise<void> {
  console.log(JSON.stringify({ engine }));
  for await (const line of createInterface({ input: process.stdin })) {
    const [prompt, decode] = line.split(" ").map(Number);
    console.log(JSON.stringify(await play({ prompt, decode })));
  }
}
