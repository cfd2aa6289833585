// What a reader needs to know to judge the numbers: when, on what, with which versions.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { cpus, loadavg, release, totalmem, type } from "node:os";
import { join } from "node:path";

import { entrants } from "./contestants.mjs";

/**
 * @typedef {object} Circumstances
 * @property {number} samples
 * @property {string} date
 * @property {string} machine
 * @property {string} load At the start: where it is not far below the number of processors, the times are not to be trusted.
 * @property {string} loadAfter
 * @property {string[]} versions
 */

/** The processes that had or wanted a processor in the last minute, on average. */
export const load = () => loadavg()[0].toFixed(1);

const PACKAGES = [...entrants.map((entrant) => entrant.package).filter(Boolean), "oidc-provider", "esbuild"];

/**
 * @param {import("playwright-core").Browser} browser
 * @param {number} samples
 * @param {string[]} [packages] Those whose versions matter.
 * @returns {Promise<Omit<Circumstances, "loadAfter">>}
 */
export async function circumstances(browser, samples, packages = PACKAGES) {
  const processors = cpus();
  const gibibytes = Math.round(totalmem() / 2 ** 30);
  const versions = await Promise.all([...new Set(packages)].map(async (name) => `${name} ${await version(name)}`));
  return {
    samples,
    date: new Date().toISOString().slice(0, 10),
    machine: `${processors.length} × ${processors[0].model.trim()}, ${gibibytes} GiB, ${type()} ${release()}`,
    load: load(),
    versions: [`Chromium ${browser.version()} (headless)`, `Node.js ${process.versions.node}`, ...versions],
  };
}

/** Of the package that the build finds; not all let their package.json be imported. */
async function version(name) {
  for (const folder of createRequire(import.meta.url).resolve.paths(name)) {
    try {
      return JSON.parse(await readFile(join(folder, name, "package.json"), "utf8")).version;
    } catch (error) {
      if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw error;
    }
  }
  throw new Error(`${name} is not installed: run npm ci in the root and in bench/`);
}
