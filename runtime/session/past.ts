// What a session remembers of the text it has fed, and how it goes back in it. Caches by position keep every token; a recurrent model keeps
// a digest of the text and the states of a little while ago, so that a text without end takes no memory.
import type { Engine } from "./engine.ts";

export interface Past {
  /** Tokens of the text so far. */
  readonly length: number;
  /** Can it go on although another text is in the engine? */
  readonly kept: boolean;
  /** Makes the engine's caches this text's; nothing is left of it if it was not kept. */
  enter(): void;
  /** Another text takes the caches over. */
  leave(): void;
  /** How many of the first tokens of another text need not be fed again; at least one always is, as its logits are wanted. */
  shared(tokens: Uint32Array): number;
  /** Goes back to the first `length` tokens, which `shared` has allowed; to 0 always. */
  cut(length: number): void;
  /** Called before a piece is fed, and `push` behind it. */
  before(piece: Uint32Array): void;
  push(piece: Uint32Array): void;
  /** Goes through the last tokens again, at least those from `start` on, until `look` tells to stop; then back to before `start`. */
  retrace(start: number, look: (token: Uint32Array, pos: number) => Promise<boolean>): Promise<void>;
}

export const pastOf = (engine: Engine): Past => (engine.recurrent ? new RecurrentPast(engine) : new PositionalPast(engine));

/** Every token, as caches by position can go back to any of them. */
export class PositionalPast implements Past {
  private readonly tokens: number[] = [];

  constructor(private readonly engine: Engine) {}

  get length(): number {
    return this.tokens.length;
  }

  get kept(): boolean {
    return this.tokens.length === 0;
  }

  enter(): void {
    this.tokens.length = 0;
  }

  leave(): void {}

  shared(tokens: Uint32Array): number {
    const most = Math.min(this.tokens.length, tokens.length - 1);
    let i = 0;
    while (i < most && this.tokens[i] === tokens[i]) i++;
    return this.engine.resume(i);
  }

  cut(length: number): void {
    this.tokens.length = length;
  }

  before(): void {}

  push(piece: Uint32Array): void {
    for (const t of piece) this.tokens.push(t);
  }

  async retrace(start: number, look: (token: Uint32Array, pos: number) => Promise<boolean>): Promise<void> {
    const tokens = Uint32Array.from(this.tokens);
    for (let pos = start; pos < tokens.length && !(await look(tokens.subarray(pos, pos + 1), pos)); pos++);
    this.cut(start);
  }
}

/** Tokens behind the kept states, unless the engine's steps are longer. */
const TRAIL = 64;

/** A text of which only its states are kept. */
export class RecurrentPast implements Past {
  /** The states while another text is in the engine. */
  private away: Uint8Array | undefined;
  private count = 0;
  private digest: Digest = START;
  /** As they stood before the tokens of the trail; no states at the beginning of a text. */
  private since: { states: Uint8Array | undefined; digest: Digest } = { states: undefined, digest: START };
  private readonly trail: Uint32Array;
  private trailing = 0;

  constructor(private readonly engine: Engine) {
    this.trail = new Uint32Array(Math.max(TRAIL, engine.options.batch));
  }

  get length(): number {
    return this.count;
  }

  get kept(): boolean {
    return this.count === 0 || this.away !== undefined;
  }

  enter(): void {
    const { away, count, digest } = this;
    this.become(undefined, away ? count : 0, away ? digest : START);
    if (!away) return;
    this.engine.putStates(away, count);
    this.since = { states: away, digest };
  }

  leave(): void {
    this.away = this.count > 0 && this.stands() ? this.engine.copyStates() : undefined;
  }

  shared(tokens: Uint32Array): number {
    if (this.count === 0 || tokens.length <= this.count || !this.stands()) return 0;
    const [a, b] = digestOf(START, tokens.subarray(0, this.count));
    return a === this.digest[0] && b === this.digest[1] ? this.count : 0;
  }

  cut(length: number): void {
    if (length !== this.count) this.become(undefined, 0, START);
  }

  before(piece: Uint32Array): void {
    if (this.trailing + piece.length <= this.trail.length) return;
    this.since = { states: this.engine.copyStates(this.since.states), digest: this.digest };
    this.trailing = 0;
  }

  push(piece: Uint32Array): void {
    this.trail.set(piece, this.trailing);
    this.trailing += piece.length;
    this.count += piece.length;
    this.digest = digestOf(this.digest, piece);
  }

  async retrace(start: number, look: (token: Uint32Array, pos: number) => Promise<boolean>): Promise<void> {
    const from = this.count - this.trailing;
    const tokens = this.trail.slice(0, this.trailing);
    this.rewind(from);
    for (let i = 0; i < tokens.length && !(await look(tokens.subarray(i, i + 1), from + i)); i++);
    this.rewind(from);
    const before = tokens.subarray(0, start - from);
    for (let i = 0; i < before.length; i++) await this.engine.run("decode", before.subarray(i, i + 1), from + i);
    // What was sound when it was fed and is not now has met other weights: nothing is left to stand on.
    if (before.length > 0 && this.engine.findDamage(this.engine.copyStates())) return this.cut(0);
    this.count = start;
    this.trailing = before.length;
    this.digest = digestOf(this.since.digest, before);
  }

  get hash(): Digest {
    return this.digest;
  }

  /** The states as they are now, wherever they stand; undefined at the beginning of a text. */
  copy(): Uint8Array | undefined {
    return this.away?.slice() ?? (this.count > 0 ? this.engine.copyStates() : undefined);
  }

  /** Becomes a text of `tokens` tokens whose states come into the engine when it is entered. */
  become(states: Uint8Array | undefined, tokens: number, digest: Digest): void {
    this.away = states;
    this.count = tokens;
    this.digest = digest;
    this.since = { states: undefined, digest: START };
    this.trailing = 0;
  }

  /** Do the engine's states stand where this text ends? Not if a step of it failed. */
  private stands(): boolean {
    return this.engine.resume(this.count) === this.count;
  }

  private rewind(from: number): void {
    if (this.since.states) this.engine.putStates(this.since.states, from);
  }
}

/** Two running 32-bit hashes of a text: one that is fed again is recognised by them. */
export type Digest = readonly [number, number];

const START: Digest = [0x9747b28c, 0x3c6ef372];

function digestOf([a, b]: Digest, tokens: Uint32Array): Digest {
  for (const t of tokens) {
    a = mixed(a, Math.imul(t + 1, 0x85ebca6b));
    b = mixed(b, Math.imul(t + 1, 0xc2b2ae35));
  }
  return [a >>> 0, b >>> 0];
}

function mixed(h: number, k: number): number {
  const x = Math.imul(h ^ (k ^ (k >>> 15)), 0x2c1b3c6d);
  return (Math.imul((x << 13) | (x >>> 19), 5) + 0x6b64e654) | 0;
}
