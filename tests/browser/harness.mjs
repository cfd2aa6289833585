// One demo and one Chromium for the tests of a file. The servers report every exchange, so that requests are counted
// where they arrive and the browser's HTTP cache stays as it is.

import assert from "node:assert/strict";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";
import { chromium } from "playwright-core";

import { buildPage } from "../../www/server/build.mjs";
import { startDemo } from "../../www/server/demo.mjs";
import { CHROMIUM, FLAGS } from "./chromium.mjs";
import { MODES } from "./modes.mjs";
import { entryOf, finishRecords, recordedClients, recordPages } from "./recorder.mjs";
import { leaks, secretsOf } from "./secrets.mjs";
import { everythingStored, PROBE } from "./steps.mjs";

export * from "./interceptors.mjs";
export * from "./steps.mjs";

/**
 * The demo's servers over a page and the probe page, whichever browser comes.
 * @param {Pick<import("../../www/server/demo.mjs").DemoOptions, "extend" | "api" | "pageHeaders">} [servers] In place of the demo's.
 * @param {"wardkey" | "wardkey/worker" | "either"} [entry] What the pages import; "either": what the mode of the test has.
 */
export function startServers(servers = {}, entry = "wardkey") {
  const start = (own) => startDemo({ port: 0, redirectPaths: [`/${PROBE}`], ...own, ...servers });
  return startOver(start, PROBE, entry);
}

/**
 * Servers of one's own over the page and a probe page.
 * @param {(own: { dist: string, observe: Function }) => Promise<{ pageUrl: string, close(): Promise<void> }>} start
 * @param {string} [probe]
 * @param {Parameters<typeof startServers>[1]} [entry]
 */
export async function startOver(start, probe = PROBE, entry = "wardkey") {
  const folder = await mkdtemp(join(tmpdir(), "wardkey-browser-"));
  // The demo is one of the page's own, but where a test has modes.
  await buildPage(folder, entry === "either" ? [entryOf(entry), recordedClients] : [recordedClients]);
  await buildProbe(folder, probe, entry);
  /** @type {import("../../www/server/http.mjs").Exchange[]} */
  const exchanges = [];
  /** @type {Map<string, import("node:http").RequestListener>} */
  const interceptors = new Map();
  const intercept = (request, response) => {
    if (request.method !== "OPTIONS") return interceptors.get(request.url.split("?")[0])?.(request, response);
  };
  const demo = await start({ dist: folder, observe: (exchange) => exchanges.push(exchange), intercept });
  const close = async () => {
    await demo.close();
    await rm(folder, { recursive: true, force: true });
  };
  return { demo, exchanges, interceptors, close };
}

/**
 * @param {Parameters<typeof startServers>[0]} [servers]
 * @param {Parameters<typeof startServers>[1]} [entry]
 * @param {Parameters<typeof openSuiteOver>[1]} [launch]
 */
export async function openSuite(servers, entry = "either", launch) {
  return openSuiteOver(await startServers(servers, entry), launch);
}

/**
 * @param {Awaited<ReturnType<typeof startOver>>} started
 * @param {() => Promise<Pick<import("playwright-core").Browser, "newContext" | "close">>} [launch]
 */
export async function openSuiteOver(started, launch = launchChromium) {
  return new Suite(started, await launch());
}

function launchChromium() {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: FLAGS,
    // Playwright turns it off; people have it on.
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
  });
}

async function buildProbe(folder, page, entry) {
  const source = (name) => fileURLToPath(new URL(name, import.meta.url));
  await build({
    entryPoints: [source(page.replace(".html", ".mjs"))],
    outdir: folder,
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    logLevel: "warning",
    plugins: [entryOf(entry), recordedClients],
  });
  await copyFile(source(page), join(folder, page));
  // The worker's script, where the bundle looks for it: beside itself.
  await copyFile(source("../../pkg/dist/vault.js"), join(folder, "vault.js"));
  for (const script of ["trapping-vault", "buffering-vault", "buffering"]) {
    await copyFile(source(`${script}.mjs`), join(folder, `${script}.js`));
  }
}

/** Milliseconds in which a test is over. Playwright bounds what waits for a page to change, but neither `evaluate` nor `newPage`. */
const LONGEST = 120_000;

async function bounded(work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the test stands still for ${LONGEST} ms`)), LONGEST);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** @typedef {{ page: import("playwright-core").Page, context: import("playwright-core").BrowserContext, complaints: string[], records: { channel: string, text: string }[] }} Tab */

/**
 * Closes a context. Chromium does not always get rid of one with a page that is on its way elsewhere: it ends with the
 * browser then, and not later.
 */
async function leave(context) {
  const closed = context.close().then(
    () => true,
    () => true,
  );
  const late = new Promise((resolve) => setTimeout(resolve, 10_000, false).unref());
  if (!(await Promise.race([closed, late]))) console.error("Chromium keeps a context that was closed");
}

class Suite {
  #browser;
  #servers;

  constructor(servers, browser) {
    this.demo = servers.demo;
    /** @type {import("../../www/server/http.mjs").Exchange[]} Since the start of the test. */
    this.exchanges = servers.exchanges;
    /** @type {import("./modes.mjs").Mode | undefined} That of the test, where it has one. */
    this.mode = undefined;
    /** Those of pages that a test serves by itself, for the scan. */
    this.origins = [];
    this.#servers = servers;
    this.#browser = browser;
  }

  /** Where the engine is, in a test with modes. */
  get isolation() {
    return MODES[this.mode]?.isolation;
  }

  async close() {
    await this.#browser.close();
    await this.#servers.close();
  }

  /**
   * A test body with a fresh browser context (cookies, storage, caches). Whatever the test is about, it fails on a
   * violation of the Content Security Policy, an uncaught error, any complaint in the console, or a secret in what
   * the page said or stored: errors, log entries, events, the console, messages, every store of the browser.
   * @param {(tab: Tab) => Promise<void>} body
   * @param {import("playwright-core").BrowserContextOptions} [options]
   */
  withPage(body, options) {
    return async () => {
      this.exchanges.length = 0;
      this.#servers.interceptors.clear();
      const context = await this.#browser.newContext(options);
      context.setDefaultTimeout(15_000);
      const mode = MODES[this.mode];
      const complaints = await collectComplaints(context, mode?.entry);
      const records = await recordPages(context, [new URL(this.url()).origin, ...this.origins]);
      if (mode) await context.addInitScript(enter, mode);
      try {
        const tab = { page: await bounded(context.newPage()), context, complaints, records };
        await bounded(body(tab));
        assert.deepEqual(complaints, []);
        for (const { text } of records.filter(({ channel }) => channel === "isolation" && mode)) {
          assert.deepEqual(JSON.parse(text), [mode.isolation]);
        }
        assert.deepEqual(await this.leaks(tab), [], "secrets out of their place");
      } finally {
        // A request may be with a handler of the test's, which cannot answer it any more.
        const routed = [context, ...context.pages()];
        await Promise.all(routed.map((place) => place.unrouteAll({ behavior: "ignoreErrors" })));
        await leave(context);
      }
    };
  }

  /**
   * What is to be done, in this test, with each request for a path, before the server sees it, wherever in the browser
   * it comes from: answer in its place, wait, or see to the answer. CORS is the server's own matter.
   * @param {string} path
   * @param {import("node:http").RequestListener} [step] If not given, nothing any more.
   */
  intercept(path, step) {
    if (step) this.#servers.interceptors.set(path, step);
    else this.#servers.interceptors.delete(path);
  }

  /**
   * Where, in all that the pages have said and been told and what is stored now, secrets are that should not be there:
   * those that our servers have seen, and `more`.
   */
  async leaks({ context, records }, more = new Map()) {
    await finishRecords(context, records, (page) => this.#stores(page));
    return leaks(records, new Map([...secretsOf(this.exchanges), ...more]));
  }

  /** What script of our own pages could read from the browser's stores. */
  async #stores(page) {
    if (![this.url(), ...this.origins].some((ours) => page.url().startsWith(ours))) return {};
    const { location: _, document: __, ...stores } = JSON.parse(await everythingStored(page));
    return stores;
  }

  url(path = "") {
    return new URL(path, this.demo.pageUrl).href;
  }

  /** Exchanges with a server, whose path begins so. */
  seen(server, path = "/") {
    return this.exchanges.filter((exchange) => exchange.server === server && exchange.path.startsWith(path));
  }

  tokenRequests() {
    return this.seen("as", "/token").filter(({ method, path }) => method === "POST" && path === "/token");
  }

  /** Every token that the authorization server has issued in this test. */
  tokens() {
    return this.tokenRequests()
      .map(({ body }) => JSON.parse(body))
      .flatMap((answer) => [answer.access_token, answer.id_token, answer.refresh_token])
      .filter(Boolean);
  }
}

/** In the page, before its scripts. */
function enter({ entry, without }) {
  globalThis.entry = entry;
  for (const name of without) delete globalThis[name];
}

async function collectComplaints(context, entry) {
  const complaints = [];
  await context.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => {
      console.error(`securitypolicyviolation: ${event.effectiveDirective} ${event.blockedURI}`);
    });
  });
  context.on("weberror", (error) => complaints.push(String(error.error())));
  context.on("console", (message) => {
    if (message.type() !== "error" && message.type() !== "warning") return;
    // Chromium's own note of an answer of 400 and above: some tests are about those.
    if (message.text().startsWith("Failed to load resource: the server responded with a status of 4")) return;
    // The demo's page has the engine loaded ahead, and with this entry it is the worker that uses it.
    if (entry === "wardkey/worker" && /wardkey\.wasm was preloaded using link preload but not used/.test(message.text())) return;
    complaints.push(`${message.type()}: ${message.text()} (${message.location().url})`);
  });
  return complaints;
}
