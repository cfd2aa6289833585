// The stand-in for Shift iQ, fact by fact.

import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";

import { startShiftIq } from "./shiftiq.mjs";
import { APP, ask, bearer, cookies, includes, query } from "./support.mjs";

const SECRET = "s3cr3t-of-the-developer";
const server = await startShiftIq({
  origins: [APP, "https://*.shiftiq.com"],
  secrets: {
    [SECRET]: { user: "dev@example.com" },
    old: { user: "dev@example.com", isExpired: true },
    reader: { user: "reader@example.com", isDeveloper: false },
  },
});
after(() => server.close());
beforeEach(() => server.reset());

const at = (path) => `${server.baseUrl}${path}`;
const introspect = (headers) => ask(at("/security/tokens/introspect"), { headers });
const INTROSPECT_COOKIE = "/security/cookies/introspect";
const login = () =>
  ask(at(`/security/cookies/login?${query({ organizationCode: "e99", email: "alice@example.com" })}`), {
    method: "POST",
  });
const generate = (json) => ask(at("/security/tokens/generate"), { json });

test("health needs nothing", async () => {
  const { status, body } = await ask(at("/diagnostic/health"));
  assert.deepEqual([status, Object.keys(body)], [200, ["Status", "Version", "Environment"]]);
});

test("a token is made for a secret in the body; names begin with capital letters", async () => {
  const { status, body } = await generate({ Secret: SECRET, Lifetime: 86_400 });
  assert.equal(status, 200);
  includes(body, { TokenType: "Bearer", ExpiresIn: 86_400 });
  assert.match(body.Lifetime, /^86,400 seconds/);
  const { body: who } = await introspect(bearer(body.AccessToken));
  includes(who.Jwt, { user_email: "dev@example.com" });
  assert.ok(who.Principal);
  assert.equal((await ask(at("/security/tokens/validate"), { method: "POST", body: body.AccessToken })).status, 200);
});

const LIFETIMES = [
  [undefined, 200, 1200],
  [60, 200, 60],
  [59, 400],
  [99_999_999, 200, 31_536_000],
];
for (const [Lifetime, status, seconds] of LIFETIMES) {
  test(`a lifetime of ${Lifetime ?? "nothing"}: ${status}${seconds ? `, ${seconds} s` : ""}`, async () => {
    const answer = await generate({ Secret: SECRET, Lifetime });
    assert.deepEqual([answer.status, answer.body.ExpiresIn], [status, seconds]);
  });
}

for (const [Secret, words] of [
  ["old", "Your client secret is expired"],
  ["nothing", "Your client secret is not recognized"],
  ["reader", "Developer access is not granted to your account"],
]) {
  test(`no token for the secret "${Secret}": ${words}`, async () => {
    const { status, body } = await generate({ Secret });
    assert.deepEqual([status, body], [401, words]);
  });
}

test("`ExpiresIn` holds, and not the token's `exp`", async () => {
  const { body } = await generate({ Secret: SECRET, Lifetime: 600 });
  const { exp, iat } = (await introspect(bearer(body.AccessToken))).body.Jwt;
  assert.equal(exp - iat, 36_000);
  server.clock.advance(600);
  assert.equal((await introspect(bearer(body.AccessToken))).status, 401);
});

test("without a credential: 401, empty", async () => {
  for (const path of ["/security/tokens/introspect", INTROSPECT_COOKIE]) {
    const { status, body, headers } = await ask(at(path));
    assert.deepEqual([status, body, headers.get("content-type")], [401, "", null]);
  }
});

const REFUSED = [
  ["bearer in small letters", () => ({ Authorization: `bearer ${server.token("a@example.com")}` }), /bearer token/],
  ["an unknown token", () => bearer("x.y.z"), /bearer token/],
  ["an old cookie", () => ({ Cookie: "InSite.WebToken=old" }), /cookie expired/],
];
for (const [name, headers, words] of REFUSED) {
  test(`${name}: 401 with problem details, and the reason in a header that is not exposed`, async () => {
    const answer = await introspect({ ...headers(), Origin: APP });
    assert.equal(answer.status, 401);
    assert.equal(answer.headers.get("content-type"), "application/json");
    assert.deepEqual(Object.keys(answer.body), ["Type", "Title", "Status", "Detail"]);
    assert.match(answer.body.Detail, words);
    assert.equal(answer.headers.get("x-authentication-failed"), answer.body.Detail);
    const exposed = answer.headers.get("access-control-expose-headers");
    assert.equal(exposed, "X-Query-Pagination, Content-Disposition, X-Session-Refreshed");
  });
}

test("a Bearer header goes before the cookie", async () => {
  const headers = { ...bearer("x.y.z"), Cookie: cookies(await login()) };
  assert.equal((await introspect(headers)).status, 401);
});

test("the cookies: HttpOnly, Secure, SameSite=Lax; Secure can be left out", async () => {
  const set = (await login()).headers.getSetCookie();
  assert.deepEqual(
    set.map((text) => text.split("=")[0]),
    ["InSite.WebToken", "InSite.Session"],
  );
  for (const text of set) assert.match(text, /; Path=\/; HttpOnly; Secure; SameSite=Lax/);
  server.flags.secure = false;
  assert.doesNotMatch((await login()).headers.get("set-cookie"), /Secure/);
});

test("sign-in by a POST is for debugging only", async () => {
  server.flags.debug = false;
  const { status, body } = await login();
  assert.equal(status, 400);
  assert.match(body.Detail, /^An untrusted cookie can be injected by the client only for debugging/);
});

test("introspection of the cookie", async () => {
  const { status, body } = await ask(at(INTROSPECT_COOKIE), { headers: { Cookie: cookies(await login()) } });
  assert.equal(status, 200);
  assert.deepEqual(Object.keys(body), ["Authentication", "Authorization", "Cookies"]);
  assert.deepEqual(Object.keys(body.Authentication), ["Scheme", "Status", "Cookie"]);
});

test("a session slides: refresh-session gives new cookies for another hour", async () => {
  const first = cookies(await login());
  server.clock.advance(3599);
  const answer = await ask(at("/security/cookies/refresh-session"), { method: "POST", headers: { Cookie: first } });
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get("x-session-refreshed"), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/);
  const second = cookies(answer);
  server.clock.advance(3599);
  assert.equal((await ask(at(INTROSPECT_COOKIE), { headers: { Cookie: second } })).status, 200);
  assert.equal((await ask(at(INTROSPECT_COOKIE), { headers: { Cookie: first } })).status, 401);
  server.clock.advance(1);
  const late = await ask(at("/security/cookies/refresh-session"), { method: "POST", headers: { Cookie: second } });
  assert.equal(late.status, 401);
});

test("refresh-session takes a bearer token too, and nobody who is signed out", async () => {
  const url = at("/security/cookies/refresh-session");
  assert.equal((await ask(url, { method: "POST", headers: bearer(server.token("a@example.com")) })).status, 200);
  assert.equal((await ask(url, { method: "POST" })).status, 401);
});

test("logout deletes the cookies, for anybody, and names a time of a year ago", async () => {
  const held = cookies(await login());
  const out = await ask(at("/security/cookies/logout"), { method: "POST", headers: { Cookie: held } });
  assert.equal(out.status, 200);
  assert.equal(out.headers.getSetCookie().filter((text) => /Max-Age=0/.test(text)).length, 2);
  const year = Number(out.headers.get("x-session-refreshed").slice(0, 4));
  assert.equal(year, new Date((server.clock.now() - 31_536_000) * 1000).getUTCFullYear());
  assert.equal((await ask(at(INTROSPECT_COOKIE), { headers: { Cookie: held } })).status, 401);
  assert.equal((await ask(at("/security/cookies/logout"), { method: "POST" })).status, 200);
});

test("a secret in a header is for servers, and the server takes it", async () => {
  const url = at("/security/secrets/introspect");
  assert.equal((await ask(url, { headers: { Authorization: `Secret ${SECRET}` } })).status, 200);
  assert.equal((await ask(url, { headers: { Authorization: "Secret x" } })).status, 401);
  assert.equal((await ask(url)).status, 401);
});

test("too many: 403, which is no question of permission", async () => {
  server.flags.throttle = 1;
  const { status, headers, body } = await introspect(bearer(server.token("a@example.com")));
  assert.deepEqual([status, body.Title], [403, "Rate Limit Exceeded"]);
  assert.deepEqual([headers.get("x-request-cost"), headers.get("x-rate-limit-remaining")], ["1", "0"]);
});

test("CORS: credentials for the listed origins and their subdomains, any header and method", async () => {
  const ask_ = (origin, init = {}) =>
    ask(at(INTROSPECT_COOKIE), { ...init, headers: { Origin: origin, ...init.headers } });
  for (const origin of [APP, "https://e99.shiftiq.com"]) {
    const { headers } = await ask_(origin);
    assert.equal(headers.get("access-control-allow-origin"), origin);
    assert.equal(headers.get("access-control-allow-credentials"), "true");
  }
  for (const origin of ["https://shiftiq.com.evil.example", "https://evilshiftiq.com", "http://localhost:5174"]) {
    assert.equal((await ask_(origin)).headers.get("access-control-allow-origin"), null);
  }
  const preflight = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "content-type, x-csrf",
  };
  const { status, headers } = await ask_(APP, { method: "OPTIONS", headers: preflight });
  assert.deepEqual([status, headers.get("access-control-allow-headers")], [204, "content-type, x-csrf"]);
});

test("the sign-in page asks, sets the cookies, and leads back to a listed origin only", async () => {
  server.flags.ask = true;
  const page = (target) => `${server.origin}/ui/lobby/signin?${query({ returnUrl: target })}`;
  assert.match((await ask(page(`${APP}/`))).body, /User name/);
  const form = { username: "bob@example.com", answer: "allow" };
  const done = await ask(page(`${APP}/here`), { form });
  assert.deepEqual([done.status, done.location], [302, `${APP}/here`]);
  const { body } = await ask(at(INTROSPECT_COOKIE), { headers: { Cookie: cookies(done) } });
  assert.equal(body.Authentication.Cookie.Deserialized.UserEmail, "bob@example.com");
  assert.equal((await ask(page("https://evil.example/"), { form })).location, null);
  const denied = await ask(page(`${APP}/`), { form: { ...form, answer: "deny" } });
  assert.deepEqual([denied.location, cookies(denied)], [`${APP}/`, ""]);
});
