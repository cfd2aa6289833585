import { isResponse, type Recipient } from "./callback.js";
import { AuthError, codeOf } from "./errors.js";
import type { Snapshot, Transport } from "./transport.js";
import type {
  AccessToken,
  AuthClient,
  AuthEvents,
  AuthOptions,
  AuthorizeRequest,
  AuthState,
  IdTokenClaims,
  LogEntry,
  SignInOptions,
  SignInResult,
  SignOutOptions,
  User,
} from "./types.js";

type Open = (
  source: AuthOptions["wasm"],
  options: object,
  listener: (event: string, detail: unknown) => void,
) => Promise<Transport>;

/** Opens a transport and makes the client over it. */
export async function connect(options: AuthOptions, open: Open): Promise<AuthClient> {
  try {
    // What is for the page alone does not go to the engine.
    const { logger, wasm, ...rest } = options;
    const given: AuthOptions = { ...rest, redirectUri: rest.redirectUri ?? pageUrl()! };
    checkSpelling(given.redirectUri);
    const client = new Client(logger);
    client.attach(await open(wasm, given, (event, detail) => client.hear(event, detail)), given);
    return client;
  } catch (error) {
    // The engine and its loading say what was wrong. All else is thrown by the options themselves.
    throw Array.isArray(error) || error instanceof AuthError
      ? AuthError.from(error)
      : new AuthError("invalid_configuration", "configuration", "the options are no plain object");
  }
}

/** The response will be at the URL as the browser spells it. Another spelling would never be recognised. */
function checkSpelling(redirectUri: unknown): void {
  if (typeof redirectUri !== "string" || !URL.canParse(redirectUri)) return; // The engine says what is wrong.
  const { href } = new URL(redirectUri);
  if (href !== redirectUri && href !== `${redirectUri}/`) {
    throw new AuthError("invalid_configuration", "configuration", `redirectUri is spelt ${href} by browsers`);
  }
}

/** The page, without query and fragment; undefined outside of pages. */
function pageUrl(): string | undefined {
  return typeof location === "undefined" ? undefined : location.origin + location.pathname;
}

/** The page's URL; empty outside of pages. */
const here = () => globalThis.location?.href ?? "";

/** What of the options is not for the page alone. */
function forEngine(options?: SignInOptions): object {
  const { signal: _, ...rest } = options ?? {};
  return rest;
}

/** The caller's request, as the browser understands it. */
function request(input: RequestInfo | URL, init?: RequestInit): Request {
  try {
    return new Request(input, init);
  } catch {
    throw new AuthError("invalid_configuration", "fetch", "the browser takes neither this URL nor these options");
  }
}

/** A promise for the time until the page is gone. */
function leaving(url: string): Promise<never> {
  go(() => location.assign(url));
  return new Promise(() => {});
}

/** A path of this origin as a URL: the browser alone would resolve it against `<base href>`. */
const local = (path: string) => new URL(path, location.origin).href;

/** Navigates. The browser's own error would quote the URL, and with it what is secret in it. */
function go(navigate: () => void): void {
  try {
    navigate();
  } catch {
    throw new AuthError("discovery_failed", "authorize", "the browser cannot go to the server's URL");
  }
}

type Listeners = { [K in keyof AuthEvents]: Set<(detail: AuthEvents[K]) => void> };

/** One line a method over the transport; what needs the page (URL, history, navigation) is here. */
class Client implements AuthClient {
  #transport!: Transport;
  #recipient!: Recipient;
  #state: AuthState = { status: "loading" };
  #scopes: AuthClient["scopes"] = { granted: [], requested: [], missing: [] };
  /** The response that the page was loaded with, from when its URL was cleaned. */
  #handled: string | undefined;
  #disposed = false;
  readonly #logger: AuthOptions["logger"];
  readonly #listeners: Listeners = {
    signedIn: new Set(),
    signedOut: new Set(),
    sessionExpired: new Set(),
    stateChanged: new Set(),
  };

  constructor(logger: AuthOptions["logger"]) {
    this.#logger = logger;
  }

  attach(transport: Transport, options: AuthOptions): void {
    this.#transport = transport;
    this.#recipient = {
      redirectUri: options.redirectUri!,
      tag: transport.tag,
      issuer: options.issuer ?? options.metadata?.issuer,
    };
    this.#see(transport.snapshot);
  }

  get isolation() {
    return this.#transport.isolation;
  }

  get state(): AuthState {
    return this.#state;
  }

  get scopes() {
    return this.#scopes;
  }

  subscribe(listener: (state: AuthState) => void): () => void {
    return this.on("stateChanged", listener);
  }

  on<K extends keyof AuthEvents>(event: K, listener: (detail: AuthEvents[K]) => void): () => void {
    if (!Object.hasOwn(this.#listeners, event)) {
      throw new AuthError("invalid_configuration", "configuration", "there is no such event");
    }
    const listeners = this.#listeners[event];
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  async prepare(options?: SignInOptions): Promise<void> {
    await this.#call("prepare", forEngine(options));
  }

  createAuthorizeUrl(options?: SignInOptions): AuthorizeRequest {
    const step = () => this.#transport.run("createAuthorizeUrl", forEngine(options));
    return this.#guard("createAuthorizeUrl", step) as AuthorizeRequest;
  }

  async signIn(options?: SignInOptions): Promise<never> {
    const stop = () => {
      if (options?.signal?.aborted) throw new AuthError("aborted", "authorize", "the caller's signal ended the sign-in");
    };
    stop();
    await this.prepare(options);
    stop();
    return leaving(this.createAuthorizeUrl(options).url);
  }

  isCallback(url: string = here()): boolean {
    return isResponse(url, this.#recipient);
  }

  async handleCallback<T>(url?: string): Promise<SignInResult<T>> {
    const page = here();
    const response = url ?? (this.isCallback(page) ? page : (this.#handled ?? page));
    if (this.isCallback(response)) {
      this.#handled = response;
      // First of all, so that no other script and no subresource sees the code.
      if (page === response) this.#clean(this.#recipient.redirectUri);
    }
    return (await this.#call("handleCallback", response)) as SignInResult<T>;
  }

  getUser<C = IdTokenClaims>(): User<C> | null {
    return this.#state.status === "authenticated" ? (this.#state.user as User<C> | null) : null;
  }

  async getAccessToken(): Promise<string> {
    return (await this.getToken()).accessToken;
  }

  async getToken(): Promise<AccessToken> {
    const token = (await this.#call("getToken")) as AccessToken;
    return { ...token, expiresAt: token.expiresAt ?? Infinity };
  }

  readonly fetch: typeof fetch = (input, init) =>
    this.#attempt("fetch", () => this.#transport.fetch(request(input, init)));

  async signOut(options?: SignOutOptions): Promise<void> {
    this.#handled = undefined;
    const url = (await this.#call("signOut", options)) as string | undefined;
    // A path where the server has no page for it.
    if (url) return leaving(url.startsWith("/") ? local(url) : url);
  }

  async signOutLocal(): Promise<void> {
    this.#handled = undefined;
    this.#guard("signOutLocal", () => this.#transport.run("signOutLocal"));
  }

  async handleSignOutCallback(url: string = here()): Promise<void> {
    let path: unknown;
    try {
      path = await this.#call("handleSignOutCallback", url);
      this.#cleanSignOut(url);
    } catch (error) {
      if ((error as AuthError).code !== "not_mine") this.#cleanSignOut(url);
      throw error;
    }
    if (path) go(() => location.replace(local(path as string)));
  }

  #cleanSignOut(url: string): void {
    if (here() === url) this.#clean(url.split(/[?#]/)[0]!);
  }

  dispose(): void {
    this.#disposed = true;
    this.#see({ status: "anonymous" });
    for (const listeners of Object.values(this.#listeners)) listeners.clear();
    this.#handled = undefined;
    this.#transport.dispose();
  }

  /** What the engine tells. */
  hear(event: string, detail: unknown): void {
    if (this.#disposed) return;
    if (event === "stateChanged") {
      this.#see(detail as Snapshot);
      this.#log({ level: "info", event, detail: { status: this.#state.status } });
      this.#emit("stateChanged", this.#state);
    } else if (event === "signedIn") {
      this.#emit("signedIn", detail as User | null);
    } else if (event === "signedOut") {
      this.#emit("signedOut", { reason: typeof detail === "number" ? codeOf(detail) : "sign_out" });
    } else if (event === "sessionExpired") {
      this.#emit("sessionExpired", AuthError.from(detail));
    }
  }

  #see({ status, reason, user, expiresAt, scopes, requested, missing }: Snapshot): void {
    this.#scopes = { granted: scopes ?? [], requested: requested ?? [], missing: missing ?? [] };
    this.#state = Object.freeze(
      status === "authenticated"
        ? { status, user: user as User | null, expiresAt: expiresAt ?? Infinity, scopes: scopes!, stale: false }
        : status === "anonymous" && reason !== undefined
          ? { status, reason: codeOf(reason) }
          : { status },
    );
  }

  /** A listener that throws must not keep the others from hearing; its error goes where uncaught ones go. */
  #emit<K extends keyof AuthEvents>(event: K, detail: AuthEvents[K]): void {
    for (const listener of [...this.#listeners[event]]) {
      try {
        listener(detail);
      } catch (error) {
        reportError(error);
      }
    }
  }

  #clean(url: string): void {
    try {
      history.replaceState(history.state, "", url);
    } catch {
      // Some browsers limit how often. The response is handled all the same.
      this.#log({ level: "error", event: "clean" });
    }
  }

  #call(operation: string, argument?: unknown): Promise<unknown> {
    return this.#attempt(operation, () => this.#transport.call(operation, argument));
  }

  async #attempt<R>(operation: string, step: () => Promise<R>): Promise<R> {
    this.#log({ level: "debug", event: operation });
    try {
      return await step();
    } catch (error) {
      throw this.#failed(operation, error);
    }
  }

  #guard<R>(operation: string, step: () => R): R {
    this.#log({ level: "debug", event: operation });
    try {
      return step();
    } catch (error) {
      throw this.#failed(operation, error);
    }
  }

  #failed(event: string, error: unknown): AuthError {
    const made = AuthError.from(error);
    const { code, phase, retryable } = made;
    this.#log({ level: "warn", event, detail: { code, phase, retryable } });
    return made;
  }

  #log(entry: Omit<LogEntry, "at">): void {
    try {
      this.#logger?.({ ...entry, at: Date.now() });
    } catch (error) {
      reportError(error);
    }
  }
}
