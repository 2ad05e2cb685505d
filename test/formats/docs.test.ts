// docs/format.md states the limits, types, documents and schemes that the code keeps.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { DTYPE_BITS } from "../../runtime/formats/safetensors/header.ts";
import { DIGEST_LENGTH, DIGEST_OFFSET, DIGEST_PREFIX, DOCUMENTS, METADATA, REQUIRED_DOCUMENTS } from "../../runtime/formats/skint/layout.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { SCHEMES } from "../../runtime/quant/catalogue.gen.ts";

const TEXT = readFileSync("docs/format.md", "utf8");

/** Rows of the table under a heading, cells trimmed and without code marks. */
function table(heading: string): string[][] {
  const section = TEXT.split(/^#+ /m).find((part) => part.startsWith(`${heading}\n`)) ?? "";
  const rows = section.split("\n").filter((line) => line.startsWith("|"));
  return rows.slice(2).map((row) => {
    const cells = row.split("|").slice(1, -1);
    return cells.map((cell) => cell.trim().replaceAll("`", ""));
  });
}

test("limits", () => {
  const { documentBytes, ...plain } = LIMITS;
  const documents = Object.entries(documentBytes).map(([name, bytes]) => [`documentBytes.${name}`, bytes] as const);
  const all: [string, string][] = [...Object.entries(plain), ...documents].map(([name, value]) => [name, String(value)]);
  expect(table("Limits").map(([name, value]) => [name, value])).toEqual(all);
});

test("data types", () => {
  const stated = new Map(table("safetensors").flatMap(([names, bits]) => names.split(" ").map((name) => [name, Number(bits)] as const)));
  expect(stated).toEqual(new Map(Object.entries(DTYPE_BITS)));
});

test("header and documents of a pack", () => {
  expect(TEXT).toContain(`    ${DIGEST_PREFIX}\n`);
  expect(TEXT).toContain(`exactly these ${DIGEST_PREFIX.length} bytes, then ${DIGEST_LENGTH} `);
  expect(TEXT).toContain(`bytes ${DIGEST_OFFSET} … ${DIGEST_OFFSET + DIGEST_LENGTH - 1} of every pack`);
  expect(table("Header").map(([key]) => key)).toEqual(["sha256", ...METADATA].map((name) => `skint.${name}`));
  const stated = table("Documents").map(([name, need]) => [name, need]);
  expect(stated).toEqual(DOCUMENTS.map((name) => [`skint.${name}`, REQUIRED_DOCUMENTS.includes(name) ? "required" : "optional"]));
});

test("schemes", () => {
  const stated = table("Packed layouts");
  expect(stated.map(([name]) => name).sort()).toEqual(Object.keys(SCHEMES).sort());
  for (const [name, version, path] of stated) expect([version, path]).toEqual([`${SCHEMES[name].version}`, `runtime/quant/${name}.ts`]);
});
