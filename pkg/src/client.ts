import { isResponse, pageOf, recipient, type Recipient } from "./callback.js";
import { AuthError, misuse, type AuthErrorPhase } from "./errors.js";
import type { Events } from "./events.js";
import { fetchWith, readFetchOptions, type FetchTargets } from "./fetch.js";
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
import { frameResponse, isFramedByStranger, openPopup, popupResponse } from "./windows.js";

/** One line a method over the transport; what needs the page (URL, history, navigation) is here. */
export class Client implements AuthClient {
  #transport!: Transport;
  #recipient!: Recipient;
  #state: AuthState = { status: "loading" };
  #scopes!: AuthClient["scopes"];
  /** The response that the page was loaded with, from when its URL was cleaned. */
  #handled: string | undefined;
  #options!: AuthOptions;
  #follower!: Follower;
  /** Counts sign-outs: one wins over a silent sign-in that was under way. */
  #signOuts = 0;
  /** There was a sign-in that the other tabs may not have been told of. */
  #isUntold = false;
  /** Ends with the client; then nobody is told anything any more. */
  readonly #life = new AbortController();
  readonly #events: Events;

  constructor(events: Events) {
    this.#events = events;
  }

  /** Takes up the session that is there, and looks after it from here on. */
  attach(options: AuthOptions, transport: Transport, Follows: Follows): Promise<void> {
    this.#transport = transport;
    this.#options = options;
    this.#recipient = recipient(options, transport.tag);
    this.#see(transport.sight);
    const { signal } = this.#life;
    this.#follower = new Follows({ client: this, transport, options, events: this.#events }, signal);
    return this.#follower.begin(this.isCallback(), signal);
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
    await this.#call("prepare", forEngine(options));
  }

  createAuthorizeUrl(options?: SignInOptions): AuthorizeRequest {
    const step = () => this.#transport.run("createAuthorizeUrl", forEngine(options));
    const { url, state } = this.#guard("createAuthorizeUrl", step) as AuthorizeRequest;
    return { url, state };
  }

  async signIn(options?: SignInOptions): Promise<never> {
    const { url } = await this.#call<AuthorizeRequest>("begin", forEngine(options), "authorize", options?.signal);
    return leaving(url);
  }

  async signInPopup<T>(options?: SignInOptions<T> & { features?: string }): Promise<SignInResult<T>> {
    const { features, signal, ...given } = options ?? {};
    let minted: AuthorizeRequest | undefined;
    const popup = this.#guard("signInPopup", () => {
      minted = this.#transport.run("createPopupUrl", given) as AuthorizeRequest | undefined;
      return openPopup(minted?.url, features);
    });
    try {
      if (!minted) {
        minted = (await this.#call("beginPopup", given, "authorize", signal)) as AuthorizeRequest;
        const { url } = minted;
        this.#guard("signInPopup", () => go(() => popup.location.replace(url)));
      }
    } catch (error) {
      popup.close();
      throw error;
    }
    const { state } = minted;
    const url = await this.#events.attempt("popup", () => popupResponse(popup, this.#transport, state, signal));
    return (await this.#handle(url)) as SignInResult<T>;
  }

  async signInSilent(options?: SignInOptions): Promise<SignInResult> {
    if ((options?.prompt ?? "none") !== "none") {
      throw misuse("prompt would show a page", "authorize");
    }
    const given = { ...forEngine(options), prompt: "none" };
    const signal = options?.signal;
    const before = this.#signOuts;
    const { url, state } = (await this.#call("beginFrame", given, "authorize", signal)) as AuthorizeRequest;
    const timeout = this.#options.restoreTimeoutMs ?? 10_000;
    const isOver = () => signal?.aborted || this.#signOuts !== before || this.#life.signal.aborted;
    const response = await this.#events.attempt("frame", () => frameResponse(url, this.#transport, state, timeout, isOver));
    return (await this.#call("handleCallback", response)) as SignInResult;
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
      if (page === response) this.#clean(this.#recipient.redirectUris.find((uri) => pageOf(uri) === pageOf(page))!);
      if (await this.#call("relay", response)) {
        globalThis.close();
        return new Promise(() => {}); // The window that waits goes on.
      }
      if (isFramedByStranger()) {
        throw new AuthError("invalid_callback", "callback", "the page is in a frame of another origin");
      }
    }
    return (await this.#handle(response)) as SignInResult<T>;
  }

  getUser<C = IdTokenClaims>(): User<C> | null {
    return this.#state.status === "authenticated" ? (this.#state.user as User<C> | null) : null;
  }

  async getAccessToken(options?: TokenOptions): Promise<string> {
    return (await this.getToken(options)).accessToken;
  }

  getToken(options?: TokenOptions): Promise<AccessToken> {
    return this.#restoredCall("getToken", forEngine(options), "token", options?.signal);
  }

  userInfo<C>(): Promise<C> {
    return this.#restoredCall("userInfo");
  }

  readonly fetch: typeof fetch = (input, init) => this.#fetch(input, init);

  createFetch(options: FetchOptions): typeof fetch {
    const given = this.#guard("createFetch", () => readFetchOptions(options, this.#transport));
    return (input, init) => this.#fetch(input, init, given);
  }

  #fetch(input: RequestInfo | URL, init?: RequestInit, options?: FetchTargets): Promise<Response> {
    let person: string | undefined;
    const send: Transport["fetch"] = async (...sent) => {
      await this.#follower.restored;
      const now = this.getUser()?.sub;
      // What one person has sent is not sent again as another's.
      if (now && now !== (person ??= now)) throw new AuthError("aborted", "fetch", "another person is signed in");
      return this.#transport.fetch(...sent);
    };
    return fetchWith(send, this.#events, input, init, options);
  }

  dpopProof(options: { method: string; url: string; accessToken?: string }): Promise<string> {
    return this.#call("dpopProof", options);
  }

  hasScope(scope: string | string[]): Promise<boolean> {
    return this.#run("hasScope", scope);
  }

  async covers(method: string, url: string): Promise<boolean> {
    return this.#run("covers", { method, url: absolute(url) });
  }

  async scopesFor(operations: { method: string; url: string }[], options?: { granular?: boolean }): Promise<string[]> {
    let asked: string[] = [];
    for (const { method, url } of operations) {
      asked = await this.#run("scopesFor", { ...options, method, url: absolute(url), asked });
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
    await this.#run("signOutLocal");
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
    return this.#run("frontChannelLogout", url);
  }

  async handleInitiatedLogin(url: string = here()): Promise<boolean> {
    // A frame of another site could otherwise sign people in without their doing (Core 4).
    if (globalThis.top !== globalThis.self) return false;
    const options = await this.#run<SignInOptions | null>("initiatedLogin", url);
    if (options) leaving((await this.#call<AuthorizeRequest>("begin", options)).url);
    return !!options;
  }

  /** Handles the response of a sign-in that somebody sees. */
  async #handle(response: string): Promise<unknown> {
    const result = await this.#call("handleCallback", response);
    // Handled a second time, it is no second sign-in.
    if (this.#isUntold) this.#follower.announce?.();
    this.#isUntold = false;
    return result;
  }

  /** Ends what is under way. */
  leave(): void {
    this.#handled = undefined;
    this.#signOuts++;
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
    const had = this.#state.status === "authenticated";
    if (event === "stateChanged") this.#see(detail as Sight);
    if (entry) events.log(entry);
    if (event === "restarted") return this.#follower?.again(had);
    if (event === "signedIn") this.#isUntold = true;
    if (event === "signedOut") this.#signOuts++;
    this.#follower?.hear?.(event, detail);
    events.emit(event as keyof AuthEvents, (event === "stateChanged" ? this.#state : detail) as never);
  }

  #see([state, scopes]: Sight): void {
    this.#scopes = scopes;
    this.#state = Object.freeze(state);
  }

  /** Shows a state that the engine does not know of. */
  show(state: AuthState): void {
    this.#state = Object.freeze(state);
    this.#events.emit("stateChanged", this.#state);
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

  /** An operation that is done in this tick, where the engine is on this thread. */
  #run<R>(operation: string, argument?: unknown): Promise<R> {
    return this.#events.attempt(operation, async () => this.#transport.run(operation, argument) as R);
  }

  /** A call that waits until it is clear whether the session of before goes on. */
  #restoredCall<R>(operation: string, argument?: unknown, phase?: AuthErrorPhase, signal?: AbortSignal): Promise<R> {
    return this.#call(operation, argument, phase, signal, this.#follower.restored);
  }

  #guard<R>(operation: string, step: () => R): R {
    return this.#events.guard(operation, step);
  }
}
