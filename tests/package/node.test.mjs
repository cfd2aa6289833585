// Importing the package on a server: it must do nothing, so that an app can be rendered there.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { installPackage, run } from "./harness.mjs";

const MAIN = [
  "AuthError",
  "createAuthClient",
  "createCookieSession",
  "createCredentialFetch",
  "deleteCookie",
  "getCookie",
  "isAuthError",
  "issueCsrfToken",
  "parseCookies",
  "relayCallback",
  "serializeCookie",
  "setCookie",
];

const WORKER = ["AuthError", "createAuthClient", "isAuthError"];

const PROVIDERS = [
  "dangerouslyUsePasswordGrant",
  "docspace",
  "docspaceScope",
  "laserfiche",
  "laserficheHandler",
  "laserficheScope",
  "laserficheSelfHosted",
  "shiftiq",
];

/** Imports the entry while each of these globals notes whether a module of the package reads or writes it. */
const probe = (entry) => `
const touched = [];
// Node's own loader reads some of them too, WebAssembly for one.
const note = (name) => {
  if (new Error().stack.includes("/node_modules/wardkey/")) touched.push(name);
};
const names = ["window", "self", "document", "navigator", "location", "history", "localStorage", "sessionStorage",
  "indexedDB", "caches", "crypto", "fetch", "Request", "Response", "Headers", "WebAssembly", "Worker", "SharedWorker",
  "BroadcastChannel", "addEventListener", "setTimeout", "setInterval", "queueMicrotask", "console"];
const { log } = console;
for (const name of names) {
  const value = globalThis[name];
  const get = () => (note(name), value);
  Object.defineProperty(globalThis, name, { configurable: true, get, set: () => note(name) });
}
const before = Object.getOwnPropertyNames(globalThis);
const entry = await import(${JSON.stringify(entry)});
const added = Object.getOwnPropertyNames(globalThis).filter((name) => !before.includes(name));
log(JSON.stringify({ touched, added, exports: Object.keys(entry).sort() }));
`;

const ENTRIES = { wardkey: MAIN, "wardkey/inline": MAIN, "wardkey/worker": WORKER, "wardkey/providers": PROVIDERS };

for (const [entry, exports] of Object.entries(ENTRIES)) {
  test(`importing ${entry} in Node touches no global and gives the documented names`, async (t) => {
    const folder = await installPackage(t);
    await writeFile(join(folder, "probe.mjs"), probe(entry));
    const { stdout } = await run(process.execPath, ["probe.mjs"], { cwd: folder });
    assert.deepEqual(JSON.parse(stdout), { touched: [], added: [], exports });
  });
}

test("a client in Node, where there is no page, throws AuthError and nothing else", async (t) => {
  const folder = await installPackage(t);
  const script = `
    import { createAuthClient, isAuthError } from "wardkey/inline";
    const metadata = { authorization_endpoint: "https://as.example/a", token_endpoint: "https://as.example/t" };
    const options = { clientId: "spa", redirectUri: "https://app.example/cb", scope: "notes", metadata };
    const code = (error) => (isAuthError(error) ? error.code : String(error));
    const client = await createAuthClient(options);
    const told = [client.isCallback()];
    told.push(await client.handleCallback().catch(code), await client.handleSignOutCallback().catch(code));
    told.push(await client.handleSignOutCallback("https://app.example/bye").catch(code));
    told.push(await createAuthClient({ ...options, redirectUri: undefined }).catch(code));
    console.log(JSON.stringify(told));
  `;
  await writeFile(join(folder, "server.mjs"), script);
  const { stdout } = await run(process.execPath, ["server.mjs"], { cwd: folder });
  assert.deepEqual(JSON.parse(stdout), [false, "not_mine", "storage_unavailable", "storage_unavailable", "invalid_configuration"]);
});
