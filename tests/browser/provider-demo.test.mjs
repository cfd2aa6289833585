// The demo on each of the stand-ins, as a person meets it: `cargo xtask demo --provider NAME`.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

import { PROVIDER_NAMES, startProviderDemo } from "../../www/server/providers.mjs";
import { openSuiteOver, startOver } from "./harness.mjs";

const demos = new Map();
const started = await startOver(async ({ dist }) => {
  for (const name of PROVIDER_NAMES) demos.set(name, await startProviderDemo(name, { port: 0, dist }));
  const close = () => Promise.all([...demos.values()].map((demo) => demo.close()));
  return { pageUrl: demos.get(PROVIDER_NAMES[0]).pageUrl, close };
});
const suite = await openSuiteOver(started);
after(() => suite.close());

for (const [name, { pageUrl, system, server }] of demos) {
  test(
    `the demo on ${name}: its configuration is there, a person signs in, asks the API, and signs out`,
    suite.withPage(async ({ page }) => {
      await page.goto(pageUrl);
      assert.match(await page.locator("#configuration").textContent(), /wardkey\/providers/);
      await page.locator("#sign-in").click();
      await page.getByText(`Stand-in for ${system}`).waitFor();
      await page.getByLabel("User name").fill("alice");
      await page.getByRole("button", { name: /^(Allow|Sign in)$/ }).click();
      // DocSpace asks on a second page.
      const allow = page.getByRole("button", { name: "Allow" });
      const home = page.getByRole("heading", { name: `You are signed in to ${system}.` });
      await allow.or(home).waitFor();
      if (await allow.isVisible()) await allow.click();
      await home.waitFor();
      assert.equal(page.url(), pageUrl);
      await page.locator("#request-0").click();
      await page.getByText("200 OK").waitFor();
      await page.getByRole("button", { name: "To another origin" }).click();
      await page.getByText("origin_not_allowed").waitFor();
      assert.match(
        await page.locator("#storage-words").textContent(),
        /You are signed in all the same|No token is there/,
      );
      assert.ok(await page.locator("#trouble").isHidden());
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByRole("heading", { name: `Sign in to ${system}.` }).waitFor();
      assert.equal(await page.locator("#presence").textContent(), "Signed out");
      assert.ok(server.log.length > 0);
    }),
  );
}

test(
  "the demo on laserfiche: what a person does not allow is shown as missing, and is not sent",
  suite.withPage(async ({ page }) => {
    const { pageUrl, server } = demos.get("laserfiche");
    await page.goto(pageUrl);
    await page.locator("#sign-in").click();
    await page.getByLabel("User name").fill("alice");
    await page.getByLabel("repository.Write").uncheck();
    await page.getByRole("button", { name: "Allow" }).click();
    await page.getByText("repository.Write, not granted").waitFor();
    await page.getByRole("button", { name: "Delete an entry" }).click();
    await page.getByText("scope_missing").waitFor();
    assert.equal(server.log.filter(({ method }) => method === "DELETE").length, 0);
  }),
);

test("a provider that is none is refused in one line", async () => {
  const script = fileURLToPath(new URL("../../www/server/demo.mjs", import.meta.url));
  const demo = spawn(process.execPath, [script, "--provider", "elsewhere"], { stdio: ["ignore", "ignore", "pipe"] });
  let complaint = "";
  demo.stderr.on("data", (chunk) => (complaint += chunk));
  const [code] = await once(demo, "close");
  assert.equal(code, 1);
  assert.match(complaint, /The demo cannot start: --provider is one of laserfiche, /);
});
