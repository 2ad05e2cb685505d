// What every file of browser tests begins with: Chromium, a server of isolated pages and one of plain pages, packs to load.
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { launch, openPage } from "./chromium.ts";
import { packs } from "./models.ts";
import { serve, type TestServer } from "./server.ts";

export interface Fixture {
  browser: Browser;
  /** Fresh storage for each test. */
  context: BrowserContext;
  isolated: TestServer;
  plain: TestServer;
  packs: Map<string, Uint8Array>;
  /** What scripts and the Content-Security-Policy complained of; must be empty at the end of a test. */
  problems: string[];
  page(server: TestServer): Promise<Page>;
}

/** Registers the hooks; tests of the file skip with a reason where there is no Chromium. */
export function fixture(): Fixture {
  const f = { problems: [] as string[] } as Fixture;
  f.page = (server) => openPage(f.context, server.origin, f.problems);
  let absent: string | undefined;
  beforeAll(async () => {
    const browser = await launch();
    if (typeof browser === "string") {
      absent = browser;
      return;
    }
    f.browser = browser;
    f.packs = await packs();
    f.isolated = await serve({ isolated: true });
    f.plain = await serve({ isolated: false });
  }, 120_000);
  afterAll(async () => {
    await f.browser?.close();
    await Promise.all([f.isolated?.close(), f.plain?.close()]);
  });
  beforeEach(async (context) => {
    if (absent) context.skip(absent);
    f.context = await f.browser.newContext();
    f.problems.length = 0;
    for (const server of [f.isolated, f.plain]) {
      server.models.clear();
      for (const [name, bytes] of f.packs) server.models.set(name, { bytes });
      server.asked.length = 0;
      server.sent = 0;
    }
  });
  afterEach(async () => {
    await f.context?.close();
    expect(f.problems).toEqual([]);
  });
  return f;
}
