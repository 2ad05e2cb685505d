// Do builds, threads and browsers give the bits of one scalar thread, in f32 and in int8?
import { SkintError } from "../../../runtime/errors.ts";
import { launch, openPage } from "../../../test/browser/chromium.ts";
import { PROMPT, type Run, runInNode } from "../../../test/browser/models.ts";
import { runInPage } from "../../../test/browser/run.ts";
import { serve } from "../../../test/browser/server.ts";
import type { GoalContext, Measured } from "../goal.ts";
import { enableRelaxed } from "../slice/model.ts";
import { packed } from "./models.ts";

const RECIPES = ["f32", "w8", "quamba", "quamba-i8"] as const;
const MOST_THREADS = 8;

type Isa = "simd" | "relaxed" | "dot32";

const same = (a: Run, b: Run) => JSON.stringify(a) === JSON.stringify(b);

/** Builds that run here, and those that were not proven on this engine. */
async function builds(): Promise<{ run: Isa[]; not: Isa[] }> {
  const all: Isa[] = ["simd", ...(enableRelaxed() ? (["relaxed", "dot32"] as const) : [])];
  const bytes = await packed("f32");
  const not: Isa[] = [];
  for (const isa of all)
    try {
      await runInNode(bytes, { isa, threads: 1 });
    } catch (e) {
      if (!(e instanceof SkintError) || e.code !== "device.unavailable") throw e;
      not.push(isa);
    }
  return { run: all.filter((isa) => !not.includes(isa)), not };
}

export async function equalEverywhere({ signal, note }: GoalContext): Promise<Measured> {
  const { run: isas, not } = await builds();
  const wanted = new Map<string, Run>();
  const different: string[] = [];
  let cases = 0;
  const judge = (name: string, run: Run, recipe: string) => {
    cases++;
    if (!same(run, wanted.get(recipe) as Run)) different.push(name);
  };
  for (const recipe of RECIPES) {
    note(`  ${recipe}`);
    const bytes = await packed(recipe);
    wanted.set(recipe, await runInNode(bytes, { isa: "scalar", threads: 1 }));
    for (const isa of isas)
      for (let threads = 1; threads <= MOST_THREADS; threads++) {
        signal.throwIfAborted();
        judge(`${recipe} on ${isa}, ${threads} threads`, await runInNode(bytes, { isa, threads }), recipe);
      }
  }
  const browser = await inBrowser(judge);
  const wrong = different.length ? `; different: ${different.join(", ")}` : "";
  return {
    value: (cases - different.length) / cases,
    note: `${cases} runs: ${RECIPES.join(", ")} on ${isas.join(", ")}, 1 to ${MOST_THREADS} threads${not.length ? `, not ${not.join(", ")}, which this engine fails` : ""}; ${browser}${wrong}`,
  };
}

/** Each recipe in a plain page and in an isolated one with two threads; what was run. */
async function inBrowser(judge: (name: string, run: Run, recipe: string) => void): Promise<string> {
  const browser = await launch();
  if (typeof browser === "string") return `no browser: ${browser}`;
  const problems: string[] = [];
  try {
    for (const threads of [1, 2]) {
      const server = await serve({ isolated: threads > 1 });
      try {
        for (const recipe of RECIPES) {
          server.models.set(recipe, { bytes: await packed(recipe) });
          const page = await openPage(browser, server.origin, problems);
          const { build, run } = await page.evaluate(runInPage, { name: recipe, options: { threads, cache: "off" }, prompt: PROMPT });
          await page.close();
          judge(`${recipe} in Chromium on ${build}`, run, recipe);
        }
      } finally {
        await server.close();
      }
    }
  } finally {
    await browser.close();
  }
  if (problems.length) throw new Error(`the pages complained: ${problems.join("; ")}`);
  return "Chromium with 1 and 2 threads";
}
