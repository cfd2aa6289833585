// Where the engine and the tokens can be, and tests that run there and there.

import assert from "node:assert/strict";
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

/** For what a person meets first. */
export const ALL = Object.keys(MODES);

/** The modes that whoever runs the tests has asked for: `MODES=worker,fallback`. */
const asked = process.env.MODES?.split(",");
for (const mode of asked ?? []) assert.ok(ALL.includes(mode), `there is no mode "${mode}"`);

/** Those that every browser of today has; or, in their place, those that were asked for. */
export const BOTH = asked ?? ["page", "shared"];

/**
 * As `test` of `node:test`, once for each mode that was asked for; `suite.mode` tells which it is.
 * @param {{ mode: Mode | undefined }} suite
 * @param {Mode[]} modes
 */
export const testIn = (suite, modes) => (name, body) => {
  const wanted = modes.filter((one) => !asked || asked.includes(one));
  if (!wanted.length) test(name, { skip: `only as ${modes.join(", ")}` });
  for (const mode of wanted) {
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
