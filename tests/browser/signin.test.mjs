// Signing in at a real authorization server, and what the demo page makes of it.

import assert from "node:assert/strict";
import { after } from "node:test";

import { logIn, openDemo, openSuite, presence, signIn, troubleCode } from "./harness.mjs";
import { ALL, BOTH, testIn } from "./modes.mjs";

/** Seconds that an access token lives. */
let lifetime = 600;
const extend = (configuration) => ({ ...configuration, ttl: { ...configuration.ttl, AccessToken: () => lifetime } });

const suite = await openSuite({ extend });
after(() => suite.close());

const test = testIn(suite, BOTH);
const testEverywhere = testIn(suite, ALL);
const testOnPage = testIn(suite, ["page"]);
const testInVault = testIn(suite, ["shared"]);

testEverywhere(
  "a person signs in, consents, and is greeted",
  suite.withPage(async ({ page }) => {
    await openDemo(page, suite);
    assert.equal(await presence(page), "Signed out");
    await signIn(page);

    assert.equal(await presence(page), "Signed in");
    assert.equal(page.url(), suite.url());
    assert.equal(await page.locator("#user-name").textContent(), "Alice Liddell");
    assert.equal(await page.locator("#user-email").textContent(), "alice@example.com");
    assert.equal(await page.locator("#user-sub").textContent(), "alice");
    assert.equal(await page.locator("#portrait").textContent(), "AL");
    assert.equal(await page.locator("#announcement").textContent(), "Signed in as Alice Liddell.");
    const scopes = await page.locator("#scopes li").allTextContents();
    assert.deepEqual(scopes.sort(), ["email", "notes.read", "openid", "profile"]);
  }),
);

test(
  "the authorization request has PKCE with S256, state and nonce, and nothing of the page",
  suite.withPage(async ({ page }) => {
    await openDemo(page, suite);
    await signIn(page);
    const [request] = suite.seen("as", "/auth?");
    const parameters = new URL(request.path, suite.demo.issuer).searchParams;
    assert.equal(parameters.get("response_type"), "code");
    assert.equal(parameters.get("code_challenge_method"), "S256");
    assert.match(parameters.get("code_challenge"), /^[\w-]{43}$/);
    assert.ok(parameters.get("state").length >= 27, "at least 160 bits");
    assert.ok(parameters.get("nonce").length >= 27, "at least 160 bits");
    assert.equal(request.headers.referer, undefined);
    const [{ body, status }] = suite.tokenRequests();
    assert.equal(status, 200, body);
  }),
);

test(
  "the time to expiry counts down",
  suite.withPage(async ({ page }) => {
    await openDemo(page, suite);
    await signIn(page);
    const expiry = page.locator("#expiry");
    const first = await expiry.textContent();
    assert.match(first, /^in (10:00|9:[345]\d)$/);
    await page.locator("#expiry", { hasNotText: first }).waitFor();
    assert.match(await expiry.textContent(), /^in 9:[345]\d$/);
  }),
);

/** The page has told that the time is up, and asks nobody any more. */
async function assertExpired(page) {
  assert.equal(await troubleCode(page), "session_expired");
  assert.equal(await presence(page), "Signed out");
  await page.getByRole("button", { name: "Read my notes" }).click();
  await page.locator("#answer-words", { hasText: "Your time is up." }).waitFor();
  assert.equal(suite.seen("api").length, 0);
}

testOnPage(
  "when the token runs out, the page says so and no request goes out",
  suite.withPage(async ({ page }) => {
    await page.clock.install();
    await openDemo(page, suite);
    await signIn(page);
    await page.clock.fastForward("09:50");
    assert.equal(await presence(page), "Signed in");
    await page.clock.fastForward("00:15");
    await assertExpired(page);
  }),
);

testInVault(
  "when the token runs out by the clock of the worker, the page says so and no request goes out",
  suite.withPage(async ({ page }) => {
    lifetime = 3;
    try {
      await openDemo(page, suite);
      await signIn(page);
      assert.equal(await presence(page), "Signed in");
      await assertExpired(page);
    } finally {
      lifetime = 600;
    }
  }),
);

test(
  "a refusal is told kindly, leaves a clean URL, and can be taken back",
  suite.withPage(async ({ page }) => {
    await openDemo(page, suite);
    await page.locator("#sign-in").click();
    await logIn(page);
    await page.getByRole("button", { name: "Deny" }).click();

    assert.equal(await troubleCode(page), "access_denied");
    assert.equal(page.url(), suite.url());
    assert.equal(await presence(page), "Signed out");
    assert.equal(suite.tokenRequests().length, 0);
    assert.equal(await page.evaluate(() => document.activeElement.id), "trouble-title");

    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("button", { name: "Allow" }).click();
    await page.getByRole("heading", { name: "Hello, Alice." }).waitFor();
  }),
);

test(
  "a wrong password stays at the authorization server",
  suite.withPage(async ({ page }) => {
    await openDemo(page, suite);
    await page.locator("#sign-in").click();
    await logIn(page, "alice", "workshop");
    await page.getByRole("alert").waitFor();
    assert.equal(new URL(page.url()).origin, suite.demo.issuer);
    assert.equal(await page.getByLabel("Name").inputValue(), "alice");
  }),
);

testInVault(
  "a reload asks nobody: the worker is there, and who is signed in in it",
  suite.withPage(async ({ page }) => {
    await openDemo(page, suite);
    await signIn(page);
    const asked = suite.seen("as").length;
    await page.reload();
    await page.getByRole("heading", { name: "Hello, Alice." }).waitFor();
    assert.equal(await presence(page), "Signed in");
    assert.equal(suite.seen("as").length, asked);
    await page.getByRole("button", { name: "Read my notes" }).click();
    await page.getByText("200 OK").waitFor();
  }),
);

testIn(suite, ALL.filter((mode) => mode !== "shared"))(
  "a reload empties the memory, and the server is asked in a hidden frame who it was",
  suite.withPage(async ({ page }) => {
    await openDemo(page, suite);
    await signIn(page);
    const [before] = suite.tokens();
    const interactions = suite.seen("as", "/interaction/").length;
    await page.reload();
    await page.getByRole("heading", { name: "Hello, Alice." }).waitFor();
    assert.equal(await presence(page), "Signed in");
    assert.equal(suite.seen("as", "/interaction/").length, interactions);
    const asked = suite.seen("as", "/auth?").at(-1);
    assert.equal(new URL(asked.path, suite.demo.issuer).searchParams.get("prompt"), "none");
    assert.equal(asked.headers["sec-fetch-dest"], "iframe");
    assert.equal(suite.tokenRequests().length, 2);
    assert.ok(!suite.tokens().slice(2).includes(before), "another token");
    assert.equal(await page.locator("iframe").count(), 0);
  }),
);

test(
  "after “Forget here” a reload asks nobody, and one click without a password signs in again",
  suite.withPage(async ({ page }) => {
    await openDemo(page, suite);
    await signIn(page);
    await page.getByRole("button", { name: "Forget here" }).click();
    await page.locator("#sign-in").waitFor();
    const asked = suite.seen("as", "/auth?").length;
    await page.reload();
    await page.locator("#sign-in").waitFor();
    assert.equal(await presence(page), "Signed out");
    assert.equal(suite.seen("as", "/auth?").length, asked);

    const interactions = suite.seen("as", "/interaction/").length;
    await page.locator("#sign-in").click();
    await page.getByRole("heading", { name: "Hello, Alice." }).waitFor();
    assert.equal(suite.seen("as", "/interaction/").length, interactions);
  }),
);

testEverywhere(
  "the API answers with the token, and refuses without it",
  suite.withPage(async ({ page }) => {
    await openDemo(page, suite);
    await signIn(page);
    await page.getByRole("button", { name: "Read my notes" }).click();
    await page.getByText("200 OK").waitFor();
    assert.match(await page.locator("#answer-body").textContent(), /"owner": "alice"/);

    await page.getByRole("button", { name: "Without a token" }).click();
    await page.getByText("401 Unauthorized").waitFor();
    assert.match(await page.locator("#answer-body").textContent(), /WWW-Authenticate: Bearer realm="notes"/);

    const asked = suite.seen("api", "/notes").filter(({ method }) => method === "GET");
    assert.deepEqual(asked.map(({ status }) => status), [200, 401]);
  }),
);

testEverywhere(
  "a token is never sent to an origin outside `api`",
  suite.withPage(async ({ page }) => {
    await openDemo(page, suite);
    await signIn(page);
    await page.getByRole("button", { name: "Read my notes" }).click();
    await page.getByText("200 OK").waitFor();
    const before = suite.seen("page", "/config.json").length;

    await page.getByRole("button", { name: "To another origin" }).click();
    await page.getByText("origin_not_allowed").waitFor();
    assert.equal(suite.seen("page", "/config.json").length, before);
    const carriers = suite.exchanges.filter(({ headers }) => headers.authorization);
    assert.deepEqual([...new Set(carriers.map(({ server }) => server))], ["api"]);
  }),
);

test(
  "without a session the API is not asked at all",
  suite.withPage(async ({ page }) => {
    await openDemo(page, suite);
    await page.getByRole("button", { name: "Read my notes" }).click();
    await page.getByText("You are not signed in.").waitFor();
    assert.equal(suite.seen("api").length, 0);
  }),
);

test(
  "a scope that the person unticked is shown as missing, and the API refuses",
  suite.withPage(async ({ page }) => {
    await openDemo(page, suite);
    await page.locator("#sign-in").click();
    await logIn(page);
    await page.getByRole("checkbox", { name: "Read your notes" }).uncheck();
    await page.getByRole("button", { name: "Allow" }).click();
    await page.getByText("notes.read, not granted").waitFor();
    await page.getByRole("button", { name: "Read my notes" }).click();
    await page.getByText("403 Forbidden").waitFor();
    assert.match(await page.locator("#answer-body").textContent(), /error="insufficient_scope"/);
  }),
);
