// A suite over the stand-in of a real system, with a page that has the package and the profiles.

import assert from "node:assert/strict";

import { staticPage } from "../../www/server/page.mjs";
import { listen, observed } from "../../www/server/http.mjs";
import { form } from "./full-suite.mjs";
import { openSuiteOver, startOver } from "./harness.mjs";
import { BOTH, testIn } from "./modes.mjs";

export { form, payload } from "./full-suite.mjs";

const PAGE = "provider-probe.html";

/** @param {(app: { pageUrl: string, callback: string, observe: Function }) => Promise<object>} start Starts the stand-in. */
export async function openProviderSuite(start) {
  let server;
  const started = await startOver(async ({ dist, observe }) => {
    const page = await listen(0);
    server = await start({ pageUrl: page.origin, callback: `${page.origin}/${PAGE}`, observe });
    const handler = staticPage({ config: {}, issuer: server.origin, apiUrl: server.origin, dist });
    page.handle(observed("page", handler, observe));
    return { pageUrl: `${page.origin}/`, close: () => Promise.all([page.close(), server.close()]) };
  }, PAGE, "either");
  const suite = await openSuiteOver(started);
  const { withPage } = suite;
  return Object.assign(suite, {
    server,
    /** As {@link suite.withPage}, with a server that has forgotten the test before. */
    withPage(body, options) {
      const test = withPage.call(suite, body, options);
      return () => {
        server.reset();
        return test();
      };
    },
    open: (page) => page.goto(suite.url(PAGE)),
    /** What the server was asked at this path, without preflights. */
    asked: (path) => server.seen(path),
  });
}

/**
 * For one test of each kind: in the vault too. A profile is data, and the same engine judges by it there. So would the others
 * pass, but those that move the page's clock, read its console, share its storage or build a URL without `prepare`.
 */
export const inBoth = (suite) => testIn(suite, BOTH);

/**
 * Leaves the page for the server, which answers at once; gives the URL of its answer, not yet handled.
 * @param {[name: string, place: object]} profile
 */
export async function answerAt(page, suite, profile, options = {}, signIn = {}) {
  await suite.open(page);
  const landed = page.waitForURL(({ pathname, search }) => pathname === `/${PAGE}` && /[?&](code|error)=/.test(search));
  await page.evaluate(
    async ([profile, options, signIn]) => {
      const client = await openProvider(profile, options);
      void client.signIn(signIn);
    },
    [profile, options, signIn],
  );
  await landed;
  return page.url();
}

/** On the page of an answer: handles it; the client is `globalThis.client` then. */
export function handleAt(page, profile, options = {}) {
  return page.evaluate(
    async ([profile, options]) => {
      globalThis.client = await openProvider(profile, options);
      return outcome(client.handleCallback());
    },
    [profile, options],
  );
}

/** Signs in, from the first page to the session. */
export async function signInAt(page, suite, profile, options = {}, signIn = {}) {
  await answerAt(page, suite, profile, options, signIn);
  return handleAt(page, profile, options);
}

/** A `fetch` with what somebody typed in, as `globalThis.client.fetch`; or why there is none. */
export const withCredential = (page, credential, api) =>
  page.evaluate(
    ([credential, api]) =>
      refusal(() => {
        globalThis.client = { fetch: createCredentialFetch(credential, { api }) };
      }),
    [credential, api],
  );

/** Is it the exchange of a code by a public client: with a verifier, and without anything that is to be kept secret? */
export function assertPublicExchange(request) {
  const fields = ["client_id", "code", "code_verifier", "grant_type", "redirect_uri"];
  assert.deepEqual(Object.keys(form(request)).sort(), fields);
  assert.deepEqual([request.headers.cookie, request.headers.authorization], [undefined, undefined]);
}

/** A request of the client's `fetch`. */
export const call = (page, url, init) => page.evaluate(([url, init]) => outcome(client.fetch(url, init)), [url, init]);

export const status = (page) => page.evaluate(() => client.state.status);
