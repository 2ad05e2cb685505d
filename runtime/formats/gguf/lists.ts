// Arrays of GGUF metadata as they are kept: numbers in typed arrays, texts as the bytes of the file, decoded when asked for. A vocabulary of
// 260,000 tokens is open at once and costs what it takes in the file and four bytes a token.
import { decodeUtf8 } from "../../io/utf8.ts";
import type { GgufType } from "./types.ts";

export type GgufScalar = number | bigint | boolean | string;
export type GgufValue = GgufScalar | GgufList;

export interface GgufList {
  /** Type of the items. */
  readonly type: GgufType;
  readonly length: number;
  /** Item `i`, 0 ≤ i < length. Whole numbers beyond ±2^53 come as bigint. A text that is not UTF-8 throws `format.header`. */
  at(i: number): GgufValue;
}

/** A whole number as number if that is exact, else as it is. */
export function exact(value: bigint): number | bigint {
  const n = Number(value);
  return Number.isSafeInteger(n) ? n : value;
}

type Numbers = ArrayLike<number> | ArrayLike<bigint>;

export function numberList(type: GgufType, items: Numbers): GgufList {
  return {
    type,
    length: items.length,
    at(i) {
      const item = items[i];
      return typeof item === "bigint" ? exact(item) : type === "bool" ? item !== 0 : item;
    },
  };
}

export function nestedList(items: readonly GgufList[]): GgufList {
  return { type: "array", length: items.length, at: (i) => items[i] };
}

/** Strict UTF-8; a byte order mark is a character. */
export const UTF8 = /* @__PURE__ */ new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const PREFIX = 8;

/**
 * @param region texts, each behind its length of 8 bytes
 * @param starts offset of each text's length in the region, and the end of the region
 * @param what names the array in messages
 */
export function textList(region: Uint8Array, starts: Uint32Array, what: string): GgufList {
  return {
    type: "string",
    length: starts.length - 1,
    at(i) {
      const bytes = region.subarray(starts[i] + PREFIX, starts[i + 1]);
      try {
        return UTF8.decode(bytes);
      } catch {
        return decodeUtf8(bytes, `${what}, text ${i},`);
      }
    },
  };
}
