// One folder for each entrant: a page, its script as one minified module, and the engine where there is one.

import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { constants, brotliCompressSync } from "node:zlib";

import { build } from "esbuild";

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const DIST = path("dist");

/**
 * @typedef {object} Built
 * @property {string} folder
 * @property {Record<string, Buffer>} files What the host sends, by name, after brotli.
 */

/**
 * @param {import("./contestants.mjs").Entrant} entrant
 * @param {object} config See `Config` in contestants/contestant.ts.
 * @returns {Promise<Built>}
 */
export async function buildEntrant(entrant, config) {
  const folder = join(DIST, entrant.id);
  await rm(folder, { recursive: true, force: true });
  await build({
    entryPoints: [
      { in: path(entrant.script ?? "contestants/page.ts"), out: "main" },
      ...(entrant.wasm ? [{ in: "wardkey/wasm", out: "wardkey" }] : []),
    ],
    alias: entrant.source ? { contestant: path(`contestants/${entrant.source}`) } : {},
    define: { CONFIG: JSON.stringify(config) },
    loader: { ".wasm": "copy" },
    outdir: folder,
    absWorkingDir: path(""),
    bundle: true,
    format: "esm",
    target: "es2022",
    minify: true,
    // Licence texts are for people; hosts send them apart.
    legalComments: "none",
    logLevel: "warning",
  });
  await writeFile(join(folder, "index.html"), page(entrant, config));
  const names = ["index.html", "main.js", ...(entrant.wasm ? ["wardkey.wasm"] : [])];
  const files = await Promise.all(names.map(async (name) => [name, compressed(await readFile(join(folder, name)))]));
  return { folder, files: Object.fromEntries(files) };
}

/** The preloads are the README's. One module needs no modulepreload: its script element is as early. */
function page({ id, label, preload, metadata }, { issuer }) {
  const documents = [...(metadata ? [] : ["/.well-known/openid-configuration"]), "/jwks"];
  const preloads = [
    `<link rel="preload" href="/${id}/wardkey.wasm" as="fetch" type="application/wasm" crossorigin>`,
    ...documents.map((name) => `<link rel="preload" href="${issuer.replace(/\/$/, "")}${name}" as="fetch" crossorigin>`),
  ];
  return `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>${label}</title>
  <link rel="icon" href="data:,">${preload ? `\n  ${preloads.join("\n  ")}` : ""}
  <script type="module" src="/${id}/main.js"></script>
</head>
<body></body>
</html>
`;
}

/** As hosts do once, when a version is published. */
export function compressed(bytes) {
  return brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } });
}
