// Debian's Chromium for tests, one for a test file, or the reason why there is none.
import { existsSync } from "node:fs";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

const PATH = process.env.SKINT_CHROMIUM ?? "/usr/bin/chromium";
// It may not look for updates or reach for its maker's servers, and runs as root in containers.
const ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export async function launch(): Promise<Browser | string> {
  if (!existsSync(PATH)) return `Chromium is not at ${PATH} (package chromium; SKINT_CHROMIUM names another place)`;
  return chromium.launch({ executablePath: PATH, args: [...ARGS, "--js-flags=--expose-gc"] });
}

/** A fresh page of `origin`; it fails the test by `problems` when scripts fail or break the Content-Security-Policy. */
export async function openPage(where: Browser | BrowserContext, origin: string, problems: string[]): Promise<Page> {
  const page = await where.newPage();
  page.on("pageerror", (e) => problems.push(String(e)));
  page.on("console", (m) => {
    if (/Content.Security.Policy/i.test(m.text())) problems.push(m.text());
  });
  await page.goto(origin);
  await page.waitForSelector("body[data-ready]");
  return page;
}

/** Dedicated workers of a browser that are alive, workers of workers included, by their scripts' names. */
export async function workersOf(browser: Browser): Promise<string[]> {
  const session = await browser.newBrowserCDPSession();
  const { targetInfos } = await session.send("Target.getTargets", { filter: [{ type: "worker" }] });
  await session.detach();
  return targetInfos.map((t) => new URL(t.url).pathname.split("/").pop() as string).sort();
}
