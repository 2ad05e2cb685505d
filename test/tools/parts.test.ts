// Small parts of the command line: tables, amounts, the progress line.
import { expect, test } from "vitest";
import { startProgress } from "../../tools/cli/progress.ts";
import { table } from "../../tools/cli/table.ts";
import { bytes, duration } from "../../tools/cli/units.ts";
import { number } from "../../tools/cli/values.ts";

test("tables line up, colours and all", () => {
  expect(
    table(
      ["a", "n"],
      [
        ["long", "1"],
        ["\x1b[31mx\x1b[39m", "10"],
      ],
      { right: [1] },
    ),
  ).toBe("a      n\nlong   1\n\x1b[31mx\x1b[39m     10");
  expect(table([], [["a", "", ""], ["bb"]])).toBe("a\nbb");
  expect(table([], [])).toBe("");
});

test("bytes", () => {
  expect([0, 999, 1000, 1234, 99949, 99950, 999499, 999500, 2.5e9].map(bytes)).toEqual(["0 B", "999 B", "1.00 kB", "1.23 kB", "99.9 kB", "100 kB", "999 kB", "1.00 MB", "2.50 GB"]);
});

test("durations", () => {
  expect([0, 9.4, 59.6, 754, 3723].map(duration)).toEqual(["0:00", "0:09", "1:00", "12:34", "1:02:03"]);
});

test("numbers of options", () => {
  expect(number("--temperature", { min: 0 })("0.7")).toBe(0.7);
  for (const bad of ["", "x", "-1", "Infinity"]) expect(() => number("--temperature", { min: 0 })(bad)).toThrow("give a number of at least 0");
});

test("the progress line shows amount, share, rate and time left, at most ten times a second", () => {
  let at = 0;
  let text = "";
  const p = startProgress({ mode: "line", what: "reading m", unit: "bytes", total: 4e6, now: () => at, write: (t) => (text += t) });
  at = 50;
  p.update(5e5);
  at = 1000;
  p.update(1e6);
  p.end();
  p.end();
  expect(text.split("\r\x1b[K").slice(1)).toEqual(["reading m: 0 B of 4.00 MB, 0%, 0 B/s", "reading m: 1.00 MB of 4.00 MB, 25%, 1.00 MB/s, 0:03 left", ""]);
});

test("what an earlier run did counts for the share, not for the rate", () => {
  let at = 0;
  let text = "";
  const p = startProgress({ mode: "line", what: "pulling m", unit: "bytes", now: () => at, write: (t) => (text += t) });
  at = 1000;
  p.update(3e6, 4e6, 2e6);
  expect(text).toContain("pulling m: 3.00 MB of 4.00 MB, 75%, 1.00 MB/s, 0:01 left");
});

test("a total may be unknown, and other units are counted", () => {
  let text = "";
  startProgress({ mode: "line", what: "writing", unit: "tokens", now: () => 0, write: (t) => (text += t) });
  expect(text).toBe("\r\x1b[Kwriting: 0 tokens, 0/s");
});
