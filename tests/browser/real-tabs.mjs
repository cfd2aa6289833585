// Chromium whose tabs are as those of people: one is in front, and the others are hidden and can be frozen. To the pages
// of contexts that Playwright makes, each of them is in front all the time.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium } from "playwright-core";

import { CHROMIUM, FLAGS } from "./chromium.mjs";

/** Each context is a browser of its own, as only its default one is left as it is. */
export async function launchRealTabs() {
  return { newContext: openContext, close: async () => {} };
}

async function openContext() {
  const folder = await mkdtemp(join(tmpdir(), "wardkey-profile-"));
  const own = ["--headless", "--remote-debugging-port=0", `--user-data-dir=${folder}`];
  const program = spawn(CHROMIUM, [...own, ...FLAGS], { stdio: ["ignore", "ignore", "pipe"] });
  const browser = await chromium.connectOverCDP(await endpoint(program), { noDefaults: true });
  const [context] = browser.contexts();
  context.close = async () => {
    const ended = once(program, "exit");
    await browser.close();
    program.kill();
    await ended;
    // Its other processes may write for a moment yet.
    await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  };
  return context;
}

/** Where the program says that it listens. */
async function endpoint(program) {
  let said = "";
  for await (const chunk of program.stderr) {
    said += chunk;
    const [, url] = /^DevTools listening on (ws:\S+)$/m.exec(said) ?? [];
    if (url) {
      program.stderr.resume();
      return url;
    }
  }
  throw new Error(`Chromium did not start: ${said}`);
}
