// Signing out: at the authorization server (OpenID Connect RP-Initiated Logout 1.0), or of this page only.

import assert from "node:assert/strict";
import { after } from "node:test";

import { openDemo, openSuite, presence, signIn, troubleCode } from "./harness.mjs";
import { ALL, BOTH, testIn } from "./modes.mjs";

const suite = await openSuite();
after(() => suite.close());

const test = testIn(suite, BOTH);
const testEverywhere = testIn(suite, ALL);

testEverywhere(
  "signing out ends the session at the server, and comes back with a state that is checked",
  suite.withPage(async ({ page }) => {
    await openDemo(page, suite);
    await signIn(page);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("button", { name: "Yes, sign me out" }).click();
    await page.locator("#sign-in").waitFor();

    assert.equal(await presence(page), "Signed out");
    assert.equal(page.url(), suite.url());
    assert.equal(await page.locator("#trouble").isVisible(), false);
    assert.equal(await page.locator("#announcement").textContent(), "Signed out, here and at the sign-in server.");

    const [request] = suite.seen("as", "/session/end?");
    const parameters = new URL(request.path, suite.demo.issuer).searchParams;
    assert.ok(suite.tokens().includes(parameters.get("id_token_hint")));
    assert.equal(parameters.get("post_logout_redirect_uri"), suite.url("signed-out"));
    const [back] = suite.seen("page", "/signed-out");
    assert.equal(new URL(back.path, suite.url()).searchParams.get("state"), parameters.get("state"));

    await page.locator("#sign-in").click();
    await page.getByLabel("Password").waitFor();
  }),
);

test(
  "a sign-out answer with a foreign state is refused, and the session stays ended",
  suite.withPage(async ({ page }) => {
    await openDemo(page, suite);
    await signIn(page);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("button", { name: "Yes, sign me out" }).waitFor();

    await page.goto(suite.url("signed-out?state=forged"));
    assert.equal(await troubleCode(page), "state_mismatch");
    await page.getByRole("heading", { name: "That sign-out was not started here." }).waitFor();
    assert.equal(await presence(page), "Signed out");
    assert.equal(page.url(), suite.url());

    await page.goBack({ waitUntil: "commit" }); // a page kept in memory does not load again
    await page.getByRole("button", { name: "Yes, sign me out" }).click();
    const announced = page.locator("#announcement", { hasText: "Signed out, here and at the sign-in server." });
    await announced.waitFor({ state: "attached" });
    assert.equal(await page.locator("#trouble").isVisible(), false);
  }),
);

test(
  "going back while signing out shows nobody's session",
  suite.withPage(async ({ page }) => {
    await openDemo(page, suite);
    await signIn(page);
    await page.getByRole("button", { name: "Read my notes" }).click();
    await page.getByText("200 OK").waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("button", { name: "Yes, sign me out" }).waitFor();
    await page.goBack({ waitUntil: "commit" }); // the page was kept in memory, with what it had there
    await page.locator("#sign-in").waitFor();
    assert.equal(await presence(page), "Signed out");
    assert.equal(await page.locator("#answer").isVisible(), false);
  }),
);

test(
  "staying signed in at the server signs out of the page all the same",
  suite.withPage(async ({ page }) => {
    await openDemo(page, suite);
    await signIn(page);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("button", { name: "Stay signed in here" }).click();
    await page.locator("#sign-in").waitFor();
    assert.equal(await presence(page), "Signed out");
  }),
);

testEverywhere(
  "forgetting here asks no server, and the token is gone from the page",
  suite.withPage(async ({ page }) => {
    await openDemo(page, suite);
    await signIn(page);
    const before = suite.seen("as").length;
    await page.getByRole("button", { name: "Forget here" }).click();
    await page.locator("#sign-in").waitFor();
    assert.equal(suite.seen("as").length, before);
    assert.equal(await presence(page), "Signed out");

    await page.getByRole("button", { name: "Read my notes" }).click();
    await page.getByText("You are not signed in.").waitFor();
    assert.equal(suite.seen("api").length, 0);
  }),
);
