import { isResponse, recipient, type Recipient } from "./callback.js";
import { AuthError, type AuthErrorPhase } from "./errors.js";
import type { Events } from "./events.js";
import { fetchWith, readFetchOptions, type FetchTargets } from "./fetch.js";
import { absolute, bare, forEngine, go, here, leaving, local, unlessAborted } from "./page.js";
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
import {
  frameResponse,
  isAwaited,
  isFramedByStranger,
  isOwnFrame,
  openPopup,
  popupResponse,
  stateOf,
} from "./windows.js";

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
    const show = (state: AuthState) => this.#show(state);
    const leave = () => this.#leave();
    // A response that another window waits for comes to a page that is a part of that window's sign-in.
    const isVisiting = isOwnFrame() || (this.isCallback() && isAwaited(stateOf(here()), transport.tag));
    const followed = { client: this, transport, options, show, leave, isVisiting, events: this.#events };
    this.#follower = new Follows(followed, signal);
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
    const request = await this.#call("begin", forEngine(options), "authorize", options?.signal);
    return leaving((request as AuthorizeRequest).url);
  }

  async signInPopup<T>(options?: SignInOptions<T> & { features?: string }): Promise<SignInResult<T>> {
    const { features, signal, ...given } = options ?? {};
    let minted: AuthorizeRequest | undefined;
    try {
      minted = this.#transport.run("createPopupUrl", given) as AuthorizeRequest;
    } catch (error) {
      if (AuthError.from(error).code !== "not_initialised") throw this.#events.failed("signInPopup", error);
    }
    const popup = this.#guard("signInPopup", () => openPopup(minted?.url, features));
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
    const url = await this.#events.attempt("popup", () => popupResponse(popup, this.#transport.listen, state, signal));
    return (await this.#handle(url)) as SignInResult<T>;
  }

  async signInSilent(options?: SignInOptions): Promise<SignInResult> {
    if ((options?.prompt ?? "none") !== "none") {
      throw new AuthError("invalid_configuration", "authorize", "prompt would show a page, and the frame is hidden");
    }
    const given = { ...forEngine(options), prompt: "none" };
    const signal = options?.signal;
    const before = this.#signOuts;
    const { url, state } = (await this.#call("beginFrame", given, "authorize", signal)) as AuthorizeRequest;
    const { listen } = this.#transport;
    const timeout = this.#options.restoreTimeoutMs ?? 10_000;
    const isOver = () => signal?.aborted || this.#signOuts !== before || this.#life.signal.aborted;
    const response = await this.#events.attempt("frame", () => frameResponse(url, listen, state, timeout, isOver));
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
      if (page === response) this.#clean(this.#recipient.redirectUris.find((uri) => bare(uri) === bare(page)) ?? bare(page));
      const state = stateOf(response);
      if (isAwaited(state, this.#recipient.tag)) {
        await this.#call("relay", response);
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

  async getToken(options?: TokenOptions): Promise<AccessToken> {
    const given = forEngine(options);
    const token = (await this.#restoredCall("getToken", given, "token", options?.signal)) as AccessToken;
    return { ...token, expiresAt: token.expiresAt ?? Infinity };
  }

  async userInfo<C>(): Promise<C> {
    return (await this.#restoredCall("userInfo")) as C;
  }

  readonly fetch: typeof fetch = (input, init) => this.#fetch(input, init);

  createFetch(options: FetchOptions): typeof fetch {
    const checkApi = (api: unknown) => this.#transport.run("checkApi", api);
    const given = this.#guard("createFetch", () => readFetchOptions(options, checkApi));
    return (input, init) => this.#fetch(input, init, given);
  }

  #fetch(input: RequestInfo | URL, init?: RequestInit, options?: FetchTargets): Promise<Response> {
    let person: string | undefined;
    const send: Transport["fetch"] = async (...sent) => {
      await this.#follower.restored;
      const now = this.getUser()?.sub;
      // What one person has sent is not sent again as another's.
      if (now && now !== (person ??= now)) throw new AuthError("aborted", "fetch", "another person is signed in by now");
      return this.#transport.fetch(...sent);
    };
    return fetchWith(send, this.#events, input, init, options);
  }

  async dpopProof(options: { method: string; url: string; accessToken?: string }): Promise<string> {
    return (await this.#call("dpopProof", options)) as string;
  }

  async hasScope(scope: string | string[]): Promise<boolean> {
    return (await this.#run("hasScope", scope)) as boolean;
  }

  async covers(method: string, url: string): Promise<boolean> {
    return (await this.#run("covers", { method, url: absolute(url) })) as boolean;
  }

  async scopesFor(operations: { method: string; url: string }[], options?: { granular?: boolean }): Promise<string[]> {
    const given = operations?.map((it) => ({ ...it, url: absolute(it?.url) }));
    return (await this.#run("scopesFor", { ...options, operations: given })) as string[];
  }

  async revoke(which: "access_token" | "refresh_token" | "all" = "all"): Promise<void> {
    await this.#call("revoke", which);
  }

  async signOut(options?: SignOutOptions): Promise<void> {
    this.#leave();
    const url = (await this.#call("signOut", options)) as string | undefined;
    // A path where the server has no page for it.
    if (url) return leaving(url.startsWith("/") ? local(url) : url);
  }

  async signOutLocal(): Promise<void> {
    this.#leave();
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
    if (path) go(() => location.replace(local(path as string)));
  }

  async handleFrontChannelLogout(url: string = here()): Promise<boolean> {
    return (await this.#run("frontChannelLogout", url)) as boolean;
  }

  async handleInitiatedLogin(url: string = here()): Promise<boolean> {
    // A frame of another site could otherwise sign people in without their doing (Core 4).
    if (globalThis.top !== globalThis.self) return false;
    const options = (await this.#run("initiatedLogin", url)) as SignInOptions | null;
    if (!options) return false;
    leaving(((await this.#call("begin", options)) as AuthorizeRequest).url);
    return true;
  }

  /** Handles the response of a sign-in that somebody sees. */
  async #handle(response: string): Promise<unknown> {
    const result = await this.#call("handleCallback", response);
    // Handled a second time, it is no second sign-in.
    if (this.#isUntold) this.#follower.announce();
    this.#isUntold = false;
    return result;
  }

  #leave(): void {
    this.#handled = undefined;
    this.#signOuts++;
  }

  #cleanSignOut(url: string): void {
    if (here() === url) this.#clean(bare(url));
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
    if (event === "restarted") return this.#follower.again(had);
    if (event === "signedIn") this.#isUntold = true;
    if (event === "signedOut") this.#signOuts++;
    this.#follower.hear(event, detail);
    events.emit(event as keyof AuthEvents, (event === "stateChanged" ? this.#state : detail) as never);
  }

  #see([state, scopes]: Sight): void {
    this.#scopes = scopes;
    this.#state = Object.freeze(state);
  }

  #show(state: AuthState): void {
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

  #call(
    operation: string,
    argument?: unknown,
    phase?: AuthErrorPhase,
    signal?: AbortSignal,
    before?: Promise<unknown>,
  ): Promise<unknown> {
    const step = async () => {
      if (before) await before;
      return this.#transport.call(operation, argument);
    };
    return this.#events.attempt(operation, () => unlessAborted(step, phase!, signal));
  }

  /** An operation that is done in this tick, where the engine is on this thread. */
  #run(operation: string, argument?: unknown): Promise<unknown> {
    return this.#events.attempt(operation, async () => this.#transport.run(operation, argument));
  }

  /** A call that waits until it is clear whether the session of before goes on. */
  #restoredCall(operation: string, argument?: unknown, phase?: AuthErrorPhase, signal?: AbortSignal): Promise<unknown> {
    return this.#call(operation, argument, phase, signal, this.#follower.restored);
  }

  #guard<R>(operation: string, step: () => R): R {
    return this.#events.guard(operation, step);
  }
}
