// What a person does on the demo, and what an app does on the probe page, step by step.

/** A page with the package and nothing else, for tests of the API. It is a redirect URI too. */
export const PROBE = "probe.html";

/** Opens the demo and waits until it can be used. */
export async function openDemo(page, suite) {
  await page.goto(suite.url());
  await page.locator("#sign-in").waitFor();
}

/** Fills in the authorization server's login page. */
export async function logIn(page, username = "alice", password = "wonderland") {
  await page.getByLabel("Name").fill(username);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** From the demo's first view, through login and consent, back to being greeted. */
export async function signIn(page) {
  await page.locator("#sign-in").click();
  await logIn(page);
  await page.getByRole("button", { name: "Allow" }).click();
  await page.getByRole("heading", { name: "Hello, Alice." }).waitFor();
}

/** What the demo says of the session, next to its name. */
export const presence = (page) => page.locator("#presence").textContent();

/** The code of the error that the demo shows, once it shows one. */
export async function troubleCode(page) {
  await page.locator("#trouble").waitFor();
  const text = await page.locator("#trouble-code").textContent();
  return text.split(" ")[0];
}

/** From the probe page: leaves for the authorization server and returns the URL of its answer, not yet handled. */
export async function authorizationResponse(page, suite, signInOptions = {}, clientOptions = {}) {
  await page.goto(suite.url(PROBE));
  await page.evaluate(
    async ([forSignIn, forClient]) => {
      const client = await globalThis.openClient(forClient);
      void client.signIn(forSignIn);
    },
    [signInOptions, clientOptions],
  );
  const isResponse = ({ pathname, search, hash }) => pathname === `/${PROBE}` && /[?#&](state|response)=/.test(search + hash);
  const landed = page.waitForURL(isResponse);
  await Promise.race([landed, throughInteractions(page, landed)]);
  await landed;
  return page.url();
}

/** Answers login and consent where they are asked; a browser known to the server skips them. */
async function throughInteractions(page, landed) {
  const login = page.getByLabel("Password");
  const allow = page.getByRole("button", { name: "Allow" });
  const refusal = page.getByRole("heading", { name: "That did not work." });
  const question = login.or(allow).or(refusal);
  const asked = await Promise.race([landed.then(() => false), question.waitFor().then(() => true)]);
  if (!asked) return;
  if (await refusal.isVisible()) throw new Error(`The server refused: ${await page.locator("main").textContent()}`);
  if (await login.isVisible()) {
    await logIn(page);
    await allow.waitFor();
  }
  await allow.click();
}

/** From the probe page: handles a callback URL with a new client, and tells what came of it. */
export function handleCallback(page, { url, options } = {}) {
  return page.evaluate(
    async ([callbackUrl, clientOptions]) => {
      const client = await globalThis.openClient(clientOptions);
      const outcome = await client.handleCallback(callbackUrl).then(
        ({ user, appState, returnTo, scopes }) => ({ sub: user?.sub, appState, returnTo, scopes }),
        ({ name, code, phase, oauthError }) => ({ name, code, phase, oauthError }),
      );
      return { ...outcome, status: client.state.status, query: location.search };
    },
    [url, options],
  );
}

/** On the probe page: signs alice in; the client is `globalThis.client` then. */
export async function signInOnProbe(page, suite, clientOptions = {}, signInOptions = {}) {
  await authorizationResponse(page, suite, signInOptions, clientOptions);
  return page.evaluate(async (options) => {
    globalThis.client = await globalThis.openClient(options);
    return globalThis.outcome(globalThis.client.handleCallback());
  }, clientOptions);
}

/** Everything that script can read from the browser's stores and the document, as one text. */
export function everythingStored(page) {
  return page.evaluate(async () => {
    const databases = await Promise.all((await indexedDB.databases()).map(dumpDatabase));
    const cached = await Promise.all((await caches.keys()).map(dumpCache));
    return JSON.stringify({
      localStorage: { ...localStorage },
      sessionStorage: { ...sessionStorage },
      cookie: document.cookie,
      history: history.state,
      location: location.href,
      name: window.name,
      document: document.documentElement.outerHTML,
      databases,
      cached,
    });

    async function dumpDatabase({ name }) {
      const result = (request) =>
        new Promise((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error);
        });
      const database = await result(indexedDB.open(name));
      const stores = [...database.objectStoreNames].map(async (store) => {
        const rows = database.transaction(store).objectStore(store);
        return [store, await result(rows.getAllKeys()), await result(rows.getAll())];
      });
      return [name, await Promise.all(stores)];
    }

    async function dumpCache(name) {
      const cache = await caches.open(name);
      const entries = (await cache.keys()).map(async (request) => {
        const response = await cache.match(request);
        return [request.url, await response.text()];
      });
      return [name, await Promise.all(entries)];
    }
  });
}
