// Builds www/dist with esbuild, as an app that uses the package would.

import { cp, rm } from "node:fs/promises";
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
  for (const file of ["index.html", "provider.html", "silent.html", "mark.svg"]) await cp(path(file), join(outdir, file));
}
