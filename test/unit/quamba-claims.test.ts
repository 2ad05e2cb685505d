// Quamba's claims on made-up signals hold for the product's own rounding, transforms and reference of the scan (tools/goals/ssm/synthetic.ts).
import { expect, test } from "vitest";
import { claims } from "../../tools/goals/ssm/synthetic.ts";

test("clipping x, transforming y and percentiles of states do what the paper says", () => {
  const all = claims();
  expect(all.length).toBe(7);
  expect(all.filter((c) => !c.holds)).toEqual([]);
}, 120_000);
