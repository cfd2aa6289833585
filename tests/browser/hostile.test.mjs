// The part of the hostile scenarios that is marked for it, over HTTP, against the built package in Chromium. What each
// must come to stands in tests/hostile/scenarios.json.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { listen } from "../../www/server/http.mjs";
import { browserScenarios, CLIENT_ID, hostileServer, Issuer } from "../hostile/server.mjs";
import { everythingStored, openSuite } from "./harness.mjs";
import { BOTH, testIn } from "./modes.mjs";
import { unpacked } from "./secrets.mjs";

const suite = await openSuite();
const scenarios = await browserScenarios();
const issuers = new Map();
const stolen = [];
/** The app's pages. */
let app, bye;
let host, server, attacker;

before(async () => {
  [host, server, attacker] = [await listen(0), await listen(0), await listen(0)];
  host.handle(serveApp);
  suite.origins.push(host.origin);
  [app, bye] = [`${host.origin}/app.html`, `${host.origin}/bye.html`];
  server.handle(hostileServer(issuers));
  attacker.handle((request, response) => {
    stolen.push(`${request.method} ${request.url}`);
    const cors = { "access-control-allow-origin": "*", "access-control-allow-headers": "*" };
    response.writeHead(200, { ...cors, "content-type": "application/json" }).end("{}");
  });
});
after(() => Promise.all([suite.close(), host.close(), server.close(), attacker.close()]));

const PAGE = `<!doctype html>
<link rel="icon" href="data:,">
<script type="module" src="/probe.js"></script>`;

/** The probe without the demo's policy, which would forbid these servers. */
async function serveApp(request, response) {
  const { pathname, href } = new URL(request.url, host.origin);
  if ([app, bye].some((page) => href.startsWith(page))) {
    return response.writeHead(200, { "content-type": "text/html" }).end(PAGE);
  }
  const file = await fetch(suite.url(pathname.slice(1)));
  response.writeHead(file.status, { "content-type": file.headers.get("content-type") });
  response.end(Buffer.from(await file.arrayBuffer()));
}

function openIssuer(scenario) {
  const at = (name) => `${server.origin}/${name}`;
  const issuer = new Issuer(scenario, at(scenario.name), { honest: at("honest"), attacker: attacker.origin });
  issuers.set(scenario.name, issuer);
  return issuer;
}

const clientOptions = ({ issuer, scenario }) => ({
  issuer,
  clientId: CLIENT_ID,
  redirectUri: app,
  postLogoutRedirectUri: bye,
  scope: "openid profile offline_access",
  api: `${issuer}/api`,
  ...scenario.options,
});

/** The steps, in the page: what each comes to, as a code. */
function runStep(page, step, argument) {
  return page.evaluate(
    async ([name, given]) => {
      const { client } = globalThis;
      const steps = {
        open: async () => void (globalThis.client = await globalThis.createAuthClient(given)),
        prepare: async () => {
          await client.prepare();
          return { url: client.createAuthorizeUrl().url };
        },
        callback: () => client.handleCallback(given),
        api: async () => {
          let stepUp = false;
          const stop = client.on("stepUpRequired", () => (stepUp = true));
          const response = await client.fetch(given);
          stop();
          return response.ok ? undefined : { code: stepUp ? "step_up" : "passed_on" };
        },
        userinfo: () => client.userInfo(),
        refresh: () => client.getToken({ forceRefresh: true }),
        revoke: () => client.revoke("all"),
        front_channel: async () => ((await client.handleFrontChannelLogout(given)) ? undefined : { code: "ignored" }),
        return: () => client.handleSignOutCallback(),
      };
      try {
        const { code = "ok", url } = (await steps[name](given)) ?? {};
        return { code, url };
      } catch (error) {
        if (!globalThis.isAuthError(error)) throw error;
        return { code: error.code, text: JSON.stringify(error) + String(error) + error.stack };
      }
    },
    [step, argument],
  );
}

/** Runs a scenario to its first step that does not go well; tells which, and what was requested in it. */
async function runScenario(page, issuer) {
  const options = clientOptions(issuer);
  const outcomes = new Map();
  const run = async (step, argument, as = step) => {
    issuer.requests.length = 0;
    const outcome = await runStep(page, step, argument);
    outcomes.set(as, [...issuer.requests]);
    return { step: as, ...outcome };
  };
  const open = async () => {
    issuer.forgetNonce();
    assert.equal((await runStep(page, "open", options)).code, "ok");
  };
  await page.goto(app);
  await open();
  const prepared = await run("prepare");
  if (prepared.code !== "ok") return { ending: prepared, outcomes };
  await page.goto(prepared.url);
  await open();
  const [last, argument] = {
    revoke: ["revoke"],
    front_channel: ["front_channel", issuer.frontChannel(`${host.origin}/logged-out`)],
  }[issuer.scenario.changes[0]?.message] ?? ["sign_out"];
  const api = `${issuer.issuer}/api?x=1`;
  const steps = [["callback"], ["api", api], ["userinfo"], ["refresh"], ["api", api, "api_again"]];
  if (last !== "sign_out") steps.push([last, argument]);
  for (const step of steps) {
    const ending = await run(...step);
    if (step[0] === "callback") assert.equal(page.url(), app, "the URL is cleaned");
    if (ending.code !== "ok") return { ending, outcomes };
  }
  if (last !== "sign_out") return { ending: { step: "end", code: "ok" }, outcomes };
  return { ending: await signOut(page, open, run), outcomes };
}

async function signOut(page, open, run) {
  await page.evaluate(() => void globalThis.client.signOut({ revoke: true }));
  await page.waitForURL(`${bye}*`);
  await open();
  const ending = await run("return");
  assert.equal(page.url(), bye, "the URL is cleaned");
  return ending.code === "ok" ? { step: "end", code: "ok" } : ending;
}

/** In the same page, with the same engine: a whole sign-in at a server that is honest. */
async function finishHonestly(page) {
  const issuer = openIssuer({ name: "honest", changes: [], options: {} });
  assert.equal((await runStep(page, "open", clientOptions(issuer))).code, "ok");
  const { url } = await runStep(page, "prepare");
  const response = await fetch(url, { redirect: "manual" });
  const location = response.headers.get("location");
  const { code } = await runStep(page, "callback", location);
  assert.equal(code, "ok", "an honest sign-in in the same page");
  assert.deepEqual(issuer.complaints, []);
  return [issuer, url, location];
}

/** What was secret at servers of this file, for the scan. What came to the app's URL is a code. */
function secretsAt(servers, urls) {
  const secrets = new Map();
  for (const { issued, verifiers } of servers) {
    const responses = urls.filter((url) => url.startsWith(app)).map((url) => url + unpacked(url));
    const isCode = (secret) => responses.some((response) => response.includes(secret));
    for (const secret of issued) secrets.set(secret, isCode(secret) ? "code" : "token");
    for (const verifier of verifiers) secrets.set(verifier, "verifier");
  }
  for (const { searchParams } of urls.map((url) => new URL(url))) {
    for (const name of ["state", "nonce"]) if (searchParams.get(name)?.length > 16) secrets.set(searchParams.get(name), name);
  }
  return secrets;
}

async function check(tab, scenario) {
  const { page, complaints } = tab;
  stolen.length = 0;
  const urls = [];
  const note = (request) => request.isNavigationRequest() && urls.push(request.url());
  page.on("request", note);
  for (const change of scenario.changes) change.met = 0;
  const issuer = openIssuer(scenario);
  const { ending, outcomes } = await runScenario(page, issuer);
  const expected = { step: scenario.code === "ok" ? "end" : scenario.step, code: scenario.code };
  assert.deepEqual({ step: ending.step, code: ending.code }, expected, ending.text);
  if (scenario.why) assert.ok(ending.text.includes(scenario.why), `${ending.text} does not say ${scenario.why}`);
  if (scenario.requests) assert.deepEqual(outcomes.get(scenario.step), scenario.requests);
  const isSignedIn = await page.evaluate(() => globalThis.client.state.status === "authenticated");
  assert.equal(isSignedIn, scenario.session, "a session");
  const stored = isSignedIn && scenario.options.storage ? "" : await everythingStored(page);
  for (const secret of issuer.issued) {
    assert.ok(!stored.includes(secret), "a code or token is stored");
    assert.ok(!ending.text?.includes(secret), "a code or token is in the error");
  }
  issuer.requests.length = 0;
  const [honest, ...seen] = await finishHonestly(page);
  const secrets = secretsAt([issuer, honest], [...urls, ...seen]);
  assert.ok(secrets.size > 2, "there are secrets to look for");
  assert.deepEqual(await suite.leaks(tab, secrets), [], "secrets out of their place");
  assert.deepEqual(issuer.requests, [], "requests afterwards");
  assert.deepEqual(stolen, [], "requests to the attacker");
  assert.deepEqual(issuer.complaints, []);
  // The browser's own words on requests that it ended, or that were answered so.
  const own = /Failed to load resource|blocked by CORS|ERR_/;
  assert.deepEqual(complaints.splice(0).filter((text) => !own.test(text)), []);
}

test("at least thirty scenarios, of all kinds of messages", (context) => {
  const groups = new Set(scenarios.map(({ group }) => group));
  assert.ok(scenarios.length >= 30);
  assert.equal(groups.size, 14);
  context.diagnostic(`${scenarios.length} scenarios in Chromium`);
});

/**
 * The same engine judges in a worker: that what it says of each kind of message gets through is shown by one of a kind.
 * Where requests are counted, one that was there before the page has fewer to make.
 */
const inBoth = new Map();
for (const scenario of scenarios) {
  const { group, options, requests } = scenario;
  if (!options.storage && !requests && !inBoth.has(group)) inBoth.set(group, scenario);
}

for (const scenario of scenarios) {
  const modes = inBoth.get(scenario.group) === scenario ? BOTH : ["page"];
  testIn(suite, modes)(`${scenario.group}: ${scenario.name}`, suite.withPage((tab) => check(tab, scenario)));
}
