import { isResponse, type Recipient } from "./callback.js";
import { AuthError, codeOf, type AuthErrorPhase } from "./errors.js";
import type { Snapshot, Transport } from "./transport.js";
import type {
  AccessToken,
  AuthClient,
  AuthEvents,
  AuthOptions,
  AuthorizeRequest,
  AuthState,
  FetchOptions,
  IdTokenClaims,
  LogEntry,
  SignInOptions,
  SignInResult,
  SignOutOptions,
  StepUpChallenge,
  TokenOptions,
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
    const transport = await open(wasm, given, (event, detail) => client.hear(event, detail));
    if (given.storage) await transport.call("open");
    client.attach(transport, given);
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
function forEngine(options?: SignInOptions | TokenOptions): object {
  const { signal: _, ...rest } = options ?? {};
  return rest;
}

/** The caller's request, as the browser understands it. */
function request(input: RequestInfo | URL, init?: RequestInit, baseUrl?: string): Request {
  try {
    return new Request(baseUrl && !(input instanceof Request) ? new URL(input, baseUrl) : input, init);
  } catch {
    throw new AuthError("invalid_configuration", "fetch", "the browser takes neither this URL nor these options");
  }
}

/** Can it be sent more than once? A stream is read once, and a request does not say whether its body is one. */
function isReplayable(input: unknown, init?: RequestInit): boolean {
  const body = init?.body ?? (input instanceof Request && !/^(GET|HEAD)$/.test(input.method) ? input : null);
  return !(body instanceof ReadableStream || body instanceof Request);
}

/** The outcome, or `aborted` when the caller's signal comes first. What is under way for others goes on. */
async function unlessAborted<R>(step: () => Promise<R>, phase: AuthErrorPhase, signal?: AbortSignal | null): Promise<R> {
  if (!signal) return step();
  const error = () => new AuthError("aborted", phase, "the caller's signal ended the call");
  if (signal.aborted) throw error();
  let stop!: () => void;
  const aborted = new Promise<never>((_, reject) => signal.addEventListener("abort", (stop = () => reject(error()))));
  try {
    return await Promise.race([step(), aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
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
    userChanged: new Set(),
    tokenRefreshed: new Set(),
    refreshDeferred: new Set(),
    sessionExpired: new Set(),
    stepUpRequired: new Set(),
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
    const request = await this.#call("begin", forEngine(options), "authorize", options?.signal);
    return leaving((request as AuthorizeRequest).url);
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

  async getAccessToken(options?: TokenOptions): Promise<string> {
    return (await this.getToken(options)).accessToken;
  }

  async getToken(options?: TokenOptions): Promise<AccessToken> {
    const token = (await this.#call("getToken", forEngine(options), "token", options?.signal)) as AccessToken;
    return { ...token, expiresAt: token.expiresAt ?? Infinity };
  }

  async userInfo<C>(): Promise<C> {
    return (await this.#call("userInfo")) as C;
  }

  readonly fetch: typeof fetch = (input, init) => this.#fetch(input, init);

  createFetch(options: FetchOptions): typeof fetch {
    const { api, baseUrl, onStepUp, ...rest } = options;
    const strange = Object.keys(rest)[0];
    const wrong = strange ?? (baseUrl !== undefined && !URL.canParse(baseUrl) ? "baseUrl" : undefined);
    if (wrong) throw new AuthError("invalid_configuration", "configuration", `${wrong} is wrong, or no option`);
    this.#guard("createFetch", () => this.#transport.run("checkApi", api));
    const given = { api: JSON.stringify(api), baseUrl, onStepUp };
    return (input, init) => this.#fetch(input, init, given);
  }

  async #fetch(
    input: RequestInfo | URL,
    init?: RequestInit,
    { api = "", baseUrl, onStepUp }: { api?: string; baseUrl?: string | undefined; onStepUp?: FetchOptions["onStepUp"] } = {},
  ): Promise<Response> {
    const first = request(input, init, baseUrl);
    const replayable = isReplayable(input, init);
    const again = onStepUp && replayable ? first.clone() : undefined;
    const send = (sent: Request) =>
      this.#attempt("fetch", () => unlessAborted(() => this.#transport.fetch(sent, api, replayable), "fetch", sent.signal));
    const [response, challenge] = await send(first);
    // Once: a server that repeats its challenge is not asked for ever.
    if (!challenge || !onStepUp || (await onStepUp(challenge)) !== "retry") return response;
    if (!again) throw new AuthError("body_not_replayable", "fetch", "the body is a stream; send the request anew");
    return (await send(again))[0];
  }

  async dpopProof(options: { method: string; url: string; accessToken?: string }): Promise<string> {
    return (await this.#call("dpopProof", options)) as string;
  }

  async hasScope(scope: string | string[]): Promise<boolean> {
    const scopes = typeof scope === "string" ? scope.split(" ") : scope;
    return scopes.every((one) => this.#scopes.granted.includes(one));
  }

  async revoke(which: "access_token" | "refresh_token" | "all" = "all"): Promise<void> {
    await this.#call("revoke", which);
  }

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

  async handleFrontChannelLogout(url: string = here()): Promise<boolean> {
    return this.#guard("handleFrontChannelLogout", () => this.#transport.run("frontChannelLogout", url)) as boolean;
  }

  async handleInitiatedLogin(url: string = here()): Promise<boolean> {
    // A frame of another site could otherwise sign people in without their doing (Core 4).
    if (globalThis.top !== globalThis.self) return false;
    const read = () => this.#transport.run("initiatedLogin", url);
    const options = this.#guard("handleInitiatedLogin", read) as SignInOptions | null;
    if (!options) return false;
    leaving(((await this.#call("begin", options)) as AuthorizeRequest).url);
    return true;
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
    } else if (event === "storageFailed") {
      this.#failed(event, detail);
    } else if (event === "refreshDeferred") {
      const [retryAt, cause] = detail as [number, unknown];
      this.#log({ level: "warn", event, detail: { retryAt } });
      this.#emit("refreshDeferred", { retryAt, cause: AuthError.from(cause) });
    } else if (event === "tokenRefreshed") {
      this.#log({ level: "info", event });
      this.#emit("tokenRefreshed", { expiresAt: (detail as { expiresAt?: number }).expiresAt ?? Infinity });
    } else if (event === "userChanged" || event === "stepUpRequired") {
      this.#emit(event, detail as AuthEvents["userChanged"] & StepUpChallenge);
    }
  }

  #see({ status, reason, user, expiresAt, scopes, requested, missing, stale }: Snapshot): void {
    this.#scopes = { granted: scopes ?? [], requested: requested ?? [], missing: missing ?? [] };
    this.#state = Object.freeze(
      status === "authenticated"
        ? { status, user: user as User | null, expiresAt: expiresAt ?? Infinity, scopes: scopes!, stale: stale! }
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

  #call(operation: string, argument?: unknown, phase?: AuthErrorPhase, signal?: AbortSignal): Promise<unknown> {
    const step = () => this.#transport.call(operation, argument);
    return this.#attempt(operation, () => unlessAborted(step, phase!, signal));
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
