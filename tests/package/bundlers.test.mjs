// The package in real bundlers, and what they make of it in a real browser under a strict CSP.

import assert from "node:assert/strict";
import { cp, readFile, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import * as esbuild from "esbuild";
import * as vite from "vite";

import { installPackage, openApp, serve, writeApp } from "./harness.mjs";

test("Vite emits the .wasm as a file and the bundle runs", async (t) => {
  const folder = await installPackage(t);
  const app = await writeApp(folder, "wardkey");
  await vite.build({ root: app, logLevel: "warn", configFile: false });
  const assets = join(app, "dist/assets");
  const [wasm, ...others] = (await readdir(assets)).filter((name) => name.endsWith(".wasm"));
  assert.deepEqual(others, []);
  const shipped = await readFile(join(folder, "node_modules/wardkey/dist/wardkey.wasm"));
  assert.ok(shipped.equals(await readFile(join(assets, wasm))));
  assert.deepEqual(await openApp(t, await serve(t, join(app, "dist"))), []);
});

test("Vite emits the worker of wardkey/worker as a file, and it is the one that runs", async (t) => {
  const folder = await installPackage(t);
  const app = await writeApp(folder, "wardkey/worker");
  await vite.build({ root: app, logLevel: "warn", configFile: false });
  const names = await readdir(join(app, "dist/assets"));
  const [vault] = names.filter((name) => name.startsWith("vault-"));
  const shipped = await readFile(join(folder, "node_modules/wardkey/dist/vault.js"));
  assert.ok(shipped.equals(await readFile(join(app, "dist/assets", vault))));
  assert.deepEqual(await openApp(t, await serve(t, join(app, "dist"))), []);
});

test("wardkey/worker runs unbundled, from the files of the package", async (t) => {
  const folder = await installPackage(t);
  const app = await writeApp(folder, "./wardkey/worker.js");
  await cp(join(folder, "node_modules/wardkey/dist"), join(app, "wardkey"), { recursive: true });
  assert.deepEqual(await openApp(t, await serve(t, app)), []);
});

test("Vite's development server runs it without configuration", async (t) => {
  const app = await writeApp(await installPackage(t), "wardkey");
  const server = await vite.createServer({ root: app, logLevel: "warn", configFile: false, server: { host: "localhost", port: 0 } });
  t.after(() => server.close());
  await server.listen();
  assert.deepEqual(await openApp(t, server.resolvedUrls.local[0]), []);
});

test("esbuild makes one file of wardkey/inline and it runs", async (t) => {
  const app = await writeApp(await installPackage(t), "wardkey/inline");
  const options = { bundle: true, format: "esm", minify: true, metafile: true, allowOverwrite: true };
  const result = await esbuild.build({ ...options, entryPoints: [join(app, "main.js")], outfile: join(app, "main.js") });
  assert.equal(Object.keys(result.metafile.outputs).length, 1);
  assert.ok((await stat(join(app, "main.js"))).size > 10_000);
  assert.deepEqual(await openApp(t, await serve(t, app)), []);
});
