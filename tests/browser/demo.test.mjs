// `node www/server/demo.mjs [--provider NAME]`: finds a port, says where things are, and stops at once.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

import { listen } from "../../www/server/http.mjs";

const SCRIPT = fileURLToPath(new URL("../../www/server/demo.mjs", import.meta.url));

const taken = await listen(0);
taken.handle((_request, response) => response.end());
after(() => taken.close());
const takenPort = Number(new URL(taken.origin).port);

/** Starts the demo as a command line says, and resolves with what it prints. */
async function start(...given) {
  const demo = spawn(process.execPath, [SCRIPT, ...given.map(String)], { stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  let complaint = "";
  demo.stderr.on("data", (chunk) => (complaint += chunk));
  for await (const chunk of demo.stdout) {
    printed += chunk;
    if (printed.includes("Ctrl-C")) return { demo, printed };
  }
  throw new Error(`The demo did not start: ${complaint}`);
}

/** A request that is still being sent: the server must not wait for its end. */
async function halfRequest(origin) {
  const socket = connect({ host: "localhost", port: Number(new URL(origin).port) });
  socket.on("error", () => {}); // the reset that is to come
  await once(socket, "connect");
  await new Promise((resolve) => socket.write("GET / HTTP/1.1\r\n", resolve));
  return socket;
}

for (const signal of ["SIGINT", "SIGTERM"]) {
  test(`the next free port is taken, and ${signal} stops all three servers amid a request`, async () => {
    const { demo, printed } = await start(takenPort);
    const [page, issuer, api] = [...new Set(printed.match(/http:\/\/localhost:\d+/g))];
    assert.ok(Number(new URL(page).port) > takenPort);
    assert.match(printed, /alice \/ wonderland/);
    assert.equal((await fetch(page)).status, 200);
    const { issuer: named } = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
    assert.equal(named, issuer);
    assert.equal((await fetch(`${api}/notes`)).status, 401);

    const halfway = await halfRequest(page);
    demo.kill(signal);
    const [code] = await once(demo, "exit", { signal: AbortSignal.timeout(5000) });
    assert.equal(code, 0);
    halfway.destroy();
    for (const origin of [page, issuer, api]) await assert.rejects(fetch(origin));
  });
}

test("with a provider, the page and a stand-in for that system run, and stop", async () => {
  const { demo, printed } = await start("--provider", "shiftiq", 0);
  const [page, server] = [...new Set(printed.match(/http:\/\/localhost:\d+/g))];
  assert.match(printed, /a stand-in for Shift iQ/);
  assert.match(await (await fetch(page)).text(), /wardkey\/providers/);
  assert.equal((await fetch(`${server}/api/diagnostic/health`)).status, 200);
  demo.kill("SIGTERM");
  const [code] = await once(demo, "exit", { signal: AbortSignal.timeout(5000) });
  assert.equal(code, 0);
  for (const origin of [page, server]) await assert.rejects(fetch(origin));
});

test("a port that is none is refused in one line", async () => {
  const demo = spawn(process.execPath, [SCRIPT, "eighty"], { stdio: ["ignore", "ignore", "pipe"] });
  let complaint = "";
  demo.stderr.on("data", (chunk) => (complaint += chunk));
  const [code] = await once(demo, "close");
  assert.equal(code, 1);
  assert.match(complaint, /The demo cannot start: The port must be a number/);
});
