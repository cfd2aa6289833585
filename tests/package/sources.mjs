// The sources of the package and the test vectors, for tests that need no page.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

/** A file of the checkout. */
export const path = (name) => fileURLToPath(new URL(`../../${name}`, import.meta.url));

/** A file of the test vectors. */
export const load = async (name) => JSON.parse(await readFile(path(`tests/vectors/${name}`), "utf8"));

/** All that these modules of `pkg/src` export, which the package does not show. */
export async function sources(names) {
  const contents = names.map((name) => `export * from "./${name}.ts";`).join("\n");
  const stdin = { contents, resolveDir: path("pkg/src") };
  const { outputFiles } = await build({ stdin, bundle: true, format: "esm", write: false });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
}
