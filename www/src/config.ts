// Where things are. The server tells, so that the page needs no inline script and no build per environment.

export interface Config {
  issuer: string;
  apiUrl: string;
  clientId: string;
  scope: string;
  accounts: { username: string; password: string }[];
}

export async function loadConfig<C = Config>(): Promise<C> {
  // Mode and credentials as the <link rel="preload" crossorigin> has them, or the browser would fetch it twice.
  const response = await fetch("/config.json", { mode: "cors", credentials: "same-origin" });
  if (!response.ok) throw new Error(`/config.json answered ${response.status}`);
  return response.json();
}
