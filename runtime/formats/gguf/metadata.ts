// The metadata of a GGUF file with typed getters: what a model asks for is there, of the right kind and in range, or ends in `model.config`.
import { SkintError } from "../../errors.ts";
import type { GgufList, GgufValue } from "./lists.ts";
import type { GgufType } from "./types.ts";
import type { GgufEntry } from "./values.ts";

const WHOLE: readonly GgufType[] = ["u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64"];
const REAL: readonly GgufType[] = ["f32", "f64"];

export type ListKind = "text" | "whole" | "real" | "flag";

const KINDS: Readonly<Record<ListKind, readonly GgufType[]>> = { text: ["string"], whole: WHOLE, real: REAL, flag: ["bool"] };

export class GgufMetadata {
  private readonly file: string;
  private readonly entries: ReadonlyMap<string, GgufEntry>;

  /** @param file named in messages */
  constructor(file: string, entries: ReadonlyMap<string, GgufEntry>) {
    this.file = file;
    this.entries = entries;
  }

  get size(): number {
    return this.entries.size;
  }

  keys(): IterableIterator<string> {
    return this.entries.keys();
  }

  has(key: string): boolean {
    return this.entries.has(key);
  }

  /** Type and value as they stand in the file. */
  get(key: string): GgufEntry | undefined {
    return this.entries.get(key);
  }

  /** Text; `fallback` if the key is absent. */
  text(key: string, fallback?: string): string {
    const v = this.value(key, ["string"], fallback, "a text");
    return v as string;
  }

  /** Whole number in [min, max], of any integer type; `fallback` if the key is absent. */
  whole(key: string, max: number, fallback?: number, min = 1): number {
    const wanted = `a whole number from ${min} to ${max}`;
    const v = this.value(key, WHOLE, fallback, wanted);
    if (typeof v !== "number" || v < min || v > max) this.bad(key, v, wanted);
    return v;
  }

  /** Finite f32 or f64 above `above`; `fallback` if the key is absent. */
  real(key: string, fallback?: number, above = 0): number {
    const wanted = `a floating-point number above ${above}`;
    const v = this.value(key, REAL, fallback, wanted);
    if (typeof v !== "number" || !Number.isFinite(v) || v <= above) this.bad(key, v, wanted);
    return v;
  }

  flag(key: string, fallback?: boolean): boolean {
    return this.value(key, ["bool"], fallback, "true or false") as boolean;
  }

  /**
   * Array of one kind, all of its items checked: whole numbers lie below 2^53 and real ones are finite.
   * @param length items it must have
   */
  list(key: string, kind: "text", length?: number): string[];
  list(key: string, kind: "whole" | "real", length?: number): number[];
  list(key: string, kind: "flag", length?: number): boolean[];
  list(key: string, kind: ListKind, length?: number): (string | number | boolean)[] {
    const wanted = `an array of ${length ?? "any number of"} items of kind ${kind}`;
    const list = this.value(key, ["array"], undefined, wanted) as GgufList;
    if (!KINDS[kind].includes(list.type)) this.bad(key, `an array of ${list.type}`, wanted);
    if (length !== undefined && list.length !== length) this.bad(key, `an array of ${list.length}`, wanted);
    const fits = kind === "text" || kind === "flag" ? () => true : kind === "whole" ? Number.isSafeInteger : Number.isFinite;
    const items: (string | number | boolean)[] = new Array(list.length);
    for (let i = 0; i < list.length; i++) {
      const item = list.at(i);
      if (!fits(item)) this.bad(key, `an array whose item ${i} is ${String(item)}`, wanted);
      items[i] = item as string | number | boolean;
    }
    return items;
  }

  private value(key: string, types: readonly GgufType[], fallback: GgufValue | undefined, wanted: string): GgufValue {
    const entry = this.entries.get(key);
    if (entry === undefined) return fallback ?? this.bad(key, "absent", wanted);
    if (!types.includes(entry.type)) this.bad(key, entry.type === "array" ? "an array" : `${show(entry.value)} of type ${entry.type}`, wanted);
    return entry.value;
  }

  private bad(key: string, value: GgufValue, wanted: string): never {
    throw new SkintError("model.config", `${this.file}: ${key} is ${show(value)}, ${wanted} was expected; check that the file holds a model of this kind, or convert it again`, {
      what: key,
    });
  }
}

function show(value: GgufValue): string {
  const text = String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
