import { isResponse, type Recipient } from "./callback.js";
import { AuthError, codeOf, type AuthErrorPhase } from "./errors.js";
import { go, here, isReplayable, leaving, local, pageUrl, request, unlessAborted } from "./page.js";
import { Restore } from "./restore.js";
import { Tabs, type Hint } from "./tabs.js";
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
import {
  frameResponse,
  isAwaited,
  isFramedByStranger,
  openPopup,
  popupResponse,
  relay,
  stateOf,
} from "./windows.js";

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
    client.begin();
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

/** What of the options is not for the page alone. */
function forEngine(options?: SignInOptions | TokenOptions): object {
  const { signal: _, features: __, ...rest } = (options ?? {}) as SignInOptions & { features?: string };
  return rest;
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
  #options!: AuthOptions;
  #restore!: Restore;
  #tabs!: Tabs;
  /** Settles when it is clear whether the session of before goes on. */
  #restored: Promise<unknown> = Promise.resolve();
  /** Another tab has signed out, and this one follows. */
  #following = false;
  /** A sign-in that nobody sees is under way: the other tabs need not follow. */
  #silent = 0;
  /** Ends with the client; then nobody is told anything any more. */
  readonly #life = new AbortController();
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
    this.#options = options;
    this.#restore = new Restore(options, transport.tag);
    this.#tabs = new Tabs(transport.tag, (hint) => this.#heed(hint));
    this.#recipient = {
      redirectUris: [options.redirectUri!, ...(options.silentRedirectUri ? [options.silentRedirectUri] : [])],
      tag: transport.tag,
      issuer: options.issuer ?? options.metadata?.issuer,
    };
    this.#see(transport.snapshot);
  }

  /** Looks after the session from here on, in a page. */
  begin(): void {
    if (typeof document === "undefined") return;
    const { signal } = this.#life;
    const look = () => document.visibilityState === "visible" && this.#look();
    document.addEventListener("visibilitychange", look, { signal });
    // A page that comes back from the cache of the browser, or from a sleep, has missed what happened meanwhile.
    for (const event of ["pageshow", "online", "focus"]) addEventListener(event, look, { signal });
    if (this.#state.status === "anonymous" && !this.isCallback()) this.#restored = this.#regain();
  }

  /** Takes the way to the session of before that the options say. */
  async #regain(): Promise<void> {
    const { way } = this.#restore;
    if (!way) return;
    this.#show({ status: "loading" });
    try {
      if (way === "silent") return void (await this.signInSilent());
      this.#restore.guard();
      const { pathname, search } = location;
      const options = { prompt: "none", returnTo: pathname + search } as const;
      await leaving(((await this.#call("begin", options)) as AuthorizeRequest).url);
    } catch (error) {
      this.#failed("restore", error);
      this.#restore.note(false);
      this.#show({ status: "anonymous", reason: (error as AuthError).code });
    }
  }

  /** What was told is looked up: a message says that something changed, and is not believed more. */
  #heed(hint: Hint): void {
    if (hint === "ended" || this.#options.storage === "localStorage") this.#look();
    else if (this.#restore.canBeSilent) void this.signInSilent().catch(() => {});
  }

  #look(): void {
    if (this.#tabs.hasEnded()) {
      this.#following = true;
      this.#transport.run("signOutLocal");
      this.#following = false;
    } else this.#transport.call("look").catch((error: unknown) => this.#failed("look", error));
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

  async signInPopup<T>({ features, signal, ...options }: SignInOptions<T> & { features?: string } = {}): Promise<
    SignInResult<T>
  > {
    let minted: AuthorizeRequest | undefined;
    try {
      minted = this.#transport.run("createPopupUrl", options) as AuthorizeRequest;
    } catch (error) {
      if (AuthError.from(error).code !== "not_initialised") throw this.#failed("signInPopup", error);
    }
    const popup = this.#guard("signInPopup", () => openPopup(minted?.url, features));
    try {
      if (!minted) {
        minted = (await this.#call("beginPopup", options, "authorize", signal)) as AuthorizeRequest;
        popup.location.replace(minted.url);
      }
    } catch (error) {
      popup.close();
      throw error;
    }
    const { state } = minted;
    const url = await this.#attempt("popup", () => popupResponse(popup, state, (it) => this.isCallback(it), signal));
    return (await this.#call("handleCallback", url)) as SignInResult<T>;
  }

  async signInSilent({ signal, ...options }: SignInOptions = {}): Promise<SignInResult> {
    this.#silent++;
    try {
      const given = { ...options, prompt: "none" };
      const { url, state } = (await this.#call("beginFrame", given, "authorize", signal)) as AuthorizeRequest;
      const timeout = this.#options.restoreTimeoutMs ?? 10_000;
      const isOurs = (it: string) => this.isCallback(it);
      const response = await this.#attempt("frame", () => frameResponse(url, state, isOurs, timeout, signal));
      return (await this.#call("handleCallback", response)) as SignInResult;
    } finally {
      this.#silent--;
    }
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
      if (page === response) this.#clean(this.#recipient.redirectUris.find((uri) => page.startsWith(uri))!);
      const state = stateOf(response);
      if (isAwaited(state, this.#recipient.tag) && (await relay(response, state))) {
        globalThis.close();
        return new Promise(() => {}); // The window that waits goes on.
      }
      if (isFramedByStranger()) {
        throw new AuthError("invalid_callback", "callback", "the page is in a frame of another origin");
      }
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
    await this.#restored;
    const token = (await this.#call("getToken", forEngine(options), "token", options?.signal)) as AccessToken;
    return { ...token, expiresAt: token.expiresAt ?? Infinity };
  }

  async userInfo<C>(): Promise<C> {
    return (await this.#call("userInfo")) as C;
  }

  readonly fetch: typeof fetch = (input, init) => this.#fetch(input, init);

  createFetch(options: FetchOptions): typeof fetch {
    const { api, baseUrl, onStepUp, ...rest } = options ?? {};
    const wrong =
      Object.keys(rest)[0] ??
      (baseUrl === undefined || URL.canParse(baseUrl) ? undefined : "baseUrl") ??
      (onStepUp === undefined || typeof onStepUp === "function" ? undefined : "onStepUp");
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
    await this.#restored;
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
    this.#life.abort();
    this.#tabs.close();
    this.#see({ status: "anonymous" });
    for (const listeners of Object.values(this.#listeners)) listeners.clear();
    this.#handled = undefined;
    this.#transport.dispose();
  }

  /** What the engine tells. */
  hear(event: string, detail: unknown): void {
    if (this.#life.signal.aborted) return;
    if (event === "stateChanged") {
      this.#see(detail as Snapshot);
      this.#log({ level: "info", event, detail: { status: this.#state.status } });
      this.#emit("stateChanged", this.#state);
    } else if (event === "signedIn") {
      this.#restore.note(true);
      if (!this.#silent) this.#tabs.tell("changed");
      this.#emit("signedIn", detail as User | null);
    } else if (event === "signedOut") {
      this.#restore.note(false);
      // A number is the code of an error: that is the matter of this tab. Others have their own tokens, or look.
      if (typeof detail !== "number" && !this.#following) this.#tabs.tell("ended");
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
      if (this.#options.storage === "localStorage") this.#tabs.tell("changed");
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

  #show(state: AuthState): void {
    this.#state = Object.freeze(state);
    this.#emit("stateChanged", this.#state);
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
