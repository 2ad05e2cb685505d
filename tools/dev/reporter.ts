// Vitest reporter that leaves the counts, and each skipped test with its reason, in the file that SKINT_REPORT names.
import { writeFileSync } from "node:fs";
import type { Reporter, TestModule } from "vitest/node";

export interface Report {
  passed: number;
  /** Failed tests, files that could not run at all, and errors outside any test. */
  failed: number;
  skipped: { name: string; reason: string | undefined }[];
}

export default class implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const report: Report = { passed: 0, failed: errors.length, skipped: [] };
    for (const module of modules) {
      if (module.errors().length) report.failed++;
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === "passed") report.passed++;
        else if (result.state === "failed") report.failed++;
        else report.skipped.push({ name: test.fullName, reason: result.state === "skipped" ? result.note : "it did not end" });
      }
    }
    if (process.env.SKINT_REPORT) writeFileSync(process.env.SKINT_REPORT, JSON.stringify(report));
  }
}
