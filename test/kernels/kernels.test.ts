// Every kernel of every build is judged by the op's one reference over the op's cases, in any split into units.
import { describe, expect, test } from "vitest";
import { OPS } from "../../runtime/ops/catalogue.gen.ts";
import { KERNELS } from "../../targets/devices/wasm/catalogue.gen.ts";
import { ALL_BUILDS, SINGLE_BUILDS } from "../support/core.ts";
import { CASES } from "./cases.gen.ts";
import { difference, kernelsFor, type Outputs, runKernel, runReference } from "./harness.ts";

const only = process.env.SKINT_OP;

for (const [op, cases] of Object.entries(CASES)) {
  if (only && only !== op) continue;
  describe(op, () => {
    for (const c of cases) {
      test(`${c.variant}: ${c.name}`, () => {
        const want = runReference(op, c);
        let first: Outputs | undefined;
        for (const build of SINGLE_BUILDS) {
          const kernels = kernelsFor(build, op, c.variant);
          expect(kernels.length, `no kernel of ${op} ${c.variant} in build ${build}`).toBeGreaterThan(0);
          for (const kernel of kernels) {
            const inputs = Object.keys(c.tensors());
            const ways = [...[1, 2, 3, 7].map((units) => ({ units, skew: 0 })), { units: 1, skew: 4 }, ...inputs.map((last) => ({ units: 2, skew: 0, last }))];
            for (const how of ways) {
              const got = runKernel(build, kernel, op, c, how);
              for (const [field, bound] of Object.entries(c.compare)) {
                const where = `${kernel}, ${JSON.stringify(how)}, ${field}`;
                expect(difference(got[field], want[field], bound), where).toBeUndefined();
              }
              // Builds and splits agree to the bit even where the reference is only approximated.
              if (first)
                for (const [field, values] of Object.entries(got))
                  expect(difference(values, first[field], "exact"), `${kernel}, ${JSON.stringify(how)}, ${field} differs from another build`).toBeUndefined();
              first ??= got;
            }
          }
        }
      });
    }
  });
}

test("every kernel of every build has cases", () => {
  const tested = new Set(Object.entries(CASES).flatMap(([op, cases]) => OPS[op].families.flatMap((f) => cases.map((c) => `${f}_${c.variant}`))));
  const untested = ALL_BUILDS.flatMap((b) => KERNELS[b].filter((k: string) => !tested.has(k.slice(0, k.lastIndexOf("__")))));
  if (!only) expect(untested).toEqual([]);
});
