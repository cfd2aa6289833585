// Stands in for Shift iQ: the API's tokens and cookies, and the sign-in page of its web application, on one origin.

import { AccessTokens, bearer, hs256, isJwt, random } from "./oauth.mjs";
import { sendNotice, sendQuestion } from "./pages.mjs";
import { cors, matchesOrigin, standIn } from "./stand-in.mjs";

export const SYSTEM = "Shift iQ";
const COOKIE = "InSite.WebToken";
const SESSION = "InSite.Session";
/** Sliding: each renewal begins it anew. */
export const COOKIE_SEC = 3600;
/** Where a request names no lifetime. */
export const TOKEN_SEC = 1200;
const YEAR_SEC = 31_536_000;

const FLAGS = {
  /** Shows the sign-in page; otherwise `alice@example.com` is signed in at once. */
  ask: false,
  /** Cookies are `Secure`, as they are over https; browsers take that from loopback too. */
  secure: true,
  /** POST cookies/login works for debugging only. */
  debug: true,
  /** So many API calls get a 403 "Rate Limit Exceeded". */
  throttle: 0,
};

/**
 * @param {object} options
 * @param {string[]} options.origins That CORS lets in, with credentials.
 * @param {Record<string, { user: string, isExpired?: boolean, isDeveloper?: boolean }>} [options.secrets]
 * @param {string} [options.base] Of the API's paths.
 * @param {number} [options.port]
 * @param {object} [options.flags]
 */
export function startShiftIq({
  origins,
  secrets = { "s3cr3t-of-the-developer": { user: "dev@example.com" } },
  base = "/api",
  ...options
}) {
  return standIn({ ...options, defaults: FLAGS }, (world) => {
    const server = new ShiftIq(world, origins, secrets);
    const control = { baseUrl: `${world.origin}${base}`, token: (user, sec) => server.issue(user, sec) };
    return { routes: server.routes(base), reset: () => server.reset(), control };
  });
}

class ShiftIq {
  constructor({ clock, flags }, origins, secrets) {
    Object.assign(this, { clock, flags, origins, secrets });
    this.cookies = new AccessTokens(clock);
    this.tokens = new AccessTokens(clock);
    this.key = random();
  }

  reset() {
    for (const store of [this.cookies, this.tokens]) store.clear();
  }

  routes(base) {
    const expose = "X-Query-Pagination, Content-Disposition, X-Session-Refreshed";
    const allow = cors((origin) => this.origins.some((known) => matchesOrigin(origin, known)) && origin, {
      credentials: true,
      expose,
    });
    const at = (path) => new RegExp(`^${base}/${path}$`, "i");
    const health = { Status: "Healthy", Version: "2.0.0", Environment: "Local" };
    return [
      ["GET", at("diagnostic/health"), (call) => call.json(200, health), allow],
      ["POST", at("security/tokens/generate"), (call) => this.generate(call), allow],
      ["GET", at("security/tokens/introspect"), (call) => this.withPerson(call, () => this.introspect(call)), allow],
      ["POST", at("security/tokens/validate"), (call) => this.validate(call), allow],
      ["POST", at("security/cookies/login"), (call) => this.login(call), allow],
      [
        "POST",
        at("security/cookies/refresh-session"),
        (call) => this.withPerson(call, (who) => this.refresh(call, who)),
        allow,
      ],
      ["POST", at("security/cookies/logout"), (call) => this.logout(call), allow],
      [
        "GET",
        at("security/cookies/introspect"),
        (call) => this.withCookie(call, (who) => this.introspectCookie(call, who)),
        allow,
      ],
      ["GET", at("security/secrets/introspect"), (call) => this.introspectSecret(call), allow],
      ["GET POST", /^\/ui\/lobby\/signin$/i, (call) => this.signInPage(call)],
    ];
  }

  /** Hybrid: a header that begins with `Bearer `, in any case, is one; everything else is left to the cookie. */
  withPerson(call, answer) {
    if (this.flags.throttle > 0) {
      this.flags.throttle -= 1;
      const headers = { "X-Request-Cost": "1", "X-Rate-Limit-Remaining": "0" };
      return sendProblem(call, 403, "Rate Limit Exceeded", "Too many requests.", headers);
    }
    const header = call.header("authorization");
    if (/^bearer /i.test(header ?? "")) return this.withToken(call, bearer(header), answer);
    this.withCookie(call, answer);
  }

  withCookie(call, answer) {
    const cookie = call.cookie(COOKIE);
    if (cookie === undefined) return call.empty(401);
    const who = this.cookies.find(cookie);
    return who ? answer(who) : sendFailure(call, "The authentication cookie expired");
  }

  withToken(call, token, answer) {
    const who = token && this.tokens.find(token);
    return who ? answer(who) : sendFailure(call, "The bearer token is missing, invalid or expired");
  }

  issue(user, lifetimeSec = TOKEN_SEC) {
    const now = this.clock.now();
    // Its `exp` takes the seconds of the lifetime for minutes: `ExpiresIn` is what holds.
    const claims = {
      sub: user,
      user_email: user,
      org_code: "e99",
      aud: "shiftiq",
      iss: "shiftiq",
      iat: now,
      exp: now + lifetimeSec * 60,
    };
    return this.tokens.issue({ user }, lifetimeSec, hs256(this.key, { ...claims, jti: random(8) }));
  }

  async generate(call) {
    const { Secret, Lifetime = TOKEN_SEC } = await call.object();
    const owner = Object.hasOwn(this.secrets, Secret ?? "") ? this.secrets[Secret] : undefined;
    if (!owner) return call.json(401, "Your client secret is not recognized");
    if (owner.isExpired) return call.json(401, "Your client secret is expired");
    if (owner.isDeveloper === false) return call.json(401, "Developer access is not granted to your account");
    if (!Number.isInteger(Lifetime) || Lifetime < 60) return call.json(400, "The lifetime is out of range");
    const seconds = Math.min(Lifetime, YEAR_SEC);
    const words = `${seconds.toLocaleString("en-US")} seconds`;
    call.json(200, {
      AccessToken: this.issue(owner.user, seconds),
      TokenType: "Bearer",
      ExpiresIn: seconds,
      Lifetime: words,
    });
  }

  introspect(call) {
    const token = bearer(call.header("authorization"));
    if (!token) return call.empty(401);
    call.json(200, { Jwt: payload(token), Principal: { Email: payload(token).user_email } });
  }

  async validate(call) {
    const token = (await call.text()).trim();
    if (!isJwt(token) || !this.tokens.find(token)) return sendFailure(call, "The token is not valid");
    call.json(200, { Jwt: payload(token) });
  }

  /** On this machine only; anywhere else the web application's page is what signs in. */
  login(call) {
    const [organization, email] = [call.query.get("organizationCode"), call.query.get("email")];
    const words = "An untrusted cookie can be injected by the client only for debugging purposes.";
    if (!this.flags.debug || !organization || !email) return sendProblem(call, 400, "Bad Request", words);
    this.setCookies(call, email);
    call.json(200, { Email: email });
  }

  refresh(call, who) {
    const old = call.cookie(COOKIE);
    this.cookies.end((session) => old !== undefined && session === this.cookies.find(old));
    this.setCookies(call, who.user);
    call.empty(200, { "X-Session-Refreshed": stamp(this.clock.now()) });
  }

  /** Also for somebody who is not signed in. */
  logout(call) {
    const session = this.cookies.find(call.cookie(COOKIE));
    this.cookies.end((one) => one === session);
    for (const name of [COOKIE, SESSION]) call.dropCookie(name);
    call.empty(200, { "X-Session-Refreshed": stamp(this.clock.now() - YEAR_SEC) });
  }

  /** It tells the values of the cookies, too, which script could not see otherwise. */
  introspectCookie(call, { user }) {
    const value = call.cookie(COOKIE);
    const read = { UserEmail: user, UserIdentifier: "7f1c8d52-0000-4000-8000-000000000001", OrganizationCode: "e99" };
    const names = [COOKIE, SESSION].filter((name) => call.cookie(name) !== undefined);
    call.json(200, {
      Authentication: {
        Scheme: "Cookie",
        Status: "Cookie authentication succeeded",
        Cookie: { Decoded: value, Deserialized: read },
      },
      Authorization: {
        Policy: "Security.Cookies.Introspect",
        Status: "Security claims principal authorization succeeded",
      },
      Cookies: Object.fromEntries(names.map((name) => [name, call.cookie(name)])),
    });
  }

  introspectSecret(call) {
    const secret = /^Secret (\S+)$/.exec(call.header("authorization") ?? "")?.[1];
    if (!secret) return call.empty(401);
    const owner = Object.hasOwn(this.secrets, secret) ? this.secrets[secret] : undefined;
    if (!owner) return sendFailure(call, "The client secret is not recognized");
    call.json(200, { Principal: { Email: owner.user } });
  }

  setCookies(call, user) {
    const end = new Date((this.clock.now() + COOKIE_SEC) * 1000).toUTCString();
    const attributes = ["Path=/", "HttpOnly", ...(this.flags.secure ? ["Secure"] : []), "SameSite=Lax"];
    const value = random(40);
    this.cookies.issue({ user }, COOKIE_SEC, value);
    call.setCookie(COOKIE, value, [...attributes, `Expires=${end}`]);
    call.setCookie(SESSION, random(12), attributes);
  }

  /** The page of the web application. It leads back to where CORS lets in, and nowhere else. */
  async signInPage(call) {
    const target = call.query.get("returnUrl");
    const isKnown =
      URL.canParse(target ?? "") && this.origins.some((known) => matchesOrigin(new URL(target).origin, known));
    if (this.flags.ask && call.method === "GET") {
      const words = ["Sign in", "Cancel"];
      return sendQuestion(call, SYSTEM, { app: "This app", words, returnTo: isKnown ? target : undefined });
    }
    const form = this.flags.ask
      ? await call.form()
      : new URLSearchParams({ answer: "allow", username: "alice@example.com" });
    const user = form?.get("answer") === "allow" ? form.get("username") : undefined;
    if (user) this.setCookies(call, user);
    if (isKnown) return call.redirect(target);
    sendNotice(call, SYSTEM, user ? "You are signed in." : "You are not signed in.", "Go back to the app.");
  }
}

const payload = (jwt) => JSON.parse(Buffer.from(jwt.split(".")[1], "base64url").toString("utf8"));

/** `yyyy-MM-dd HH:mm:ss UTC` */
const stamp = (seconds) => `${new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;

/** Problem details, with the capital letters that this server gives its members. */
function sendProblem(call, status, title, detail, headers = {}) {
  const type = `https://developer.mozilla.org/en-us/docs/web/http/reference/status/${status}`;
  call.json(status, { Type: type, Title: title, Status: status, Detail: detail }, headers);
}

/** A credential that is there, but does not hold. The header is not for script: CORS does not expose it. */
function sendFailure(call, message) {
  sendProblem(call, 401, "Unauthorized", message, { "X-Authentication-Failed": message });
}
