// Fields of a record that came from outside, each checked as it is read. What does not fit throws `format.header` with the path of the field.
import { SkintError } from "../errors.ts";

const MAX_TEXT = 4096;
const MAX_ITEMS = 4096;

export function wrong(path: string, must: string): SkintError {
  return new SkintError("format.header", `the result record cannot be read: ${path} must be ${must}; write it anew with --json`, { what: path });
}

export type Fields = Record<string, unknown>;

export function fields(value: unknown, path: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong(path, "an object");
  return value as Fields;
}

export function field(from: Fields, key: string): unknown {
  return Object.hasOwn(from, key) ? from[key] : undefined;
}

function asText(value: unknown, path: string): string {
  if (typeof value !== "string" || value.length > MAX_TEXT) throw wrong(path, `text of at most ${MAX_TEXT} characters`);
  return value;
}

export const text = (from: Fields, key: string, path: string) => asText(field(from, key), `${path}${key}`);

export function number(from: Fields, key: string, path: string): number {
  const value = field(from, key);
  if (typeof value !== "number" || !Number.isFinite(value)) throw wrong(`${path}${key}`, "a finite number");
  return value;
}

export function count(from: Fields, key: string, path: string): number {
  const value = number(from, key, path);
  if (!Number.isSafeInteger(value) || value < 0) throw wrong(`${path}${key}`, "a whole number, not negative");
  return value;
}

export function list(from: Fields, key: string, path: string): unknown[] {
  const value = field(from, key);
  if (!Array.isArray(value) || value.length > MAX_ITEMS) throw wrong(`${path}${key}`, `a list of at most ${MAX_ITEMS} items`);
  return value;
}

export function texts(from: Fields, key: string): string[] {
  return list(from, key, "").map((item, i) => asText(item, `${key}[${i}]`));
}

export function oneOf<T extends string>(from: Fields, key: string, path: string, choices: readonly T[]): T {
  const value = field(from, key);
  if (!choices.includes(value as T)) throw wrong(`${path}${key}`, `one of ${choices.join(", ")}`);
  return value as T;
}

export const given = <T>(from: Fields, key: string, read: () => T): T | undefined => (Object.hasOwn(from, key) ? read() : undefined);
