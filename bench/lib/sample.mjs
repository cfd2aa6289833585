// One turn of one entrant, in a browser context of its own: nothing cached, nothing stored, nobody signed in.

import { authorizationResponse, SUBJECT } from "./authorization-server.mjs";

/** The Slow 4G of Lighthouse. Of what is not throttled, see the notes in report.mjs. */
export const THROTTLE = { cpu: 4, megabitsPerSecond: 1.6, latencyMs: 150 };
const NEXT_URLS = 100;

/**
 * @typedef {object} Sample Times in milliseconds, sizes in octets.
 * @property {number} cold From the start of the navigation until an authorize URL can be made; caches are empty.
 * @property {number} warm The same, when the page is visited again.
 * @property {number} [firstUrl]
 * @property {number} [nextUrl] Mean of the page's next 100.
 * @property {number} [callback] From the start of the navigation to the callback page until the person is signed in.
 * @property {string[]} coldRequests What the authorization server was asked by the cold page.
 * @property {string[]} [callbackRequests] And by the callback page.
 * @property {Record<string, number>} arrivals On the cold page, by the last segment of the path.
 * @property {number} [heap] JavaScript heap in use after the sign-in and a collection; of the cold page where there is none.
 * @property {number} [wasmMemory] Linear memory then.
 */

/**
 * @param {import("playwright-core").Browser} browser
 * @param {{ url: string, issuer: string, signsIn: boolean }} entrant `url` is the page, and its redirect URI.
 * @param {import("../../www/server/http.mjs").Exchange[]} exchanges Those that the authorization server has seen.
 * @param {boolean} throttled
 * @returns {Promise<Sample>}
 */
export async function sample(browser, entrant, exchanges, throttled) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    const devtools = await context.newCDPSession(page);
    if (throttled) await throttle(devtools);
    const visit = async (url) => {
      exchanges.length = 0;
      await page.goto(url);
      return page.evaluate(() => globalThis.bench.outcome);
    };
    // The first page of a host starts a process, which takes longer than any library and is the work of none.
    await page.goto(new URL("/", entrant.url).href);
    const starts = await measureStarts(page, entrant, exchanges, visit);
    const signIn = entrant.signsIn ? await measureSignIn(page, entrant, exchanges, visit) : {};
    return { ...starts, ...signIn, ...(throttled ? {} : await measureMemory(devtools)) };
  } finally {
    await context.close();
  }
}

async function throttle(devtools) {
  await devtools.send("Network.enable");
  await devtools.send("Network.emulateNetworkConditions", {
    offline: false,
    latency: THROTTLE.latencyMs,
    downloadThroughput: (THROTTLE.megabitsPerSecond * 1e6) / 8,
    uploadThroughput: (THROTTLE.megabitsPerSecond * 1e6) / 8,
  });
  await devtools.send("Emulation.setCPUThrottlingRate", { rate: THROTTLE.cpu });
}

async function measureStarts(page, { url, issuer, signsIn }, exchanges, visit) {
  const { at: cold } = await visit(url);
  const urls = signsIn ? await measureUrls(page, issuer) : {};
  const arrivals = await page.evaluate(() => globalThis.bench.arrivals());
  const coldRequests = exchanges.map(requestLine);
  // By another URL: a navigation to the very same could count as a reload.
  const { at: warm } = await visit(`${url}?again`);
  return { cold, warm, ...urls, coldRequests, arrivals: byName(arrivals) };
}

async function measureUrls(page, issuer) {
  const firstUrl = await page.evaluate(() => globalThis.bench.timeUrl());
  const nextUrl = await page.evaluate((count) => globalThis.bench.timeUrls(count), NEXT_URLS);
  await checkUrl(page, issuer);
  return { firstUrl, nextUrl };
}

/** Waits for what the library does beside; and a URL that leads nowhere would be no achievement. */
async function checkUrl(page, issuer) {
  const url = await page.evaluate(() => globalThis.bench.begin());
  const { searchParams } = new URL(url);
  const whole = ["state", "code_challenge"].every((name) => searchParams.has(name));
  if (!url.startsWith(`${issuer}authorize?`) || !whole) throw new Error(`This is no authorize URL: ${url}`);
}

async function measureSignIn(page, { url }, exchanges, visit) {
  const authorizeUrl = await page.evaluate(() => globalThis.bench.begin());
  const response = await authorizationResponse(authorizeUrl, url);
  const { at: callback, subject } = await visit(response);
  if (subject !== SUBJECT) throw new Error(`${url}: signed in as ${subject}, not as ${SUBJECT}`);
  return { callback, callbackRequests: exchanges.map(requestLine) };
}

/** Octets in use after a garbage collection. */
export async function measureMemory(devtools) {
  await devtools.send("HeapProfiler.collectGarbage");
  const { usedSize } = await devtools.send("Runtime.getHeapUsage");
  return { heap: usedSize, wasmMemory: await linearMemory(devtools) };
}

/** The size of every WebAssembly.Memory that the page holds, whoever made it. */
async function linearMemory(devtools) {
  const prototype = await devtools.send("Runtime.evaluate", { expression: "WebAssembly.Memory.prototype" });
  const { objects } = await devtools.send("Runtime.queryObjects", { prototypeObjectId: prototype.result.objectId });
  const sum = await devtools.send("Runtime.callFunctionOn", {
    objectId: objects.objectId,
    functionDeclaration: "function () { return this.reduce((sum, { buffer }) => sum + buffer.byteLength, 0); }",
    returnByValue: true,
  });
  return sum.result.value;
}

const requestLine = ({ method, path }) => `${method} ${path.split("?")[0]}`;

function byName(arrivals) {
  return Object.fromEntries(arrivals.map(({ url, at }) => [new URL(url).pathname.split("/").at(-1) || "document", at]));
}
