import type { AuthState } from "./auth-client.js";
import { readSettings, type Settings } from "./cookie-session-options.js";
import { type Person, readPerson } from "./cookie-session-person.js";
import { type Answer, ask, isRateLimit, trouble, withCsrf } from "./cookie-session-requests.js";
import { Wakes } from "./cookie-session-wakes.js";
import { AuthError, type AuthErrorPhase } from "./errors.js";
import { Events } from "./events.js";
import { invalid, readMembers } from "./options.js";
import { admit, bound, send } from "./outgoing.js";
import { leaving } from "./page.js";
import { memory } from "./restore.js";
import type { CookieSession, CookieSessionOptions } from "./session-types.js";
import { isLocalPath, isPlace } from "./target.js";

/** Milliseconds after a refresh that failed, at least. */
const AGAIN = 30_000;
/** Milliseconds in which who is signed in is not asked again, however often the page is come back to. */
const FRESH = 10_000;

/**
 * A session that an `HttpOnly` cookie of the server holds, of the page's own site, or of a backend for frontend. Resolves
 * when it is clear who is signed in; where the server cannot be asked, nobody is, and `state.reason` says why.
 *
 * @throws {AuthError} `invalid_configuration`, `credential_refused`.
 */
export async function createCookieSession(options: CookieSessionOptions): Promise<CookieSession> {
  if (!globalThis.location) throw invalid("there is no page, and no cookies without one");
  const session = new Session(readSettings(options, location));
  await session.begin();
  return session;
}

class Session implements CookieSession {
  readonly #it: Settings;
  readonly #events = new Events(undefined);
  readonly #life = new AbortController();
  readonly #wakes: Wakes;
  /** Where the tab remembers that the page was left to sign in or out. */
  readonly #leftKey: string;
  #state: AuthState = Object.freeze({ status: "loading" });
  /** What the server last said of the person. */
  #text = "";
  /** Counts what makes answers stale that are under way. */
  #epoch = 0;
  #looking: Promise<void> | undefined;
  #refreshing: Promise<void> | undefined;
  #leaving: Promise<void> | undefined;
  /** Until then, nobody needs to ask again who is signed in. */
  #freshUntil = 0;
  /** Until then, the server has asked to be left alone. */
  #heldUntil = 0;

  constructor(settings: Settings) {
    this.#it = settings;
    const { userUrl, refreshUrl, targets } = settings;
    const name = userUrl ?? refreshUrl ?? targets[0]!.origin;
    this.#leftKey = `wardkey:left:1:${name}`;
    const { signal } = this.#life;
    this.#wakes = new Wakes(name, signal, settings.every, {
      refresh: () => void this.refresh().catch(() => {}),
      look: (isBack) => (isBack ? this.#heldUntil : this.#freshUntil) > Date.now() || this.#quietly(),
      hear: () => this.#hear(),
    });
  }

  async begin(): Promise<void> {
    await this.#quietly();
    // Nobody to ask, or nobody who answered.
    if (this.#state.status === "loading") this.#show({ status: "anonymous" });
    if (memory.get(this.#leftKey)) this.#wakes.tell();
    memory.set(this.#leftKey, null);
  }

  get state(): AuthState {
    return this.#state;
  }

  subscribe(listener: (state: AuthState) => void): () => void {
    return this.#events.on("stateChanged", listener);
  }

  readonly fetch: typeof fetch = async (input, init) => {
    this.#check("fetch");
    const asked = admit(input, init, this.#it.targets);
    const epoch = this.#epoch;
    const response = await send(withCsrf(bound(asked, "include"), this.#it.csrf));
    if (response.status === 401 && epoch === this.#epoch) this.#end();
    // A server that prolongs the session with each request says so.
    else if (response.ok && response.headers.has("x-session-refreshed")) this.#wakes.renewed();
    return response;
  };

  async signIn(options: { returnTo?: string } = {}): Promise<never> {
    this.#check("authorize");
    const { signInUrl } = this.#it;
    const { returnTo } = readMembers<{ returnTo?: string }>("options", options, {
      returnTo: [isLocalPath, "is not a plain path of this origin", "optional"],
    });
    if (!signInUrl) throw invalid("signInUrl is missing");
    const url = new URL(signInUrl);
    const { origin, pathname, search, hash } = location;
    const page = pathname + search + hash;
    const path = returnTo ?? (isLocalPath(page) ? page : "/");
    if (this.#isOurs(new URL(path, origin))) throw invalid("returnTo is the way to sign in or out itself");
    url.searchParams.set("returnUrl", url.origin === origin ? path : origin + path);
    return this.#leave(url.href);
  }

  async refresh(): Promise<void> {
    this.#check("refresh");
    this.#refreshing ??= this.#refresh().finally(() => (this.#refreshing = undefined));
    return this.#refreshing;
  }

  async signOut(): Promise<void> {
    this.#check("sign_out");
    const page = this.#signOutPage();
    if (page) return this.#leave(page);
    return (this.#leaving ??= this.#signOut().finally(() => (this.#leaving = undefined)));
  }

  dispose(): void {
    this.#life.abort();
    this.#show({ status: "anonymous" });
    this.#events.clear();
  }

  async #signOut(): Promise<void> {
    const { signOutUrl, userUrl } = this.#it;
    if (!signOutUrl) throw invalid("signOutUrl is missing");
    // Its answer would set the cookie again.
    await this.#refreshing?.catch(() => {});
    const answer = await this.#ask("POST", signOutUrl, "sign_out");
    if (!answer.ok && !answer.isNobody) throw trouble(answer, "sign_out");
    // A redirect may lead to a page of farewell, and elsewhere.
    if (!answer.ok && answer.status !== 401 && userUrl && (await this.#isSomebody())) throw trouble(answer, "sign_out");
    // Also where nobody was known here: what was asked before may know somebody.
    this.#epoch++;
    this.#show({ status: "anonymous" });
    this.#wakes.tell();
  }

  /** Asks who is signed in, or where nobody can say, whether anybody is. Failures are in the state. */
  async #quietly(): Promise<void> {
    const { userUrl, refreshUrl } = this.#it;
    if (userUrl) await this.#look().catch(() => {});
    else if (refreshUrl) await this.refresh().catch(() => {});
  }

  #look(): Promise<void> {
    return (this.#looking ??= this.#lookNow().finally(() => (this.#looking = undefined)));
  }

  async #lookNow(): Promise<void> {
    const epoch = this.#epoch;
    this.#asked();
    try {
      const answer = await this.#ask("GET", this.#it.userUrl!, "userinfo");
      if (!answer.ok) this.#asked(answer.retryAfter * 1000);
      const { ok, isNobody, status, text } = answer;
      if (!ok && !isNobody && (status !== 403 || isRateLimit(status, text))) throw trouble(answer, "userinfo");
      const person = ok ? readPerson(text, Date.now()) : null;
      if (person === undefined) throw new AuthError("server_error", "userinfo", "userUrl answers with something else than a user");
      if (epoch !== this.#epoch) return;
      if (person) this.#see(person);
      else this.#seeNobody();
    } catch (error) {
      if (epoch === this.#epoch) this.#fail(error as AuthError);
      throw error;
    }
  }

  /** @param wait Milliseconds that the server wants to be left alone. */
  #asked(wait = 0): void {
    this.#heldUntil = Date.now() + wait;
    this.#freshUntil = Date.now() + Math.max(FRESH, wait);
  }

  /** Does the server still know somebody? What it answered before does not count. */
  async #isSomebody(): Promise<boolean> {
    await this.#looking?.catch(() => {});
    await this.#look();
    return this.#state.status === "authenticated";
  }

  async #refresh(): Promise<void> {
    const { refreshUrl, userUrl } = this.#it;
    if (!refreshUrl && !userUrl) throw invalid("refresh and userUrl are missing");
    // Its answer could set the cookie again behind the sign-out's.
    const hasLeft = this.#leaving && (await this.#leaving.then(() => true, () => false));
    if (hasLeft) throw new AuthError("session_expired", "refresh", "a sign-out came first");
    if (refreshUrl) await this.#renew(refreshUrl);
    // The cookie may be another person's by now, and what was asked before the renewal may be of the one before.
    await this.#looking?.catch(() => {});
    if (userUrl) await this.#look();
    else this.#see({ user: null, expiresAt: Infinity, text: "" });
    if (this.#state.status !== "authenticated") throw new AuthError("session_expired", "refresh", "nobody is signed in any more");
  }

  async #renew(url: string): Promise<void> {
    const epoch = this.#epoch;
    let wait = 0;
    this.#asked();
    try {
      const answer = await this.#ask("POST", url, "refresh");
      wait = answer.ok ? 0 : answer.retryAfter * 1000;
      if (answer.isNobody) throw new AuthError("session_expired", "refresh", "the server knows the session no more");
      if (!answer.ok) throw trouble(answer, "refresh");
    } catch (error) {
      if (epoch === this.#epoch && (error as AuthError).code === "session_expired") this.#end();
      else if (epoch === this.#epoch) this.#fail(error as AuthError);
      this.#wakes.deferred(Math.max(AGAIN, wait));
      throw error;
    }
    // Whatever has changed meanwhile: without a timer, there would be no refresh any more.
    this.#wakes.renewed();
    if (epoch !== this.#epoch) throw new AuthError("aborted", "refresh", "the session changed meanwhile");
  }

  /** Another tab says that something has changed. That alone changes nothing; what is under way may be older. */
  #hear(): void {
    this.#epoch++;
    const before = Promise.allSettled([this.#looking, this.#refreshing]);
    void before.then(() => (this.#life.signal.aborted ? undefined : this.#quietly()));
  }

  /** The server does not take the cookie any more. */
  #end(): void {
    if (this.#state.status !== "authenticated") return this.#seeNobody();
    this.#seeNobody();
    this.#wakes.tell();
  }

  #seeNobody(): void {
    const { state } = this;
    if (state.status === "authenticated") this.#show({ status: "anonymous", reason: "session_expired" });
    else if (state.status === "loading" || (state.reason && state.reason !== "session_expired")) {
      this.#show({ status: "anonymous" });
    }
  }

  #see({ user, expiresAt, text }: Person): void {
    const { state } = this;
    const isSame =
      state.status === "authenticated" &&
      !state.stale &&
      text === this.#text &&
      // An hour, and the same hour a second later.
      (state.expiresAt === expiresAt || Math.abs(state.expiresAt - expiresAt) < 5_000);
    // What was sent with the cookie of one person says nothing of another's.
    if (state.status === "authenticated" && (state.user?.sub ?? this.#text) !== (user?.sub ?? text)) this.#epoch++;
    this.#text = text;
    if (!isSame) this.#show({ status: "authenticated", user, expiresAt, scopes: [], stale: false });
  }

  /** The server could not be asked. */
  #fail({ code }: AuthError): void {
    const { state } = this;
    if (state.status === "authenticated") state.stale || this.#show({ ...state, stale: true });
    else if (state.status === "loading") this.#show({ status: "anonymous", reason: code });
  }

  #show(state: AuthState): void {
    const before = this.#state;
    if (state.status === "anonymous" && before.status === "anonymous" && state.reason === before.reason) return;
    if (state.status !== before.status) this.#epoch++;
    this.#state = Object.freeze(state);
    this.#wakes.keep(state.status === "authenticated");
    this.#events.emit("stateChanged", this.#state);
  }

  /** The page that the user's claims name for it (Duende's BFF): of the origin that says so, or of this one. */
  #signOutPage(): string | undefined {
    const claims = this.#state.status === "authenticated" ? this.#state.user?.claims : undefined;
    const page = claims?.["bff:logout_url"];
    const { userUrl } = this.#it;
    if (typeof page !== "string" || !userUrl || !URL.canParse(page, userUrl)) return undefined;
    const { origin, href } = new URL(page, userUrl);
    return [new URL(userUrl).origin, location.origin].includes(origin) && isPlace(href) ? href : undefined;
  }

  #isOurs({ origin, pathname }: URL): boolean {
    const ours = [this.#it.signInUrl, this.#it.signOutUrl].flatMap((url) => (url ? [new URL(url)] : []));
    return ours.some((url) => url.origin === origin && url.pathname === pathname);
  }

  /** What the other tabs are to be told of, they are when the page is back. */
  #leave(url: string): Promise<never> {
    memory.set(this.#leftKey, "1");
    return leaving(url);
  }

  #ask(method: "GET" | "POST", url: string, phase: AuthErrorPhase): Promise<Answer> {
    return ask(method, url, phase, this.#it.csrf, this.#life.signal);
  }

  #check(phase: AuthErrorPhase): void {
    if (this.#life.signal.aborted) throw new AuthError("not_initialised", phase, "the session was disposed");
  }
}
