// `npm run lint`, second half: the rules of the house that no linter knows (ARCHITECTURE.md). Each rule is one function.
import { dependenciesHaveReasons, errorCodesAreTested, lockIsWhole, opsAreWhole } from "./rules/complete.ts";
import { filesAreShort, noLeftovers, noLoneTests, noMachinePaths, noVectorConstants, papersArePresent, skipsHaveReasons } from "./rules/files.ts";
import { importsRunOneWay, noHostGlobals } from "./rules/imports.ts";
import { type Rule, realTree } from "./rules/tree.ts";

const RULES: readonly Rule[] = [
  importsRunOneWay,
  noHostGlobals,
  filesAreShort,
  noLoneTests,
  skipsHaveReasons,
  noLeftovers,
  noMachinePaths,
  noVectorConstants,
  papersArePresent,
  opsAreWhole,
  errorCodesAreTested,
  dependenciesHaveReasons,
  lockIsWhole,
];

const tree = realTree();
const findings = RULES.flatMap((rule) => rule(tree).map((f) => `${f.path}${f.line ? `:${f.line}` : ""}  ${f.what}  (${rule.name})`));
for (const f of findings) console.error(f);
console.log(`${RULES.length} house rules over ${tree.files.length} files: ${findings.length || "no"} findings`);
if (findings.length) process.exitCode = 1;
