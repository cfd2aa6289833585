// The demo as a person meets it: keyboard alone, small screens, dark mode, reduced motion, and its security headers.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { logIn, openDemo, openSuite, signIn, troubleCode } from "./harness.mjs";

const AA_TEXT = 4.5; // WCAG 2.2, 1.4.3

const suite = await openSuite();
after(() => suite.close());

/** Presses Tab until the element has the focus, and checks that the focus can be seen there. */
async function tabTo(page, selector) {
  for (let presses = 0; presses < 40; presses += 1) {
    await page.keyboard.press("Tab");
    if (await page.evaluate((wanted) => document.activeElement.matches(wanted), selector)) {
      return assertFocusVisible(page, selector);
    }
  }
  assert.fail(`${selector} cannot be reached by Tab`);
}

async function assertFocusVisible(page, selector) {
  // A page that has just come gives the focus with its first picture.
  await page.waitForFunction((wanted) => document.activeElement?.matches(wanted), selector);
  const outline = await page.locator(selector).evaluate((element) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    return { style: outlineStyle, width: Number.parseFloat(outlineWidth) };
  });
  assert.equal(outline.style, "solid", selector);
  assert.ok(outline.width >= 2, selector);
}

test(
  "the whole flow works by keyboard, and the focus is always somewhere visible",
  suite.withPage(async ({ page }) => {
    await openDemo(page, suite);
    await page.keyboard.press("Tab");
    await assertFocusVisible(page, ".skip");
    await page.keyboard.press("Enter");
    await tabTo(page, "#sign-in");
    await page.keyboard.press("Enter");

    await page.getByLabel("Password").waitFor();
    await assertFocusVisible(page, "[name=username]");
    await page.keyboard.type("alice");
    await tabTo(page, "[name=password]");
    await page.keyboard.type("wonderland");
    await page.keyboard.press("Enter");

    await page.getByRole("button", { name: "Allow" }).waitFor();
    await assertFocusVisible(page, "[value=allow]");
    await page.keyboard.press("Enter");

    await page.getByRole("heading", { name: "Hello, Alice." }).waitFor();
    await tabTo(page, "#api-with");
    await page.keyboard.press("Enter");
    await page.getByText("200 OK").waitFor();
    await assertFocusVisible(page, "#api-with");

    await page.keyboard.press("Shift+Tab");
    await assertFocusVisible(page, "#forget");
    await page.keyboard.press("Enter");
    await page.locator("#sign-in").waitFor();
    await assertFocusVisible(page, "#signed-out-title");
    await tabTo(page, "#sign-in");
  }),
);

test(
  "dismissing an error by keyboard leads back to the page",
  suite.withPage(async ({ page }) => {
    await page.goto(suite.url(`callback?code=x&state=forged&iss=${encodeURIComponent(suite.demo.issuer)}`));
    await troubleCode(page);
    await assertFocusVisible(page, "#trouble-title");
    await tabTo(page, "#trouble-dismiss");
    await page.keyboard.press("Enter");
    await assertFocusVisible(page, "#signed-out-title");
  }),
);

/** Stops at each view of the demo and of the authorization server. */
async function eachView(page, visit) {
  await openDemo(page, suite);
  await visit("signed out");
  await page.locator("#sign-in").click();
  await logIn(page, "alice", "wrong");
  await page.getByRole("alert").waitFor();
  await visit("login, failed");
  await logIn(page);
  await page.getByRole("button", { name: "Deny" }).waitFor();
  await visit("consent");
  await page.getByRole("button", { name: "Deny" }).click();
  await troubleCode(page);
  await visit("denied");
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("button", { name: "Allow" }).click();
  await page.getByRole("heading", { name: "Hello, Alice." }).waitFor();
  await page.getByRole("button", { name: "Read my notes" }).click();
  await page.getByText("200 OK").waitFor();
  await visit("signed in");
  await page.getByRole("button", { name: "Without a token" }).click();
  await page.getByText("401 Unauthorized").waitFor();
  await visit("refused by the API");
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("button", { name: "Yes, sign me out" }).waitFor();
  await visit("sign out");
}

for (const width of [320, 390]) {
  test(
    `no view scrolls sideways at ${width} px`,
    suite.withPage(
      async ({ page }) => {
        await eachView(page, async (view) => {
          const needed = await page.evaluate(() => document.documentElement.scrollWidth);
          assert.ok(needed <= width, `${view} needs ${needed} px`);
        });
      },
      { viewport: { width, height: 800 } },
    ),
  );
}

for (const colorScheme of ["light", "dark"]) {
  test(
    `text is legible in the ${colorScheme} scheme`,
    suite.withPage(
      async ({ page }) => {
        await eachView(page, async (view) => {
          const texts = await page.evaluate(contrasts);
          assert.ok(texts.length >= 5, `${view} has text`);
          const poor = texts.filter(({ ratio }) => ratio < AA_TEXT);
          assert.deepEqual(poor, [], view);
        });
      },
      // Colours are measured at rest, not on their way from one to another.
      { colorScheme, reducedMotion: "reduce" },
    ),
  );
}

/** In the page: the contrast of every visible text with the colour behind it (WCAG 2.2, relative luminance). */
function contrasts() {
  const channels = (color) => color.match(/[\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = channels(getComputedStyle(at).backgroundColor);
      if (color[3] !== 0) return color;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.data.trim();
    const element = walker.currentNode.parentElement;
    if (!text || element.closest("script, style, noscript") || !element.checkVisibility()) continue;
    const [light, dark] = [channels(getComputedStyle(element).color), behind(element)]
      .map(luminance)
      .sort((a, b) => b - a);
    found.push({ text, ratio: (light + 0.05) / (dark + 0.05) });
  }
  return found;
}

test(
  "nothing moves for those who asked for less motion",
  suite.withPage(
    async ({ page }) => {
      await openDemo(page, suite);
      await signIn(page);
      const moving = await page.evaluate(() =>
        [...document.querySelectorAll("*")]
          .filter((element) => Number.parseFloat(getComputedStyle(element).transitionDuration) > 0)
          .map((element) => element.outerHTML),
      );
      assert.deepEqual(moving, []);
    },
    { reducedMotion: "reduce" },
  ),
);

test(
  "a storage entry is shown by name as soon as it is there",
  suite.withPage(async ({ page }) => {
    await openDemo(page, suite);
    const row = page.getByRole("row", { name: "localStorage" });
    assert.match(await row.textContent(), /Nothing/);
    await page.evaluate(() => localStorage.setItem("left-behind", "1"));
    await row.getByText("left-behind").waitFor();
  }),
);

test("the page is served with a strict policy", async () => {
  const response = await fetch(suite.url());
  const policy = new Map(
    response.headers
      .get("Content-Security-Policy")
      .split("; ")
      .map((directive) => [directive.split(" ")[0], directive.split(" ").slice(1).join(" ")]),
  );
  const { issuer, apiUrl } = suite.demo;
  assert.deepEqual(Object.fromEntries(policy), {
    "default-src": "'none'",
    "script-src": "'self' 'wasm-unsafe-eval'",
    "style-src": "'self'",
    "connect-src": `'self' ${issuer} ${apiUrl}`,
    "frame-src": `'self' ${issuer}`,
    "img-src": "'self'",
    "font-src": "'self'",
    "base-uri": "'none'",
    "form-action": `'self' ${issuer}`,
    "frame-ancestors": "'none'",
    "require-trusted-types-for": "'script'",
  });
  assert.equal(response.headers.get("Referrer-Policy"), "no-referrer");
  assert.equal(response.headers.get("X-Content-Type-Options"), "nosniff");
  const engine = await fetch(suite.url("wardkey.wasm"));
  assert.equal(engine.headers.get("Content-Type"), "application/wasm");
});
