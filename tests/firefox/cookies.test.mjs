// What Firefox does with cookies: it stores those that we write as they were meant, and those that we refuse it drops or
// misreads, where that is the reason. Where it does otherwise than Chromium, the case says so. SEC-132 to SEC-143.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import {
  asked,
  call,
  cookieScript,
  faresWithoutRules,
  HOSTILE,
  hostileFates,
  setsReadsAndDeletes,
  storesWhatWeWrite,
  told,
} from "../browser/cookie-cases.mjs";
import { openFirefox } from "./firefox.mjs";

const firefox = await openFirefox();
after(() => firefox.close());

let script;
before(async () => (script = await cookieScript()));

const PAGE = "https://app.example.test";

/** Opens an empty page of any origin, without a server, and loads the modules there. */
async function open(page, url) {
  // Firefox opens no page at port 1.
  await page.goto(url.replace(/:1\//, ":8081/"));
  await page.evaluate(script);
}

/** Answers every request of the page. */
async function answerAll(page) {
  await page.setRequestInterception(true);
  page.on("request", (request) => request.respond({ contentType: "text/html", body: "<!doctype html><title>cookies</title>" }));
}

/** Firefox tells the octets of a name, one character for each. */
const decoded = (cookie) => ({ ...cookie, name: Buffer.from(cookie.name, "latin1").toString("utf8") });

/** Lets what is stored end, of what is in the partition of the site or of what is in none; what is left. */
async function endAll(page, context, isPartitioned) {
  const cookies = (await context.cookies()).map(decoded);
  const lines = cookies.map(({ name, path, domain }) => {
    const attributes = [`Path=${path}`, domain.startsWith(".") && `Domain=${domain}`, "Secure", "Max-Age=0"];
    return [`${name}=`, ...attributes, isPartitioned && "Partitioned"].filter(Boolean).join("; ");
  });
  await page.evaluate((all) => all.forEach((line) => (document.cookie = line)), lines);
  return context.cookies();
}

/** Writes a text to `document.cookie` of a browser without cookies, and tells what it stores. */
async function stored(page, context, text) {
  await page.evaluate((cookie) => void (document.cookie = cookie), text);
  const cookies = (await context.cookies()).map(decoded);
  const isPartitioned = cookies.length > 0 && (await endAll(page, context, false)).length > 0;
  if (isPartitioned) assert.deepEqual(await endAll(page, context, true), [], `${text}: does not go`);
  return { cookies, isPartitioned };
}

/** Firefox tells in the console which cookies it does not keep, and why. */
function takeRejections(complaints) {
  const others = complaints.splice(0).filter((text) => !/^Error: Cookie “.*” (has been )?rejected /.test(text));
  assert.deepEqual(others, []);
}

/** What the cases need of Firefox. */
const browserOf = ({ page, context }) => ({
  page,
  context,
  open: (url) => open(page, url),
  stored: (text) => stored(page, context, text),
});

test(
  "Firefox stores what we write, as it was meant",
  firefox.withPage(async (tab) => {
    await answerAll(tab.page);
    await storesWhatWeWrite(browserOf(tab));
  }),
);

test(
  "Firefox drops or misreads what we refuse, where that is the reason",
  firefox.withPage(async (tab) => {
    await answerAll(tab.page);
    await faresWithoutRules(browserOf(tab), "firefox");
    takeRejections(tab.complaints);
  }),
);

/** What Firefox makes of the hostile cases of which Chromium makes something else. We refuse them for the sake of either. */
const OTHERWISE = {
  dropped: ["name-empty"],
  // A `__Host-` cookie without `Path` at a page in `/`, and a tab inside a value.
  kept: ["host-no-path", "value-tab"],
};

test(
  "the hostile cases fare in Firefox as we say",
  firefox.withPage(async ({ page, context, complaints }) => {
    await answerAll(page);
    await open(page, `${PAGE}/`);
    const { dropped, misread, kept } = await hostileFates(async (text) => {
      const { cookies } = await stored(page, context, text);
      // Where nothing is said of SameSite, Firefox tells that, and Chromium what it takes it for.
      return cookies.map((cookie) => ({ ...cookie, sameSite: cookie.sameSite === "Default" ? "Lax" : cookie.sameSite }));
    }, PAGE);
    const expected = [...HOSTILE.kept, ...OTHERWISE.kept].filter((id) => !OTHERWISE.dropped.includes(id)).sort();
    assert.deepEqual({ misread, kept }, { misread: HOSTILE.misread, kept: expected });
    assert.equal(dropped.length, 27 - OTHERWISE.kept.length + OTHERWISE.dropped.length);
    takeRejections(complaints);
  }),
);

test(
  "a cookie that is set is read, and goes when it is deleted with the same attributes",
  firefox.withPage(async (tab) => {
    await answerAll(tab.page);
    await setsReadsAndDeletes(browserOf(tab));
  }),
);

test(
  "a CSRF token is in a __Host- cookie, also on plain http of this machine, and nowhere on other plain http",
  firefox.withPage(async ({ page, context, complaints }) => {
    await answerAll(page);
    for (const origin of [PAGE, "http://localhost:8081", "http://127.0.0.1:8081"]) {
      await open(page, `${origin}/`);
      const token = await call(page, "issueCsrfToken");
      const [cookie] = (await context.cookies()).filter(({ value }) => value === token.value);
      const options = { sameSite: "Strict" };
      assert.deepEqual(told(cookie), asked({ name: "__Host-csrf", value: token.value, origin, options }), origin);
    }
    await open(page, "http://app.example.test/");
    for (const name of ["issueCsrfToken", "setCookie"]) {
      assert.equal((await call(page, name, ...(name === "setCookie" ? ["a", "1"] : []))).refused, "invalid_cookie", name);
    }
    takeRejections(complaints);
  }),
);
