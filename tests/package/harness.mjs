// The package as its users get it: packed by npm, installed from the tarball into an empty folder
// outside the checkout, so that nothing resolves to the sources by accident.

import { execFile } from "node:child_process";
import { createServer } from "node:http";
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join, normalize, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { chromium } from "playwright-core";

import { CHROMIUM, FLAGS } from "../browser/chromium.mjs";

export const run = promisify(execFile);

const packageFolder = fileURLToPath(new URL("../../pkg/", import.meta.url));

/** Packs `pkg/` and installs the tarball; resolves to the folder of the app that now depends on it. */
export async function installPackage(test) {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "wardkey-package-")));
  test.after(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  const packed = await run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], { cwd: packageFolder });
  const [{ filename }] = JSON.parse(packed.stdout);
  // Offline: a package without dependencies needs no registry.
  await run("npm", ["install", `./${filename}`, "--offline", "--no-audit", "--no-fund"], { cwd: folder });
  return folder;
}

/** Writes the smallest page that uses the package, importing it by this name. */
export async function writeApp(folder, entry) {
  await mkdir(join(folder, "app"), { recursive: true });
  await writeFile(
    join(folder, "app/main.js"),
    `import { createAuthClient } from ${JSON.stringify(entry)};
const metadata = { issuer: "https://as.example", authorization_endpoint: "https://as.example/auth", token_endpoint: "https://as.example/token" };
const client = await createAuthClient({ clientId: "spa", metadata });
const isolation = ${JSON.stringify(entry.includes("worker") ? "shared" : "page")};
if (client.isolation !== isolation) console.error("the engine is elsewhere", client.isolation);
document.body.dataset.client = typeof client.signIn;
`,
  );
  await writeFile(
    join(folder, "app/index.html"),
    `<!doctype html><link rel="icon" href="data:,"><title>app</title><body><script type="module" src="./main.js"></script>`,
  );
  return join(folder, "app");
}

/** Serves a folder on a free port of this machine; resolves to the origin. */
export async function serve(test, folder) {
  const types = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url, "http://localhost").pathname);
    const file = join(folder, path.endsWith(sep) ? "index.html" : path);
    try {
      const body = await readFile(file);
      response.writeHead(200, {
        "content-type": types[extname(file)] ?? "application/octet-stream",
        // What the README asks for, and no more: the package must work under it.
        "content-security-policy":
          "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; img-src data:; require-trusted-types-for 'script'",
      });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  test.after(() => server.close());
  return `http://localhost:${server.address().port}`;
}

/** Opens the app; resolves once `createAuthClient` has resolved, to everything the page complained about. */
export async function openApp(test, url) {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    chromiumSandbox: process.getuid?.() !== 0,
    args: FLAGS,
  });
  test.after(() => browser.close());
  const page = await browser.newPage();
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  await page.goto(url);
  await page
    .waitForSelector("body[data-client=function]", { state: "attached", timeout: 15_000 })
    .catch((error) => complaints.push(`createAuthClient did not resolve: ${error.message}`));
  return complaints;
}
