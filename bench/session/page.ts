// The script of the page: a signed-in client, and what is measured of it.

import { createAuthClient, type AuthClient } from "wardkey";

/** From the build. */
declare const CONFIG: { issuer: string; redirectUri: string };

type Storage = "memory" | "localStorage";

let client: AuthClient;

/** Signs somebody in; the server's page is not part of what is measured. */
async function open(storage: Storage): Promise<void> {
  const { issuer, redirectUri } = CONFIG;
  client = await createAuthClient({
    metadata: { authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token` },
    clientId: "bench",
    redirectUri,
    scope: "notes offline_access",
    storage,
    restore: "none",
    refresh: { auto: false },
  });
  await client.prepare();
  const { state } = client.createAuthorizeUrl();
  await client.handleCallback(`${redirectUri}?code=c&state=${state}`);
}

/** The mean time of a call, in microseconds, of so many batches of calls, one after the other. */
async function hits(batches: number, calls: number): Promise<number[]> {
  const means: number[] = [];
  for (let batch = 0; batch < batches; batch += 1) {
    const start = performance.now();
    for (let call = 0; call < calls; call += 1) await client.getAccessToken();
    means.push(((performance.now() - start) * 1_000) / calls);
  }
  return means;
}

/**
 * So many calls at once, for a token that has run out: milliseconds from the arrival of the refresh's answer until the
 * last call has its token, and how many tokens there were.
 */
async function storm(calls: number): Promise<{ late: number; tokens: number }> {
  await until(() => client.state.status === "authenticated" && client.state.expiresAt < Date.now());
  performance.clearResourceTimings();
  const answered = new Promise<number>((resolve) => {
    new PerformanceObserver((list, observer) => {
      observer.disconnect();
      resolve((list.getEntries()[0] as PerformanceResourceTiming).responseEnd);
    }).observe({ type: "resource" });
  });
  const tokens = await Promise.all(Array.from({ length: calls }, () => client.getAccessToken()));
  const end = performance.now();
  return { late: end - (await answered), tokens: new Set(tokens).size };
}

/** So many refreshes, one after the other. */
async function refresh(times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) await client.getToken({ forceRefresh: true });
  // The browser's own list of requests is no memory of ours.
  performance.clearResourceTimings();
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 10));
}

const bench = { open, hits, storm, refresh };
declare global {
  var bench: unknown;
}
globalThis.bench = bench;
