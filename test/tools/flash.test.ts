// `skint flash` as a program: boards in software, UF2 files, dry runs, and every way it can be used wrongly.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeHex } from "../../targets/flash/image/hex.ts";
import { readUf2 } from "../../targets/flash/image/uf2.ts";
import { TARGETS } from "../../targets/flash/targets.ts";
import { type Bench, bench } from "./skint.ts";

const BYTES = Uint8Array.from({ length: 9000 }, (_, i) => (i * 31) & 255);
const SHA = createHash("sha256").update(BYTES).digest("hex");

let b: Bench;

beforeAll(() => {
  b = bench();
  writeFileSync(b.path("app.bin"), BYTES);
  writeFileSync(b.path("app.hex"), writeHex({ start: 0x100, bytes: BYTES }));
  writeFileSync(b.path("large.bin"), new Uint8Array(200_000));
  writeFileSync(b.path("esp.bin"), Uint8Array.of(0xe9, 1, 2, 0x20, 0, 0, 0x08, 0x40, ...new Array(40).fill(0)));
  writeFileSync(b.path("agent.bin"), `skint-image 1 rp2040 00000080 ${"ab".repeat(32)}${" ".repeat(100)}`);
  writeFileSync(b.path("broken.hex"), ":0100000005FF\n");
});
afterAll(() => b.remove());

test("lists every board with its protocol and how it is made to listen", () => {
  const rows = b.json("flash", "--list-boards");
  expect(rows.map((r: { name: string }) => r.name)).toEqual([...TARGETS.keys()]);
  for (const r of rows) expect(r).toMatchObject({ protocol: expect.any(String), tried: expect.any(String), enter: expect.any(String), region: { start: expect.any(Number) } });
  expect(b.skint("flash", "--list-boards").out).toContain("icebreaker");
});

describe("a board in software", () => {
  test("is written, read back, started, and computes as the twin of the engine does", () => {
    const answer = b.json("flash", "app.bin", "--board", "icebreaker", "--port", "twin");
    expect(answer).toMatchObject({ board: "icebreaker", id: "icebrkr", start: 0x28000, bytes: 9000, sha256: SHA, sectors: 3, written: 3, repeats: 0, booted: true });
    expect(answer.selfTest).toMatchObject({ layers: 2, macs: 3072, cycles: expect.any(Number) });
    expect(answer.selfTest.microseconds).toBeCloseTo(answer.selfTest.cycles / 24, 6);
    const { out, exit } = b.skint("flash", "app.bin", "--board", "icebreaker", "--port", "twin");
    expect(exit).toBe(0);
    expect(out).toMatch(/written: 3 of 3 sectors[\s\S]*self-test: 2 layers right/);
  });

  test("is not asked to compute where nobody wants it", () => {
    expect(b.json("flash", "app.bin", "--board", "hx8k", "--port", "twin", "--no-self-test")).not.toHaveProperty("selfTest");
  });

  test("takes a HEX file at the file's own addresses", () => {
    expect(b.json("flash", "app.hex", "--board", "arduino-uno", "--port", "twin")).toMatchObject({ start: 0x100, sha256: SHA, booted: true });
  });

  test("is left alone by a dry run, with a board and without", () => {
    expect(b.json("flash", "app.bin", "--board", "icebreaker", "--port", "twin", "--dry-run")).toMatchObject({ dryRun: true, booted: false, written: 3 });
    expect(b.json("flash", "app.bin", "--board", "icebreaker", "--dry-run")).toEqual({
      board: "icebreaker",
      port: null,
      dryRun: true,
      start: 0x28000,
      bytes: 9000,
      sha256: SHA,
      claims: [],
    });
    expect(b.skint("flash", "app.bin", "--board", "icebreaker", "--dry-run").out).toContain("nothing was written");
  });

  test("takes another board's image only by force", () => {
    expect(b.json("flash", "esp.bin", "--board", "icebreaker", "--port", "twin", "--force")).toMatchObject({ booted: true, claims: [{ kind: "esp32", says: "0" }] });
    expect(b.skint("flash", "app.bin", "--board", "icebreaker", "--port", "twin").out).toContain("does not say which board");
  });

  test("tells its progress as JSON lines", () => {
    const { err } = b.skint("flash", "app.bin", "--board", "icebreaker", "--port", "twin", "--progress", "json");
    for (const stage of ["comparing", "writing", "checking"]) expect(err).toContain(`"progress":"${stage} app.bin"`);
  });
});

describe("UF2", () => {
  test("goes onto a drive", () => {
    mkdirSync(b.path("drive"));
    expect(b.json("flash", "app.bin", "--board", "pico", "--port", "drive")).toMatchObject({ start: 0x1000_0000, bytes: 9000 });
    expect(readdirSync(b.path("drive"))).toEqual(["skint.uf2"]);
    expect(readUf2(new Uint8Array(readFileSync(b.path("drive/skint.uf2"))), "skint.uf2").bytes.subarray(0, 9000)).toEqual(BYTES);
  });

  test("goes into a file, which can be flashed in turn", () => {
    b.json("flash", "app.bin", "--board", "pico", "--port", "app.uf2");
    b.json("flash", "app.uf2", "--board", "pico", "--port", "again.uf2");
    expect(readFileSync(b.path("again.uf2"))).toEqual(readFileSync(b.path("app.uf2")));
  });
});

test.each([
  ["nothing to write", ["--board", "icebreaker"], 2, "usage"],
  ["no board", ["app.bin"], 2, "usage"],
  ["a board that there is not", ["app.bin", "--board", "toaster", "--port", "twin"], 2, "usage"],
  ["no port", ["app.bin", "--board", "icebreaker"], 2, "usage"],
  ["no drive", ["app.bin", "--board", "pico"], 2, "usage"],
  ["a file that is not there", ["no.bin", "--board", "icebreaker", "--port", "twin"], 3, "file.missing"],
  ["a port that is not there", ["app.bin", "--board", "icebreaker", "--port", "/dev/not-a-port"], 3, "device.unavailable"],
  ["an image that is too large", ["large.bin", "--board", "icebreaker", "--port", "twin"], 1, "flash.region"],
  ["addresses that are another board's", ["app.hex", "--board", "bluepill", "--dry-run"], 1, "flash.region"],
  ["an image of another board", ["esp.bin", "--board", "icebreaker", "--port", "twin"], 1, "flash.board"],
  ["one that is damaged, whatever is wanted", ["agent.bin", "--board", "pico", "--port", "x.uf2", "--force"], 1, "format.hash"],
  ["a loader of Skint's for an MCU", ["build", "--board", "rp2040", "--image", "loader"], 2, "usage"],
  ["a broken file", ["broken.hex", "--board", "arduino-uno", "--dry-run"], 1, "format.hash"],
])("%s is refused", (_, args, exit, code) => {
  const ended = b.skint("flash", ...args, "--json");
  expect(JSON.parse(ended.out)).toMatchObject({ error: { code } });
  expect(ended.exit).toBe(exit);
});
