// Node and Chromium side by side: the default model under every recipe, with one thread in a plain page and with two in an isolated one.
import { launch, openPage } from "../../../test/browser/chromium.ts";
import { PROMPT, type Run, runInNode } from "../../../test/browser/models.ts";
import { runInPage } from "../../../test/browser/run.ts";
import { serve } from "../../../test/browser/server.ts";
import { openDevice, packFolder } from "../../cli/model.ts";
import { RECIPES } from "../../compress/recipe.ts";
import type { Absent, GoalContext, Measured } from "../goal.ts";
import { MODEL } from "../slice/model.ts";

const same = (a: Run, b: Run) => JSON.stringify(a) === JSON.stringify(b);

/** Share of cases in which a page gives the tokens and the bits of the logits that Node's scalar build gives. */
export async function equalInBrowser({ signal, note }: GoalContext): Promise<Measured | Absent> {
  const browser = await launch();
  if (typeof browser === "string") return { absent: browser };
  const pages = [
    { server: await serve({ isolated: false }), threads: 1 },
    { server: await serve({ isolated: true }), threads: 2 },
  ];
  const problems: string[] = [];
  const different: string[] = [];
  let cases = 0;
  try {
    const { env } = await openDevice({ threads: 1 });
    for (const { name } of RECIPES) {
      note(`  ${name}`);
      const bytes = await packFolder(MODEL, env, name, signal);
      const want = await runInNode(bytes, { isa: "scalar", threads: 1 });
      for (const { server, threads } of pages) {
        server.models.set(name, { bytes });
        const page = await openPage(browser, server.origin, problems);
        const { build, lanes, run } = await page.evaluate(runInPage, { name, options: { threads, cache: "off" }, prompt: PROMPT });
        await page.close();
        cases++;
        if (lanes !== threads || !same(run, want)) different.push(`${name} on ${build}`);
      }
    }
  } finally {
    await browser.close();
    for (const { server } of pages) await server.close();
  }
  if (problems.length) throw new Error(`the pages complained: ${problems.join("; ")}`);
  const first = different.length ? `; different: ${different.join(", ")}` : "";
  return { value: (cases - different.length) / cases, note: `${cases} cases: ${RECIPES.length} recipes, 1 thread in a plain page, 2 in an isolated one${first}` };
}
