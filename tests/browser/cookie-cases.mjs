// The cases of the cookie functions, and how what a browser stores is held against them.

import assert from "node:assert/strict";

import { build } from "esbuild";

import { load, path } from "../package/sources.mjs";

export { load };

/** The cookie modules as one script, which sets `wardkey`. */
export async function cookieScript() {
  const contents = 'export * from "./cookies.ts"; export * from "./csrf.ts";';
  const options = { bundle: true, format: "iife", globalName: "wardkey", write: false };
  const { outputFiles } = await build({ stdin: { contents, resolveDir: path("pkg/src") }, ...options });
  return outputFiles[0].text;
}

/** Calls a function of the modules in the page; its result, or the code of its error. */
export const call = (page, name, ...values) =>
  page.evaluate(
    ([wanted, given]) => {
      try {
        return globalThis.wardkey[wanted](...given) ?? null;
      } catch (error) {
        return error.name === "AuthError" ? { refused: error.code, reason: error.message } : String(error.stack);
      }
    },
    [name, values],
  );

/** A cookie as it was asked for, in the words of the protocol by which a browser tells what it has. */
export function asked({ name, value, options, origin }) {
  const { sameSite = "Lax", secure = true, path: at = "/", domain, maxAgeSec, prefix } = options;
  const before = { host: "__Host-", secure: "__Secure-" }[prefix] ?? "";
  return {
    name: name.startsWith(before) ? name : before + name,
    value,
    domain: domain ? `.${domain.toLowerCase()}` : new URL(origin).hostname,
    path: at,
    secure,
    sameSite,
    httpOnly: false,
    life: maxAgeSec ?? -1,
  };
}

/** A cookie as a browser tells of it. */
export function told({ name, value, domain, path: at, secure, sameSite, httpOnly, expires }) {
  const life = expires === -1 ? -1 : Math.round((expires - Date.now() / 1000) / 60) * 60;
  return { name, value, domain, path: at, secure, sameSite, httpOnly, life };
}

/** Without any rules, and with nothing but what is asked for. */
function written({ name, value, options }) {
  const { sameSite = "Lax", secure = true, path: at = "/", domain, maxAgeSec, partitioned } = options;
  const attributes = [`Path=${at}`, `SameSite=${sameSite}`, secure && "Secure", partitioned && "Partitioned"];
  attributes.push(domain !== undefined && `Domain=${domain}`, maxAgeSec !== undefined && `Max-Age=${maxAgeSec}`);
  return [`${name}=${value}`, ...attributes.filter(Boolean)].join("; ");
}

/** What became of a cookie that was asked for. */
export function fate(cookies, wanted) {
  if (cookies.length === 0) return "dropped";
  return cookies.every((cookie) => JSON.stringify(told(cookie)) === JSON.stringify(wanted)) ? "kept" : "misread";
}

/** Can the page of the origin have it? The other cases are of domains of other pages. */
const isOfPage = ({ origin, options: { domain = "" } }) =>
  origin.startsWith("http") && `.${new URL(origin).hostname}`.endsWith(domain.toLowerCase());

/** As {@link told} does: to the minute. */
const rounded = (cookie) => ({ ...cookie, life: cookie.life > 0 ? Math.round(cookie.life / 60) * 60 : cookie.life });

/** The line of a server, with nothing but what the hostile case says. */
function line({ name, value, path: at, domain, maxAge, expires, secure, httpOnly, sameSite, partitioned }) {
  const valued = { Path: at, Domain: domain, "Max-Age": maxAge, Expires: expires, SameSite: sameSite };
  const attributes = Object.entries(valued).flatMap(([key, text]) => (text === undefined ? [] : [`${key}=${text}`]));
  attributes.push(secure && "Secure", httpOnly && "HttpOnly", partitioned && "Partitioned");
  return [`${name}=${value}`, ...attributes.filter(Boolean)].join("; ");
}

/** What becomes of each hostile case that we refuse, where it is written without any rules. */
export async function hostileFates(stored, origin) {
  const seen = { misread: [], kept: [], dropped: [] };
  for (const { id, input, expect } of (await load("hostile/cookie_serialize.json")).cases) {
    if (expect !== "reject") continue;
    const { name, value, maxAge, expires, js, httpOnly, __json, ...options } = input;
    const wanted = asked({ name, value, options: { secure: false, ...options }, origin });
    seen[fate(await stored(line(input)), { ...wanted, life: maxAge ?? expires ?? -1 })].push(id);
  }
  for (const ids of Object.values(seen)) ids.sort();
  return seen;
}

/** What Chromium makes of the hostile cases that it does not drop. What it keeps is refused for the sake of readers. */
export const HOSTILE = {
  misread: [
    ...["attr-path-1025", "expires-invalid", "max-age-exp", "max-age-float", "max-age-nan", "name-eq", "path-relative"],
    "samesite-bogus",
  ],
  kept: [
    ...["domain-empty", "host-mixed", "name-dollar-version", "name-empty", "name-nbsp", "name-space"],
    ...["name-u2000-host", "name-unicode", "value-backslash", "value-comma", "value-dquote", "value-space"],
    "value-unicode",
  ],
};

/**
 * A page of a browser that can go anywhere.
 * @typedef {object} Browser
 * @property {object} page
 * @property {object} context
 * @property {(url: string) => Promise<void>} open An empty page there, without a server, with the modules.
 * @property {(text: string) => Promise<{ cookies: object[], isPartitioned: boolean }>} stored What it stores when the text is
 * written to `document.cookie` while it has no cookies.
 */

/** The cases by their origin, each with its page open. */
async function* atHome(open, chosen) {
  for (const origin of new Set(chosen.map((item) => item.origin))) {
    await open(`${origin}/`);
    yield* chosen.filter((other) => other.origin === origin);
  }
}

/** @param {Browser} browser Stores what we write, as it was meant. */
export async function storesWhatWeWrite({ page, open, stored }) {
  // What has ended is not stored, and no browser keeps a Secure cookie of plain http.
  const lasts = ({ origin, out, options }) =>
    out !== null && options.expires === undefined && options.maxAgeSec !== 0 && origin !== "http://app.example.test";
  const cases = (await load("cookies/cases.json")).serialize.filter(lasts).filter(isOfPage);
  const wrong = [];
  let count = 0;
  for await (const item of atHome(open, cases)) {
    const { id, name, value, options, out } = item;
    const text = await call(page, "serializeCookie", name, value, options);
    assert.equal(text, out, id);
    // The moment between the two clocks is more than a life of one second allows to compare.
    if (options.maxAgeSec === 1) continue;
    const { cookies, isPartitioned } = await stored(text);
    const found = JSON.stringify([cookies.map(told), isPartitioned]);
    const wanted = JSON.stringify([[rounded(asked(item))], options.partitioned === true]);
    if (found !== wanted) wrong.push([id, found, wanted]);
    count += 1;
  }
  assert.deepEqual(wrong, []);
  assert.ok(count > 25, String(count));
}

/**
 * Drops or misreads what we refuse, where that is the reason.
 * @param {Browser} browser
 * @param {"chromium" | "firefox"} name Where a case says nothing of its own, it fares as in Chromium.
 */
export async function faresWithoutRules({ page, open, stored }, name) {
  const cases = (await load("cookies/cases.json")).serialize.filter(({ chromium }) => chromium);
  const wrong = [];
  for await (const item of atHome(open, cases)) {
    const { refused } = await call(page, "serializeCookie", item.name, item.value, item.options);
    assert.equal(refused, "invalid_cookie", item.id);
    const { cookies } = await stored(written(item));
    const found = fate(cookies, rounded(asked(item)));
    const said = item[name] ?? item.chromium;
    if (found !== said) wrong.push([item.id, said, found, JSON.stringify(cookies)]);
  }
  assert.deepEqual(wrong, []);
  assert.ok(cases.length > 40, String(cases.length));
}

/** Attributes with which a cookie of a page at `/below/page` can be set, read and deleted. */
const KINDS = [
  ...[{}, { path: "/below" }, { path: "/below/" }, { path: "/below/page" }, { domain: "example.test" }],
  ...[{ partitioned: true, sameSite: "None" }, { prefix: "host" }, { prefix: "host", partitioned: true }],
  ...[{ prefix: "secure", domain: "example.test", path: "/below" }, { expires: undefined, maxAgeSec: 60 }],
];

/** @param {Browser} browser A cookie that is set is read, and goes when it is deleted with the same attributes. */
export async function setsReadsAndDeletes({ page, context, open }) {
  await open("https://app.example.test/below/page");
  for (const options of KINDS) {
    const kind = JSON.stringify(options);
    const name = ({ host: "__Host-", secure: "__Secure-" }[options.prefix] ?? "") + "a";
    for (const value of ["%3B=1", "2"]) {
      assert.equal(await call(page, "setCookie", "a", value, options), null, kind);
      assert.equal(await call(page, "getCookie", name), value, kind);
    }
    assert.equal((await context.cookies()).length, 1, kind);
    assert.equal(await call(page, "deleteCookie", "a", options), null, kind);
    assert.equal(await call(page, "getCookie", name), null, kind);
    assert.deepEqual(await context.cookies(), [], kind);
    assert.equal(await call(page, "deleteCookie", "a", options), null, `${kind}, again`);
  }
}
