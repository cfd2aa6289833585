// The client as an app holds it, called in odd ways and in an odd page: whatever happens is an AuthError.

import assert from "node:assert/strict";
import { after } from "node:test";

import { listen } from "../../www/server/http.mjs";
import { authorizationResponse, openSuite, PROBE } from "./harness.mjs";
import { BOTH, testIn } from "./modes.mjs";

const suite = await openSuite();
after(() => suite.close());

const test = testIn(suite, BOTH);
/** In a worker: "an engine that traps is a typed error for who waits" (vault-worker.test.mjs). */
const testOnPage = testIn(suite, ["page", "fallback"]);

const onProbe = (work) =>
  suite.withPage(async (context) => {
    await context.page.goto(suite.url(PROBE));
    await work(context);
  });

test(
  "every throw and rejection is an AuthError, whatever the arguments",
  onProbe(async ({ page }) => {
    const outcomes = await page.evaluate(async () => {
      const client = await globalThis.openClient();
      const cycle = {};
      cycle.self = cycle;
      const hostile = new Proxy({}, { get: () => { throw new RangeError("no"); }, ownKeys: () => { throw new RangeError("no"); } });
      const attempts = {
        "no options": () => globalThis.createAuthClient(null),
        "options that throw": () => globalThis.createAuthClient(hostile),
        "an option that is a cycle": () => client.signIn({ appState: cycle }),
        "an option that is a BigInt": () => client.prepare({ maxAge: 10n }),
        "a lone surrogate": () => client.prepare({ loginHint: "\ud800" }),
        "sign-in options that are null": () => client.createAuthorizeUrl(null),
        "an unknown event": () => client.on("toString", () => {}),
        "a listener that is none": () => client.on("signedIn", "x"),
        "a logger that is none": () => globalThis.openClient({ logger: "x" }),
        "a hidden frame that shall show a page": () => client.signInSilent({ prompt: "login" }),
        "a window's features for a redirect": () => client.prepare({ features: "popup" }),
        "a URL that is a symbol": () => client.handleCallback(Symbol("url")),
        "a URL that is a function": () => client.handleCallback(() => {}),
        "a fetch of nonsense": () => client.fetch("http://["),
        "a fetch with credentials in the URL": () => client.fetch("http://user:pass@localhost/"),
        "a redirect URI that browsers spell otherwise": () => globalThis.openClient({ redirectUri: "http://127.1/cb" }),
        "a silent redirect URI that browsers spell otherwise": () =>
          globalThis.openClient({ silentRedirectUri: `${location.origin}/a/../cb` }),
      };
      const told = {};
      for (const [what, attempt] of Object.entries(attempts)) {
        try {
          await attempt();
          told[what] = "nothing";
        } catch (error) {
          told[what] = globalThis.isAuthError(error) ? error.code : `${error}`;
        }
      }
      await client.prepare();
      return { told, url: client.createAuthorizeUrl().url };
    });
    const { "sign-in options that are null": early, ...told } = outcomes.told;
    assert.equal(early, "not_initialised");
    assert.deepEqual([...new Set(Object.values(told))], ["invalid_configuration"], JSON.stringify(told));
    assert.match(outcomes.url, /code_challenge_method=S256/);
  }),
);

test(
  "the page and the engine agree on which URLs are responses",
  onProbe(async ({ page }) => {
    const disagreements = await page.evaluate(async () => {
      const client = await globalThis.openClient();
      await client.prepare();
      const authorize = new URL(client.createAuthorizeUrl().url);
      const state = authorize.searchParams.get("state");
      const issuer = authorize.origin;
      const here = `${location.origin}/probe.html`;
      const tails = ["", "?", "#", "??code=a&state=S", "?code=a&state=S", "?code=a&state=x", `?code=a&iss=${issuer}`,
        "?code=a&iss=https%3A%2F%2Fattacker.example", "?state=S", "?error=x&state=S", "#code=a&state=S", "#?code=a&state=S",
        "?%63ode=a&state=S", "?code=a&st%61te=S", "?code=%&state=S", "?code=a&state=x&state=S", "?response=x&state=S",
        "?access_token=x&state=S", "?a=1;code=a&state=S", "?code&state=S", "?code=a&state=S#x", "?code=a&state=%53", "?&code=a&&state=S",
        "?code=a+b&state=S", "?code=a&state=S%00", "?%ff=1&code=a&state=S"];
      const places = [here, `${here}/`, `${location.origin}/`, here.replace("localhost", "127.0.0.1"), here.replace("probe", "PROBE")];
      const urls = places.flatMap((place) => tails.map((tail) => place + tail.replace("S", state)));
      const wrong = [];
      for (const url of urls) {
        const error = await client.handleCallback(url).then(() => ({ code: "handled" }), (failure) => failure);
        if (client.isCallback(url) !== (error.code !== "not_mine")) wrong.push([url, client.isCallback(url), error.code]);
      }
      return { wrong, tried: urls.length };
    });
    assert.deepEqual(disagreements.wrong, []);
    assert.ok(disagreements.tried > 100);
  }),
);

testOnPage(
  "an engine that traps is named, with what helps, and no client is made of it again",
  onProbe(async ({ page }) => {
    // What the glue gets are exports that trap when they are told to.
    await page.addInitScript(() => {
      const { instantiateStreaming } = WebAssembly;
      WebAssembly.instantiateStreaming = async (...given) => {
        const { instance, module } = await instantiateStreaming.apply(WebAssembly, given);
        const guarded = (step) => (typeof step !== "function" ? step : (...rest) => {
          if (globalThis.traps) throw new WebAssembly.RuntimeError("unreachable");
          return step(...rest);
        });
        const exports = Object.fromEntries(Object.entries(instance.exports).map(([name, it]) => [name, guarded(it)]));
        return { instance: { exports }, module };
      };
    });
    for (const when of ["while a client is made", "in a step", "in a call"]) {
      await page.goto(suite.url(PROBE));
      const told = await page.evaluate(async (where) => {
        const tell = ({ name, code, message }) => ({ name, code, message });
        const client = await globalThis.openClient();
        const ways = {
          "while a client is made": () => globalThis.openClient(),
          "in a step": async () => client.createAuthorizeUrl(),
          "in a call": () => client.prepare(),
        };
        globalThis.traps = true;
        const first = await ways[where]().catch(tell);
        globalThis.traps = false;
        return [first, await globalThis.openClient().catch(tell)];
      }, when);
      for (const { name, code, message } of told) {
        assert.deepEqual([name, code], ["AuthError", "not_initialised"], when);
        assert.match(message, /reload the page/, when);
      }
    }
  }),
);

test(
  "a return path stays on the origin under a foreign base",
  suite.withPage(async ({ page }) => {
    // The demo's own policy forbids <base>; this page has none.
    const body = '<script type="module" src="/probe.js"></script><base href="http://127.0.0.1:9/">';
    await page.route(suite.url("based.html"), (route) => route.fulfill({ contentType: "text/html", body }));
    await page.goto(suite.url("based.html"));
    await page.evaluate(async () => {
      const metadata = { authorization_endpoint: `${location.origin}/a`, token_endpoint: `${location.origin}/t` };
      const { href } = new URL("/probe.html", location.origin);
      const options = { clientId: "spa", redirectUri: href, scope: "notes.read", metadata };
      const wasm = new URL("/wardkey.wasm", location.origin);
      const client = await globalThis.createAuthClient({ ...options, wasm });
      void client.signOut({ returnTo: "/config.json" });
    });
    await page.waitForURL(suite.url("config.json"));
  }),
);

test(
  "the browser's own navigation error, which quotes the URL, does not come out",
  onProbe(async ({ page }) => {
    const told = await page.evaluate(async () => {
      const metadata = { authorization_endpoint: "https://[:::::]/a", token_endpoint: "https://as.example/t" };
      const client = await globalThis.openClient({ issuer: undefined, scope: "notes.read", metadata });
      return client.signIn().catch((error) => ({ name: error.name, code: error.code, text: `${error} ${error.stack}` }));
    });
    assert.equal(told.name, "AuthError");
    assert.doesNotMatch(told.text, /code_challenge|state=/);
  }),
);

test(
  "a listener may dispose the client, and nobody is signed in on it afterwards",
  suite.withPage(async ({ page }) => {
    const url = await authorizationResponse(page, suite);
    const told = await page.evaluate(async (response) => {
      const client = await globalThis.openClient();
      client.on("signedOut", () => client.dispose());
      await client.handleCallback(response);
      const before = client.getUser()?.sub;
      // In a worker it is still under way then.
      await globalThis.outcome(client.signOutLocal());
      const error = await client.getToken().catch(({ code, message }) => ({ code, message }));
      return { before, after: client.getUser(), status: client.state.status, error };
    }, url);
    assert.equal(told.before, "alice");
    assert.equal(told.after, null);
    assert.equal(told.status, "anonymous");
    assert.deepEqual(told.error.code, "not_initialised");
    assert.match(told.error.message, /disposed/);
  }),
);

test(
  "a sign-out during a sign-in wins",
  suite.withPage(async ({ page }) => {
    const url = await authorizationResponse(page, suite);
    const told = await page.evaluate(async (response) => {
      const client = await globalThis.openClient();
      const heard = [];
      client.on("signedIn", () => heard.push("signedIn"));
      const loading = new Promise((resolve) => client.subscribe(resolve));
      const handling = client.handleCallback(response).then(() => "handled", ({ code }) => code);
      await loading;
      await client.signOutLocal();
      return { outcome: await handling, status: client.state.status, heard };
    }, url);
    assert.deepEqual(told, { outcome: "aborted", status: "anonymous", heard: [] });
  }),
);

test(
  "a fetch that the page replaced with nonsense is a typed error, or nothing to the worker; the client works on",
  onProbe(async ({ page }) => {
    const told = await page.evaluate(async () => {
      const client = await globalThis.openClient();
      const honest = globalThis.fetch;
      const used = new Response("{}");
      await used.text();
      const locked = new Response("{}");
      locked.body.getReader();
      const nonsense = [() => undefined, () => 7, () => { throw "thrown"; }, () => Promise.reject("no error"), () => ({}),
        () => Promise.resolve(used), () => Promise.resolve(locked)];
      const codes = [];
      for (const replacement of nonsense) {
        globalThis.fetch = replacement;
        codes.push(await client.prepare().then(() => "prepared", ({ code }) => code));
      }
      globalThis.fetch = honest;
      await client.prepare();
      return { codes, url: client.createAuthorizeUrl().url };
    });
    assert.deepEqual([...new Set(told.codes)], [suite.isolation === "page" ? "discovery_failed" : "prepared"]);
    assert.match(told.url, /state=/);
  }),
);

test(
  "listeners that throw or come back, and a logger that throws, disturb nobody",
  suite.withPage(async ({ page }) => {
    const url = await authorizationResponse(page, suite);
    const told = await page.evaluate(async (response) => {
      const reported = [];
      addEventListener("error", (event) => {
        reported.push(event.error?.message);
        event.preventDefault();
      });
      const client = await globalThis.openClient({ logger: () => { throw new Error("logger"); } });
      let heard = 0;
      const again = () => {
        heard += 1;
        stop();
        stop = client.subscribe(again);
      };
      let stop = client.subscribe(again);
      client.subscribe(() => { throw new Error("listener"); });
      const statuses = [];
      client.subscribe((state) => statuses.push(state.status));
      const { user } = await client.handleCallback(response);
      return { sub: user.sub, heard, statuses, reported: [...new Set(reported)].sort() };
    }, url);
    assert.deepEqual(told, {
      sub: "alice",
      heard: 2,
      statuses: ["loading", "authenticated"],
      reported: ["listener", "logger"],
    });
  }),
);

test(
  "no redirect is followed, neither with the code nor with the token",
  suite.withPage(async ({ page, complaints }) => {
    const [seen, asked] = [[], []];
    const cors = { "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*" };
    const thief = await serve((request, response) => {
      seen.push(request.url);
      response.writeHead(200, { ...cors, "Content-Type": "application/json" }).end("{}");
    });
    // The probe without the demo's policy, which would forbid these servers.
    const host = await serve(async (request, response) => {
      if (request.url === "/free.html") {
        response.writeHead(200, { "Content-Type": "text/html" }).end('<script type="module" src="/probe.js"></script>');
        return;
      }
      const file = await fetch(suite.url(request.url.slice(1)));
      response.writeHead(file.status, { "Content-Type": file.headers.get("Content-Type") });
      response.end(Buffer.from(await file.arrayBuffer()));
    });
    const token = { access_token: "secret-token", token_type: "Bearer", expires_in: 60 };
    const server = await serve((request, response) => {
      if (request.method === "OPTIONS") return response.writeHead(204, cors).end();
      asked.push(request.url);
      if (request.url === "/token") {
        response.writeHead(200, { ...cors, "Content-Type": "application/json" }).end(JSON.stringify(token));
      } else response.writeHead(request.url === "/notes" ? 302 : 307, { ...cors, Location: `${thief.origin}/stolen` }).end();
    });
    try {
      await page.goto(`${host.origin}/free.html`);
      const codes = await page.evaluate(async (origin) => {
        const open = (tokenEndpoint) =>
          globalThis.createAuthClient({
            clientId: "spa",
            redirectUri: `${location.origin}/free.html`,
            scope: "notes",
            metadata: { authorization_endpoint: `${origin}/a`, token_endpoint: tokenEndpoint },
            api: origin,
          });
        const signIn = async (client) => {
          await client.prepare();
          const { state } = client.createAuthorizeUrl();
          return client.handleCallback(`${location.origin}/free.html?code=secret-code&state=${state}`);
        };
        const code = (promise) => promise.then(() => "followed", (error) => error.code);
        const redirected = await code(signIn(await open(`${origin}/token-elsewhere`)));
        const client = await open(`${origin}/token`);
        await signIn(client);
        return [redirected, await code(client.fetch(`${origin}/notes`))];
      }, server.origin);
      assert.deepEqual(codes, ["network", "network"]);
      assert.deepEqual(asked, ["/token-elsewhere", "/token", "/notes"]);
      assert.deepEqual(seen, []);
      // The browser's own words on the two requests that it ended; on a worker's nobody hears them.
      const words = complaints.splice(0).filter((text) => /ERR_FAILED .*\/stolen/.test(text));
      assert.equal(words.length, suite.isolation === "page" ? 2 : 0);
    } finally {
      await Promise.all([thief.close(), host.close(), server.close()]);
    }
  }),
);

async function serve(handler) {
  const { origin, handle, close } = await listen(0);
  handle(handler);
  return { origin, close };
}
