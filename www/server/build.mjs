// Builds www/dist with esbuild, as an app that uses the package would.

import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));

/**
 * @param {string} [outdir] Is emptied first.
 * @param {import("esbuild").Plugin[]} [plugins] (For tests.)
 */
export async function buildPage(outdir = path("dist"), plugins = []) {
  await rm(outdir, { recursive: true, force: true });
  await build({
    entryPoints: [
      { in: path("src/main.ts"), out: "main" },
      { in: path("src/silent.ts"), out: "silent" },
      { in: path("src/provider.ts"), out: "provider" },
      { in: path("style.css"), out: "style" },
      // The engine, beside the bundle: there `new URL("./wardkey.wasm", import.meta.url)` finds it, and so does the
      // <link rel="preload"> of index.html.
      { in: "wardkey/wasm", out: "wardkey" },
    ],
    loader: { ".wasm": "copy" },
    outdir,
    absWorkingDir: path(""),
    bundle: true,
    format: "esm",
    target: "es2022",
    minify: true,
    sourcemap: false,
    plugins,
    logLevel: "warning",
  });
  for (const file of ["silent.html", "mark.svg"]) await cp(path(file), join(outdir, file));
  for (const file of ["index.html", "provider.html"]) await writeFile(join(outdir, file), await framed(file));
}

/** The frame, with the templates of a page in the slots of their names; a slot that a page has nothing for goes. */
async function framed(file) {
  const templates = (await readFile(path(file), "utf8")).matchAll(/^<template id="(\w+)">\n(.*?)^<\/template>$/gms);
  const parts = new Map(Array.from(templates, ([, name, html]) => [name, html]));
  const take = (_, name) => {
    const html = parts.get(name) ?? "";
    parts.delete(name);
    return html;
  };
  const html = (await readFile(path("frame.html"), "utf8")).replace(/^ *<slot name="(\w+)"><\/slot>\n/gm, take);
  if (parts.size > 0) throw new Error(`${file} has what frame.html has no slot for: ${[...parts.keys()].join()}`);
  return html;
}
