// Sign-in that another site begins (OpenID Connect Core 4): for our issuer and a page of ours only, and in no frame.

import assert from "node:assert/strict";
import { after } from "node:test";

import { openFullSuite, PROBE } from "./full-suite.mjs";
import { BOTH, testIn } from "./modes.mjs";

const suite = await openFullSuite();
after(() => suite.close());

const test = testIn(suite, BOTH);

const link = (parameters) => `${suite.url(PROBE)}?${new URLSearchParams(parameters)}`;
const authorizations = () => suite.seen("as", "/auth?");

/** Follows a link and handles it; true leaves the page. */
async function follow(page, parameters) {
  await page.goto(link(parameters));
  return page.evaluate(async () => {
    globalThis.client = await globalThis.openClient();
    return globalThis.outcome(client.handleInitiatedLogin());
  });
}

test(
  "a link for our issuer begins a sign-in with its hint, and comes back to the page that it names",
  suite.withPage(async ({ page }) => {
    const target = suite.url("notes?page=2");
    const navigated = page.waitForURL((url) => url.origin === suite.demo.issuer);
    assert.equal(await follow(page, { iss: suite.demo.issuer, login_hint: "bob", target_link_uri: target }), true);
    await navigated;
    assert.equal(await page.getByLabel("Name").inputValue(), "bob");
    const [{ path }] = authorizations();
    const parameters = new URL(path, suite.demo.issuer).searchParams;
    assert.equal(parameters.get("login_hint"), "bob");
    assert.equal(parameters.get("prompt"), null);
    await page.getByLabel("Password").fill("workshop");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("button", { name: "Allow" }).click();
    await page.waitForURL(`**/${PROBE}?*`);
    const result = await page.evaluate(async () => (await globalThis.openClient()).handleCallback());
    assert.deepEqual([result.user.sub, result.returnTo], ["bob", "/notes?page=2"]);
  }),
);

const refused = {
  "another issuer": () => ({ iss: "https://attacker.example" }),
  "no issuer": () => ({ login_hint: "bob" }),
  "the issuer twice": () => [["iss", suite.demo.issuer], ["iss", "https://attacker.example"]],
  "a target on another origin": () => ({ iss: suite.demo.issuer, target_link_uri: "https://attacker.example/" }),
  "a target that only begins like ours": () => ({
    iss: suite.demo.issuer,
    target_link_uri: `${suite.url().slice(0, -1)}.attacker.example/`,
  }),
  "a script as target": () => ({ iss: suite.demo.issuer, target_link_uri: "javascript:alert(1)" }),
  "an authorization response": () => ({ iss: suite.demo.issuer, code: "c", state: "s" }),
};

for (const [what, parameters] of Object.entries(refused)) {
  test(
    `a link with ${what} begins nothing`,
    suite.withPage(async ({ page }) => {
      assert.equal(await follow(page, parameters()), false);
      assert.equal(page.url(), link(parameters()), "it is left alone");
      assert.equal(authorizations().length, 0);
      assert.deepEqual(await page.evaluate(() => ({ ...sessionStorage })), {});
    }),
  );
}

test(
  "in a frame nothing begins, whatever the link",
  suite.withPage(async ({ page, records }) => {
    // The demo's page forbids frames; an app that does not is to be as safe.
    await page.route(`**/${PROBE}*`, async (route) => {
      const response = await route.fetch();
      const { "content-security-policy": _, ...headers } = response.headers();
      await route.fulfill({ response, headers });
    });
    const url = link({ iss: suite.demo.issuer });
    await page.route("https://attacker.example/", (route) =>
      route.fulfill({ contentType: "text/html", body: `<iframe src="${url.replace("&", "&amp;")}"></iframe>` }),
    );
    await page.goto("https://attacker.example/");
    const frame = page.frames().find((one) => one.url() === url) ?? (await page.waitForEvent("framenavigated"));
    await frame.waitForFunction(() => globalThis.openClient);
    const begun = await frame.evaluate(async () => (await globalThis.openClient()).handleInitiatedLogin());
    assert.equal(begun, false);
    assert.equal(frame.url(), url);
    // A frame of another site is denied the worker and locks, and goes without.
    records.splice(0, records.length, ...records.filter(({ channel }) => channel !== "isolation"));
    assert.equal(authorizations().length, 0);
  }),
);
