// Strict JSON: what it accepts equals JSON.parse, what it refuses is named.
import fc from "fast-check";
import { expect, test } from "vitest";
import { SkintError } from "../../runtime/errors.ts";
import { checkJson, type Json, JsonScanner, parseJson } from "../../runtime/formats/safetensors/json.ts";

/** Maps to objects, as JSON.parse makes them. */
function plain(value: Json): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
  if (typeof value === "bigint") return Number(value);
  return Array.isArray(value) ? value.map(plain) : value;
}

function codeOf(text: string): string {
  try {
    parseJson(text, "text");
  } catch (error) {
    return (error as SkintError).code;
  }
  return "accept";
}

test("reads what JSON.stringify writes, as JSON.parse does", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), fc.nat(3), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      expect(plain(parseJson(text, "text"))).toEqual(JSON.parse(text));
      expect(() => checkJson(text, "text")).not.toThrow();
    }),
  );
});

test("accepts and refuses mutated text as JSON.parse does, but for keys that stand twice", () => {
  const text = JSON.stringify({ a: [1, -2.5e-3, true, null], "b\n\u00e9\ud83d\ude00": { c: "x" }, n: 0 });
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.string({ minLength: 0, maxLength: 2 }), (at, put) => {
      const mutated = text.slice(0, at) + put + text.slice(at + 1);
      let expected = true;
      try {
        JSON.parse(mutated);
      } catch {
        expected = false;
      }
      const code = codeOf(mutated);
      if (code !== "format.duplicate") expect(code === "accept").toBe(expected);
    }),
    { numRuns: 2000 },
  );
});

test("whole numbers keep their digits", () => {
  expect(parseJson("9007199254740991", "text")).toBe(9007199254740991);
  expect(parseJson("9007199254740993", "text")).toBe(9007199254740993n);
  expect(parseJson("-18446744073709551615", "text")).toBe(-18446744073709551615n);
});

test.each([
  ['{"a":1,"a":2}', "format.duplicate"],
  ['{"a":1,"\\u0061":2}', "format.duplicate"],
  ["[".repeat(33), "format.limit"],
  ["[".repeat(32) + "]".repeat(32), "accept"],
  ["1".repeat(65), "format.limit"],
  [`{"${"k".repeat(1025)}":0}`, "format.limit"],
  ['"\\ud800"', "format.header"],
  ['"\\udc00\\ud800"', "format.header"],
  ['"\\ud83d\\ude00"', "accept"],
  ['"\t"', "format.header"],
  ['"\\x41"', "format.header"],
  ["01", "format.header"],
  ["+1", "format.header"],
  [".5", "format.header"],
  ["NaN", "format.header"],
  ["\u00a01", "format.header"],
  ["", "format.header"],
  ["1 2", "format.header"],
  ["[1,]", "format.header"],
  ['{"a":1,}', "format.header"],
])("%s → %s", (text, code) => {
  expect(codeOf(text)).toBe(code);
});

test("Python's numbers that are not finite pass where they are allowed", () => {
  expect(parseJson('{"a":[NaN,Infinity,-Infinity]}', "config.json", { nonFinite: true })).toEqual(
    new Map([["a", [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]]]),
  );
});

test("a message names file and byte, counted in UTF-8 and from the text's place in the file", () => {
  const json = new JsonScanner('{"é":x}', "model.safetensors", { offset: 8 });
  try {
    json.value();
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(SkintError);
    expect((error as SkintError).place).toEqual({ what: "model.safetensors", offset: 14 });
    expect((error as SkintError).message).toContain("byte 14");
  }
});
