// What a reader needs to know to judge the numbers: when, on what, with which versions.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { cpus, loadavg, release, totalmem, type } from "node:os";
import { dirname, join } from "node:path";

import { entrants } from "./contestants.mjs";

/** @param {import("playwright-core").Browser} browser */
export async function circumstances(browser, samples) {
  const processors = cpus();
  const [load] = loadavg();
  const names = new Set([...entrants.map((entrant) => entrant.package).filter(Boolean), "oidc-provider", "esbuild"]);
  const versions = await Promise.all([...names].map(async (name) => `${name} ${await version(name)}`));
  return {
    samples,
    date: new Date().toISOString().slice(0, 10),
    machine: `${processors.length} × ${processors[0].model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${type()} ${release()}`,
    load: load.toFixed(1),
    versions: [`Chromium ${browser.version()} (headless)`, `Node.js ${process.versions.node}`, ...versions],
  };
}

/** Of the package that the build finds; not all let their package.json be imported. */
async function version(name) {
  const entry = createRequire(import.meta.url).resolve.paths(name);
  for (const folder of entry) {
    try {
      return JSON.parse(await readFile(join(folder, name, "package.json"), "utf8")).version;
    } catch (error) {
      if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw error;
    }
  }
  throw new Error(`${name} is not installed: npm ci, here and in ${dirname(import.meta.dirname)}`);
}
