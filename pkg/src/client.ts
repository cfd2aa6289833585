import { isResponse, pageOf } from "./callback.js";
import { AuthError, type AuthErrorPhase } from "./errors.js";
import type { Events } from "./events.js";
import { fetchWith, readFetchOptions, type FetchTargets, type Send } from "./fetch.js";
import { absolute, forEngine, go, here, leaving, unlessAborted } from "./page.js";
import type { Follower, Follows } from "./regain.js";
import type { Sight, Transport } from "./transport.js";
import type { AuthClient, AuthEvents, AuthState, LogEntry } from "./auth-client.js";
import type {
  AccessToken,
  AuthOptions,
  AuthorizeRequest,
  FetchOptions,
  IdTokenClaims,
  SignInOptions,
  SignInResult,
  SignOutOptions,
  TokenOptions,
  User,
} from "./types.js";
import { isElsewhere, openFrame, openPopup, whileOpen } from "./windows.js";

/** One line a method over the transport; what needs the page (URL, history, navigation) is here. */
export class Client implements AuthClient {
  #transport!: Transport;
  #state: AuthState = { status: "loading" };
  #scopes!: AuthClient["scopes"];
  /** The response that the page was loaded with, from when its URL was cleaned. */
  #handled: string | undefined;
  #follower!: Follower;
  /** Ends with the client; then nobody is told anything any more. */
  readonly #life = new AbortController();
  readonly #events: Events;

  constructor(events: Events) {
    this.#events = events;
  }

  /** Takes up the session that is there, and looks after it from here on. */
  attach(options: AuthOptions, transport: Transport, Follows: Follows): Promise<void> {
    this.#transport = transport;
    this.#events.names = transport.events;
    this.#see(transport.sight);
    const { signal } = this.#life;
    this.#follower = new Follows({ client: this, transport, options, events: this.#events }, signal);
    return this.#follower.startFollowing(this.isCallback(), signal);
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
    return this.#events.on(event, listener);
  }

  async prepare(options?: SignInOptions): Promise<void> {
    await this.#ask("prepare", options);
  }

  createAuthorizeUrl(options?: SignInOptions): AuthorizeRequest {
    const step = () => this.#transport.run("createAuthorizeUrl", forEngine(options));
    const { url, state } = this.#events.guarded("createAuthorizeUrl", step) as AuthorizeRequest;
    return { url, state };
  }

  async signIn(options?: SignInOptions): Promise<never> {
    return leaving((await this.#ask<AuthorizeRequest>("begin", options)).url);
  }

  async signInPopup<T>(options?: SignInOptions<T> & { features?: string }): Promise<SignInResult<T>> {
    const { features, signal, ...given } = options ?? {};
    let minted: AuthorizeRequest | undefined;
    const popup = this.#events.guarded("signInPopup", () => {
      minted = this.#transport.run("createPopupUrl", given) as AuthorizeRequest | undefined;
      return openPopup(minted?.url, features);
    });
    try {
      if (!minted) {
        minted = await this.#call<AuthorizeRequest>("beginPopup", given, "authorize", signal);
        const { url } = minted;
        this.#events.guarded("signInPopup", () => go(() => popup.location.replace(url)));
      }
    } catch (error) {
      popup.close();
      throw error;
    }
    const { state } = minted;
    const step = (over: AbortSignal) => this.#transport.call("popup", state, over) as Promise<SignInResult<T>>;
    return this.#seen(await this.#events.attempt("popup", () => whileOpen(popup, signal, step)));
  }

  async signInSilent(options?: SignInOptions): Promise<SignInResult> {
    const { url, ...begun } = await this.#ask<AuthorizeRequest>("beginFrame", options);
    const frame = openFrame(url);
    const step = () => this.#transport.call("frame", begun, options?.signal) as Promise<SignInResult>;
    return this.#events.attempt("frame", () => step().finally(() => frame.remove()));
  }

  isCallback(url: string = here()): boolean {
    return isResponse(url, this.#transport.whose);
  }

  async handleCallback<T>(url?: string): Promise<SignInResult<T>> {
    const page = here();
    const response = url ?? (this.isCallback(page) ? page : (this.#handled ?? page));
    if (this.isCallback(response)) {
      this.#handled = response;
      // First of all, so that no other script and no subresource sees the code.
      if (page === response) this.#clean(this.#transport.whose.redirectUris.find((uri) => pageOf(uri) === pageOf(page))!);
      if (await this.#call("relay", response)) {
        globalThis.close();
        return new Promise(() => {}); // The window that waits goes on.
      }
      // It could not read the response, but make us handle it.
      if (globalThis.top && isElsewhere(top!)) {
        throw new AuthError("invalid_callback", "callback", "the page is in a frame of another origin");
      }
    }
    return this.#seen(await this.#call("handleCallback", response));
  }

  getUser<C = IdTokenClaims>(): User<C> | null {
    return this.#state.status === "authenticated" ? (this.#state.user as User<C> | null) : null;
  }

  async getAccessToken(options?: TokenOptions): Promise<string> {
    return (await this.getToken(options)).accessToken;
  }

  getToken(options?: TokenOptions): Promise<AccessToken> {
    return this.#ask("getToken", options, "token", this.#follower.restored);
  }

  userInfo<C>(): Promise<C> {
    return this.#ask("userInfo", {}, "userinfo", this.#follower.restored);
  }

  readonly fetch: typeof fetch = (input, init) => this.#fetch(input, init);

  createFetch(options: FetchOptions): typeof fetch {
    const given = this.#events.guarded("createFetch", () => readFetchOptions(options, this.#transport));
    return (input, init) => this.#fetch(input, init, given);
  }

  #fetch(input: RequestInfo | URL, init?: RequestInit, options?: FetchTargets): Promise<Response> {
    let person: string | undefined;
    const send: Send = async (...sent) => {
      await this.#follower.restored;
      // What one person has sent is not sent again as another's.
      return this.#transport.fetch(...sent, (person ??= this.getUser()?.sub));
    };
    return fetchWith(send, this.#events, input, init, options);
  }

  dpopProof(options: { method: string; url: string; accessToken?: string }): Promise<string> {
    return this.#call("dpopProof", options);
  }

  hasScope(scope: string | string[]): Promise<boolean> {
    return this.#call("hasScope", scope);
  }

  async covers(method: string, url: string): Promise<boolean> {
    return this.#call("covers", { method, url: absolute(url) });
  }

  async scopesFor(operations: { method: string; url: string }[], options?: { granular?: boolean }): Promise<string[]> {
    let asked: string[] = [];
    for (const { method, url } of operations) {
      asked = await this.#call("scopesFor", { ...options, method, url: absolute(url), asked });
    }
    return asked;
  }

  async revoke(which: "access_token" | "refresh_token" | "all" = "all"): Promise<void> {
    await this.#call("revoke", which);
  }

  async signOut(options?: SignOutOptions): Promise<void> {
    this.leave();
    const url = (await this.#call("signOut", options)) as string | undefined;
    // A path where the server has no page for it.
    if (url) return leaving(url);
  }

  async signOutLocal(): Promise<void> {
    this.leave();
    await this.#call("signOutLocal");
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
    if (path) void leaving(path as string, "replace");
  }

  handleFrontChannelLogout(url: string = here()): Promise<boolean> {
    return this.#call("frontChannelLogout", url);
  }

  async handleInitiatedLogin(url: string = here()): Promise<boolean> {
    // A frame of another site could otherwise sign people in without their doing (Core 4).
    if (globalThis.top !== globalThis.self) return false;
    const options = await this.#call<SignInOptions | null>("initiatedLogin", url);
    if (options) leaving((await this.#call<AuthorizeRequest>("begin", options)).url);
    return !!options;
  }

  /** Somebody has seen the sign-in with this result. */
  #seen<R>(result: R): R {
    this.#follower.announce?.();
    return result;
  }

  /** Ends what is under way. */
  leave(): void {
    this.#handled = undefined;
  }

  #cleanSignOut(url: string): void {
    // Outside of a page both are empty.
    if (url && here() === url) this.#clean(pageOf(url));
  }

  dispose(): void {
    this.#life.abort();
    this.#see([{ status: "anonymous" }, { granted: [], requested: [], missing: [] }]);
    this.#events.clear();
    this.#handled = undefined;
    this.#transport.dispose();
  }

  /** What the engine tells, and what is to be logged of it. */
  hear(event: string, detail: unknown, entry?: Omit<LogEntry, "at">): void {
    if (this.#life.signal.aborted) return;
    const events = this.#events;
    if (event === "stateChanged") this.#see(detail as Sight);
    if (entry) events.log(entry);
    if (event === "restarted") return this.#follower?.regain();
    this.#follower?.hear?.(event, detail);
    events.emit(event as keyof AuthEvents, (event === "stateChanged" ? this.#state : detail) as never);
  }

  #see([state, scopes]: Sight): void {
    this.#scopes = scopes;
    this.#state = Object.freeze(state);
  }

  /** Shows a state that the engine does not know of. */
  show(state: AuthState): void {
    this.#see([state, this.#scopes]);
    this.#events.emit("stateChanged", state);
  }

  #clean(url: string): void {
    try {
      history.replaceState(history.state, "", url);
    } catch {
      // Some browsers limit how often. The response is handled all the same.
      this.#events.log({ level: "error", event: "clean" });
    }
  }

  #call<R>(
    operation: string,
    argument?: unknown,
    phase?: AuthErrorPhase,
    signal?: AbortSignal,
    before?: Promise<unknown>,
  ): Promise<R> {
    const step = async () => {
      if (before) await before;
      return this.#transport.call(operation, argument) as Promise<R>;
    };
    return this.#events.attempt(operation, () => unlessAborted(step, phase!, signal));
  }

  /** A call with options, of which the signal is for the page alone. */
  #ask<R>(
    operation: string,
    options?: SignInOptions | TokenOptions,
    phase: AuthErrorPhase = "authorize",
    before?: Promise<unknown>,
  ): Promise<R> {
    const { signal, ...given } = options ?? {};
    return this.#call(operation, given, phase, signal, before);
  }
}
