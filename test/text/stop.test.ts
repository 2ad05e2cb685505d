// Stop strings: found wherever the pieces are cut, never shown in part, nothing lost when they do not come.
import { expect, test } from "vitest";
import { createRandom } from "../../runtime/num/random.ts";
import { createStopMatcher } from "../../runtime/text/stop.ts";

/** Feeds the pieces; gives the text shown and the stop string met. */
function run(stops: string[], pieces: string[]): { shown: string; stop?: string } {
  const matcher = createStopMatcher(stops);
  let shown = "";
  for (const piece of pieces) {
    const { text, stop } = matcher.push(piece);
    shown += text;
    if (stop !== undefined) return { shown, stop };
  }
  return { shown: shown + matcher.flush() };
}

test("text up to the stop string is shown, the stop string and the rest are not", () => {
  expect(run(["\n\n"], ["one\n", "\ntwo"])).toEqual({ shown: "one", stop: "\n\n" });
});

test("what may become a stop string is held back, and given out when it does not", () => {
  const matcher = createStopMatcher(["User:"]);
  expect(matcher.push("hi Us")).toEqual({ text: "hi " });
  expect(matcher.push("er")).toEqual({ text: "" });
  expect(matcher.push("s!")).toEqual({ text: "Users!" });
  expect(matcher.push("U")).toEqual({ text: "" });
  expect(matcher.flush()).toBe("U");
});

test("the longest possible beginning is held back", () => {
  expect(run(["aab"], ["a", "a", "a", "b", "x"])).toEqual({ shown: "a", stop: "aab" });
});

test("the stop string that is complete first wins; of two that end together, the longer", () => {
  expect(run(["abcd", "bc"], ["abcd"])).toEqual({ shown: "a", stop: "bc" });
  expect(run(["bc", "abc"], ["abc"])).toEqual({ shown: "", stop: "abc" });
});

test("after the stop nothing more is shown", () => {
  const matcher = createStopMatcher(["."]);
  matcher.push("a.b");
  expect(matcher.push("c")).toEqual({ text: "", stop: "." });
  expect(matcher.flush()).toBe("");
});

test("without stop strings everything passes at once", () => {
  expect(createStopMatcher([]).push("abc")).toEqual({ text: "abc" });
});

test("how the text is cut changes nothing", () => {
  const random = createRandom(31);
  const word = (n: number) => Array.from({ length: n }, () => "ab"[random.below(2)]).join("");
  for (let i = 0; i < 500; i++) {
    const stops = Array.from({ length: 1 + random.below(3) }, () => word(1 + random.below(5)));
    const text = word(random.below(20));
    const pieces: string[] = [];
    for (let at = 0; at < text.length; ) {
      const n = 1 + random.below(4);
      pieces.push(text.slice(at, at + n));
      at += n;
    }
    expect(run(stops, pieces)).toEqual(run(stops, [text]));
  }
});

test("an empty stop string is refused", () => {
  expect(() => createStopMatcher([""])).toThrowError(expect.objectContaining({ code: "usage" }));
});
