// Texts of options as values, with messages that name the option.
import { SkintError } from "../../runtime/errors.ts";

export interface Range {
  readonly min?: number;
  readonly max?: number;
}

const within = (v: number, { min = -Infinity, max = Infinity }: Range) => v >= min && v <= max;

const bounds = ({ min, max }: Range) =>
  min !== undefined && max !== undefined ? ` from ${min} to ${max}` : min !== undefined ? ` of at least ${min}` : max !== undefined ? ` of at most ${max}` : "";

/** A whole number. */
export function whole(option: string, range: Range = {}): (text: string) => number {
  return (text) => {
    const v = Number(text);
    if (/^[-+]?\d+$/.test(text.trim()) && Number.isSafeInteger(v) && within(v, range)) return v;
    throw new SkintError("usage", `${option} is ${JSON.stringify(text)}; give a whole number${bounds(range)}`, { what: option });
  };
}

/** Any finite number. */
export function number(option: string, range: Range = {}): (text: string) => number {
  return (text) => {
    const v = Number(text);
    if (text.trim() !== "" && Number.isFinite(v) && within(v, range)) return v;
    throw new SkintError("usage", `${option} is ${JSON.stringify(text)}; give a number${bounds(range)}`, { what: option });
  };
}

/** A SHA-256 in hexadecimal digits, as lower case. */
export function sha256Hex(option: string): (text: string) => string {
  return (text) => {
    if (/^[0-9a-fA-F]{64}$/.test(text)) return text.toLowerCase();
    throw new SkintError("usage", `${option} is ${JSON.stringify(text)}; give 64 hexadecimal digits`, { what: option });
  };
}
