// Strict JSON (RFC 8259) for text that came from outside: a scanner that is pulled, so that a header is checked while it is read and
// nothing is built that the limits forbid. Differs from JSON.parse: a key that stands twice is an error, whole numbers keep every digit,
// objects become Maps, lone surrogates are refused, depth and lengths are limited.
import { type ErrorCode, SkintError } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";

export type Json = null | boolean | number | bigint | string | Json[] | JsonMap;
export interface JsonMap extends Map<string, Json> {}

export interface JsonOptions {
  /** Accept NaN, Infinity, -Infinity, as Python writes them into config.json. */
  readonly nonFinite?: boolean;
  /** Byte offset of the text in its file, for messages. */
  readonly offset?: number;
}

const QUOTE = 34;
const BACKSLASH = 92;
const WHOLE = /^[0-9]+$/;
const WHOLE_SIGNED = /^-?[0-9]+$/;
const ESCAPES = new Map([
  ['"', '"'],
  ["\\", "\\"],
  ["/", "/"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
]);

/** Reads a whole text as one value. Whole numbers beyond ±2^53 become bigint. */
export function parseJson(text: string, what: string, options: JsonOptions = {}): Json {
  const json = new JsonScanner(text, what, options);
  const value = json.value();
  json.end();
  return value;
}

/** Checks a whole text as `parseJson` does, and builds nothing. */
export function checkJson(text: string, what: string, options: JsonOptions = {}): void {
  const json = new JsonScanner(text, what, options);
  json.skip();
  json.end();
}

export class JsonScanner {
  private readonly text: string;
  private readonly what: string;
  private readonly options: JsonOptions;
  private readonly number = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
  private at = 0;
  private depth = 0;

  /** @param what file or document, named in every message */
  constructor(text: string, what: string, options: JsonOptions = {}) {
    this.text = text;
    this.what = what;
    this.options = options;
  }

  fail(message: string, code: ErrorCode = "format.header", what = this.what): never {
    const offset = (this.options.offset ?? 0) + new TextEncoder().encode(this.text.slice(0, this.at)).length;
    const about = what === this.what ? "" : ` (${JSON.stringify(what.slice(0, 80))})`;
    throw new SkintError(code, `${this.what}, byte ${offset}: ${message}${about}; the file is damaged or hostile: fetch or write it again`, { what, offset });
  }

  /** An object: `member` is called behind each key and must consume its value. */
  object(member: (key: string) => void, maxKeys: number = LIMITS.jsonKeys): void {
    if (!this.take("{")) this.fail("an object was expected");
    this.enter();
    const seen = new Set<string>();
    if (!this.take("}")) {
      do {
        this.space();
        const key = this.string(LIMITS.nameLength);
        if (seen.has(key)) this.fail("this key stands twice", "format.duplicate", key);
        if (seen.size === maxKeys) this.fail(`an object has more than ${maxKeys} keys`, "format.limit");
        seen.add(key);
        if (!this.take(":")) this.fail('":" was expected');
        member(key);
      } while (this.take(","));
      if (!this.take("}")) this.fail('"," or "}" was expected');
    }
    this.depth--;
  }

  /** An array: `item` is called before each item and must consume it. */
  array(item: (index: number) => void): void {
    if (!this.take("[")) this.fail("an array was expected");
    this.enter();
    if (!this.take("]")) {
      let index = 0;
      do item(index++);
      while (this.take(","));
      if (!this.take("]")) this.fail('"," or "]" was expected');
    }
    this.depth--;
  }

  string(maxLength: number = LIMITS.jsonStringLength): string {
    this.space();
    if (this.text.charCodeAt(this.at) !== QUOTE) this.fail("a string was expected");
    let from = ++this.at;
    let decoded = "";
    for (;;) {
      const c = this.text.charCodeAt(this.at);
      if (decoded.length + this.at - from > maxLength) this.fail(`a string is longer than ${maxLength}`, "format.limit");
      if (c === QUOTE) break;
      // NaN, at the end of the text, is not >= 32 either.
      if (!(c >= 32)) this.fail("a string is not closed, or holds a control character");
      if (c === BACKSLASH) {
        decoded += this.text.slice(from, this.at) + this.escape();
        from = this.at;
      } else this.at++;
    }
    return decoded + this.text.slice(from, this.at++);
  }

  /** A whole number 0 … 2^53 − 1, written without fraction, exponent or sign. Anything else ends in `code`, larger ones in `format.limit`. */
  integer(code: ErrorCode, what: string): number {
    this.space();
    const from = this.at;
    const token = this.numberToken() ?? "";
    const value = Number(token);
    if (!WHOLE.test(token)) {
      this.at = from;
      this.fail("a whole number that is not negative was expected", code, what);
    }
    if (!Number.isSafeInteger(value)) this.fail("a number is 2^53 or more", "format.limit", what);
    return value;
  }

  value(): Json {
    const c = this.peek();
    if (c === "{") {
      const map: JsonMap = new Map<string, Json>();
      this.object((key) => map.set(key, this.value()));
      return map;
    }
    if (c === "[") {
      const items: Json[] = [];
      this.array(() => items.push(this.value()));
      return items;
    }
    return c === '"' ? this.string() : this.scalar();
  }

  /** Like `value`, keeping nothing. */
  skip(): void {
    const c = this.peek();
    if (c === "{") this.object(() => this.skip());
    else if (c === "[") this.array(() => this.skip());
    else if (c === '"') this.string();
    else this.scalar();
  }

  /** Nothing but white space may follow. */
  end(): void {
    this.space();
    if (this.at < this.text.length) this.fail("something stands behind the end of the JSON text");
  }

  /** Nothing but spaces may follow, as in a safetensors header. */
  endPadded(): void {
    while (this.text.charCodeAt(this.at) === 32) this.at++;
    if (this.at < this.text.length) this.fail("only spaces may stand behind the header's closing brace");
  }

  private peek(): string {
    this.space();
    return this.text.charAt(this.at);
  }

  private take(c: string): boolean {
    if (this.peek() !== c) return false;
    this.at++;
    return true;
  }

  private enter(): void {
    if (++this.depth > LIMITS.jsonDepth) this.fail(`more than ${LIMITS.jsonDepth} levels of nesting`, "format.limit");
  }

  private space(): void {
    for (;;) {
      const c = this.text.charCodeAt(this.at);
      if (c !== 32 && c !== 10 && c !== 13 && c !== 9) return;
      this.at++;
    }
  }

  private scalar(): null | boolean | number | bigint {
    if (this.word("null")) return null;
    if (this.word("true")) return true;
    if (this.word("false")) return false;
    if (this.options.nonFinite) {
      if (this.word("NaN")) return Number.NaN;
      if (this.word("Infinity")) return Number.POSITIVE_INFINITY;
      if (this.word("-Infinity")) return Number.NEGATIVE_INFINITY;
    }
    const token = this.numberToken();
    if (token === undefined) this.fail("a value was expected");
    const value = Number(token);
    return Number.isSafeInteger(value) || !WHOLE_SIGNED.test(token) ? value : BigInt(token);
  }

  private word(word: string): boolean {
    if (!this.text.startsWith(word, this.at)) return false;
    this.at += word.length;
    return true;
  }

  private numberToken(): string | undefined {
    this.number.lastIndex = this.at;
    const match = this.number.exec(this.text);
    if (match === null) return undefined;
    if (match[0].length > LIMITS.jsonNumberLength) this.fail(`a number has more than ${LIMITS.jsonNumberLength} characters`, "format.limit");
    this.at += match[0].length;
    return match[0];
  }

  private escape(): string {
    const letter = this.text.charAt(this.at + 1);
    const plain = ESCAPES.get(letter);
    if (plain !== undefined) {
      this.at += 2;
      return plain;
    }
    const high = this.hex4();
    if (high < 0xd800 || high > 0xdfff) return String.fromCharCode(high);
    const low = high < 0xdc00 && this.text.charCodeAt(this.at) === BACKSLASH ? this.hex4() : 0;
    if (low < 0xdc00 || low > 0xdfff) this.fail("half a surrogate pair stands alone");
    return String.fromCharCode(high, low);
  }

  private hex4(): number {
    const digits = this.text.slice(this.at + 2, this.at + 6);
    if (this.text.charAt(this.at + 1) !== "u" || !/^[0-9a-fA-F]{4}$/.test(digits)) this.fail("a string holds an unknown escape");
    this.at += 6;
    return Number.parseInt(digits, 16);
  }
}
