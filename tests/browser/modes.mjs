// Where the engine and the tokens can be, and tests that run there and there.

import { test } from "node:test";

/** What the pages of a test import, what their browser lacks, and what `client.isolation` is then. */
export const MODES = {
  page: { entry: "wardkey", without: [], isolation: "page" },
  shared: { entry: "wardkey/worker", without: [], isolation: "shared" },
  worker: { entry: "wardkey/worker", without: ["SharedWorker"], isolation: "worker" },
  fallback: { entry: "wardkey/worker", without: ["SharedWorker", "Worker"], isolation: "page" },
};

/** Milliseconds: the page itself waits without end for what never comes. */
const TIMEOUT = 60_000;

/** @typedef {keyof typeof MODES} Mode */

/** Those that every browser of today has. */
export const BOTH = ["page", "shared"];

/** For what a person meets first. */
export const ALL = Object.keys(MODES);

/**
 * As `test` of `node:test`, once for each mode; `suite.mode` tells which it is.
 * @param {{ mode: Mode | undefined }} suite
 * @param {Mode[]} modes
 */
export const testIn = (suite, modes) => (name, body) => {
  for (const mode of modes) {
    test(`${mode}: ${name}`, { timeout: TIMEOUT }, async (context) => {
      suite.mode = mode;
      try {
        await body(context);
      } finally {
        suite.mode = undefined;
      }
    });
  }
};
