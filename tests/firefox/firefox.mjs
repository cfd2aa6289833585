// Firefox for the tests of a file, over WebDriver BiDi: one browser, and a context of its own for each test.

import assert from "node:assert/strict";

import puppeteer from "puppeteer-core";

const FIREFOX = process.env.FIREFOX ?? "/usr/bin/firefox-esr";
const TIMEOUT = 15_000;

/** @typedef {{ page: import("puppeteer-core").Page, context: import("puppeteer-core").BrowserContext, complaints: string[] }} Tab */

/** A browser whose contexts (cookies, storage, caches) do not see each other. */
export async function openFirefox() {
  const browser = await puppeteer.launch({ browser: "firefox", executablePath: FIREFOX, headless: true });
  return {
    close: () => browser.close(),
    /**
     * A test body with a fresh context. It fails on an uncaught error and on any complaint in the console, those about
     * the Content Security Policy among them.
     * @param {(tab: Tab) => Promise<void>} body
     */
    withPage: (body) => async () => {
      const context = await browser.createBrowserContext();
      const complaints = [];
      try {
        const page = await openPage(context, complaints);
        await body({ page, context, complaints });
        assert.deepEqual(complaints, []);
      } finally {
        await context.close();
      }
    },
  };
}

/** Another page of a context, which complains to the same list. */
export async function openPage(context, complaints) {
  const page = await context.newPage();
  page.setDefaultTimeout(TIMEOUT);
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (["error", "warn"].includes(message.type())) complaints.push(`${message.type()}: ${message.text()}`);
  });
  await page.evaluateOnNewDocument(() => {
    addEventListener("securitypolicyviolation", (event) => {
      console.error(`securitypolicyviolation: ${event.effectiveDirective} ${event.blockedURI}`);
    });
  });
  return page;
}
