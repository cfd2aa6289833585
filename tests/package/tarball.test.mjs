// What is in the tarball, exactly: a file too many may leak, a file too few breaks an entry.

import assert from "node:assert/strict";
import { readFile, readdir, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, relative } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { installPackage, run } from "./harness.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));

test("the tarball holds these files and no other", async (t) => {
  const installed = join(await installPackage(t), "node_modules/wardkey");
  const entries = await readdir(installed, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => relative(installed, join(entry.parentPath, entry.name)));
  assert.deepEqual(files.sort(), [
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "dist/auth-client.d.ts",
    "dist/away.js",
    "dist/codes.d.ts",
    "dist/cookie-session.d.ts",
    "dist/cookies.d.ts",
    "dist/credential-fetch.d.ts",
    "dist/docspace.d.ts",
    "dist/errors.d.ts",
    "dist/exports.d.ts",
    "dist/index.d.ts",
    "dist/index.js",
    "dist/inline.d.ts",
    "dist/inline.js",
    "dist/laserfiche-handler.d.ts",
    "dist/laserfiche.d.ts",
    "dist/password-grant.d.ts",
    "dist/providers.d.ts",
    "dist/providers.js",
    "dist/relay.d.ts",
    "dist/scopes.d.ts",
    "dist/session-types.d.ts",
    "dist/shiftiq.d.ts",
    "dist/types.d.ts",
    "dist/vault.js",
    "dist/wardkey.wasm",
    "dist/worker.d.ts",
    "dist/worker.js",
    "package.json",
  ]);
});

test("every entry point leads to a file of the tarball", async (t) => {
  const installed = join(await installPackage(t), "node_modules/wardkey");
  const { exports } = JSON.parse(await readFile(join(installed, "package.json"), "utf8"));
  const targets = Object.values(exports).flatMap((entry) => (typeof entry === "string" ? [entry] : Object.values(entry)));
  assert.ok(targets.length > 0);
  for (const target of targets) {
    assert.ok((await stat(join(installed, target))).isFile(), target);
  }
});

test("installing it brings no other package and runs no script", async (t) => {
  const folder = await installPackage(t);
  assert.deepEqual((await readdir(join(folder, "node_modules"))).filter((name) => !name.startsWith(".")), ["wardkey"]);
  const manifest = JSON.parse(await readFile(join(folder, "node_modules/wardkey/package.json"), "utf8"));
  for (const field of ["dependencies", "peerDependencies", "optionalDependencies", "bundleDependencies", "scripts"]) {
    assert.equal(manifest[field], undefined, field);
  }
});

test("no shipped file tells where it was built", async (t) => {
  const installed = join(await installPackage(t), "node_modules/wardkey");
  for (const name of await readdir(join(installed, "dist"))) {
    const text = await readFile(join(installed, "dist", name), "latin1");
    for (const trace of [root, `${homedir()}/`, "sourceMappingURL"]) {
      assert.ok(!text.includes(trace), `${name} contains ${trace}`);
    }
  }
});

test("the types of the entries stand on their own under strict options", async (t) => {
  const folder = await installPackage(t);
  await writeFile(
    join(folder, "app.ts"),
    `import { createAuthClient, type AuthClient } from "wardkey";
import { createAuthClient as createInline } from "wardkey/inline";
import { laserfiche, laserficheSelfHosted } from "wardkey/providers";
export const clients: Promise<AuthClient>[] = [
  createAuthClient({ issuer: "https://as.example", clientId: "spa" }),
  createInline({ issuer: "https://as.example", clientId: "spa" }),
  createAuthClient({ ...laserfiche({ region: "eu" }), clientId: "spa", scope: "repository.Read" }),
  createAuthClient(laserficheSelfHosted({ baseUrl: "https://lf.example", repositoryId: "r" })),
];
// @ts-expect-error a profile knows the server, and not the app
void createAuthClient(laserfiche({ region: "eu" }));
// @ts-expect-error a client needs its identifier
void createAuthClient({ issuer: "https://as.example" });
`,
  );
  const options = {
    target: "ES2022",
    module: "ESNext",
    lib: ["ES2022", "DOM"],
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    skipLibCheck: false,
  };
  for (const moduleResolution of ["Bundler", "NodeNext"]) {
    const module = moduleResolution === "NodeNext" ? "NodeNext" : "ESNext";
    const config = { files: ["app.ts"], compilerOptions: { ...options, module, moduleResolution } };
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
    const compiler = join(root, "node_modules/.bin/tsc");
    const { stdout } = await run(compiler, ["--project", folder]).catch((error) => error);
    assert.equal(stdout, "", moduleResolution);
  }
});
