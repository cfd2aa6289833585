/** What must not compile. Each line is a mistake that people make; without an error, the marker above it is one. */
import {
  type AuthClient,
  type AuthOptions,
  type AuthState,
  createAuthClient,
  createCookieSession,
  createCredentialFetch,
  isAuthError,
} from "wardkey";
import {
  docspace,
  docspaceScope,
  type DocSpaceScope,
  laserfiche,
  laserficheScope,
  type LaserficheScope,
  laserficheSelfHosted,
  shiftiq,
} from "wardkey/providers";

declare const client: AuthClient;
declare const state: AuthState;
const issuer = "https://as.example";
const clientId = "spa";

// @ts-expect-error A client has an identifier.
void createAuthClient({ issuer });
// @ts-expect-error Options are needed.
void createAuthClient();
// @ts-expect-error A browser keeps no secret.
void createAuthClient({ issuer, clientId, clientSecret: "s3cr3t" });
// @ts-expect-error Nor under its name on the wire.
void createAuthClient({ issuer, clientId, client_secret: "s3cr3t" });
// @ts-expect-error There is one response type, `code`.
void createAuthClient({ issuer, clientId, responseType: "token" });
// @ts-expect-error PKCE has no switch.
void createAuthClient({ issuer, clientId, pkce: false });
// @ts-expect-error Tokens rest in no cookie.
void createAuthClient({ issuer, clientId, storage: "cookie" });
// @ts-expect-error A request is pushed or not; there is no yes.
void createAuthClient({ issuer, clientId, par: true });
// @ts-expect-error A proof has a signature, not a MAC.
void createAuthClient({ issuer, clientId, dpop: { algorithms: ["HS256"] } });
// @ts-expect-error The key is the browser's, not the app's.
void createAuthClient({ issuer, clientId, dpop: { key: "k" } });
// @ts-expect-error The unit is in the name.
void createAuthClient({ issuer, clientId, refresh: { leeway: 60 } });
// @ts-expect-error A loop has a number and a time.
void createAuthClient({ issuer, clientId, loopGuard: { max: 3 } });
// @ts-expect-error `restore` is one of a few words.
void createAuthClient({ issuer, clientId, restore: true });
// @ts-expect-error A misspelt option.
void createAuthClient({ issuer, clientID: "spa" });
// @ts-expect-error The name on the wire is not the option's.
void createAuthClient({ issuer, clientId, redirect_uri: "https://app.example/" });
// @ts-expect-error Milliseconds are a number.
void createAuthClient({ issuer, clientId, timeoutMs: "10" });
// @ts-expect-error An issuer is a text.
void createAuthClient({ issuer: new URL("https://as.example"), clientId });
// @ts-expect-error A target has an origin.
void createAuthClient({ issuer, clientId, api: { path: "/v1" } });
// @ts-expect-error A target has no host.
void createAuthClient({ issuer, clientId, api: { origin: "https://api.example", host: "x" } });
// @ts-expect-error Metadata has a token endpoint.
void createAuthClient({ clientId, metadata: { authorization_endpoint: "https://as.example/a" } });
// @ts-expect-error Unsigned ID tokens are not accepted.
void createAuthClient({ issuer, clientId, idToken: { algorithms: ["none"] } });
// @ts-expect-error HMAC is not for public clients.
void createAuthClient({ issuer, clientId, idToken: { algorithms: ["HS256"] } });
// @ts-expect-error A danger has its name.
void createAuthClient({ issuer, clientId, idToken: { skipSignature: true } });
// @ts-expect-error Absent is not undefined.
export const absent: AuthOptions = { issuer, clientId, scope: undefined };

// @ts-expect-error `prompt` is one of a few words.
void client.signIn({ prompt: "maybe" });
// @ts-expect-error So is `display`.
void client.signIn({ display: "tv" });
// @ts-expect-error Seconds are a number.
void client.signIn({ maxAge: "60" });
// @ts-expect-error The state is the client's.
void client.signIn({ state: "x" });
// @ts-expect-error A sign-in goes to the client's redirect URI.
void client.signIn({ redirectUri: "https://app.example/other" });
// @ts-expect-error Parameters are texts.
void client.signIn({ extra: { count: 1 } });
// @ts-expect-error A path is a text.
void client.createAuthorizeUrl({ returnTo: new URL("https://app.example/") });
// @ts-expect-error What is revoked are all tokens.
void client.signOut({ revoke: "all" });
// @ts-expect-error There is no such token to revoke.
void client.revoke("id_token");
// @ts-expect-error A response comes in no form post: a browser app cannot read one.
void client.signIn({ responseMode: "form_post" });
// @ts-expect-error A detail has a type.
void client.signIn({ authorizationDetails: [{ actions: ["read"] }] });
// @ts-expect-error One token is for one resource.
void client.getToken({ resource: ["https://a.example", "https://b.example"] });
// @ts-expect-error The unit is in the name.
void client.getToken({ minValidity: 60 });
// @ts-expect-error A fetch of its own has targets.
void client.createFetch({ baseUrl: "https://api.example/" });
// @ts-expect-error A step-up leads to one of two.
void client.createFetch({ api: "https://api.example", onStepUp: async () => true });
// @ts-expect-error A proof is for one method.
void client.dpopProof({ url: "https://api.example/" });
// @ts-expect-error Claims may be of any kind.
void (await client.userInfo()).name.length;
// @ts-expect-error There is no such event.
client.on("tokenExpired", () => {});
// @ts-expect-error The detail is an object.
client.on("signedOut", (reason: string) => reason);

// @ts-expect-error The token is not in the state.
void state.accessToken;
// @ts-expect-error Nobody may be signed in.
void state.user;
// @ts-expect-error Nobody may be signed in.
void client.getUser().sub;
// @ts-expect-error The state is not for writing.
client.state = { status: "loading" };
// @ts-expect-error There is no refresh token to be had.
void client.getRefreshToken();
// @ts-expect-error A token takes its time.
export const token: string = client.getAccessToken();

export function misread(thrown: unknown): void {
  if (!isAuthError(thrown)) return;
  // @ts-expect-error There is no such code.
  void (thrown.code === "acces_denied");
  // @ts-expect-error There is no such phase.
  void (thrown.phase === "login");
  // @ts-expect-error What is wrong is read, not written.
  thrown.code = "network";
}

// @ts-expect-error A profile knows the server, and not the app.
void createAuthClient(laserfiche({ region: "us" }));
// @ts-expect-error Nor is there a secret in it.
laserfiche({ region: "us", clientSecret: "s3cr3t" });
// @ts-expect-error A repository has its own token endpoint.
laserficheSelfHosted({ baseUrl: "https://lf.example" });
// @ts-expect-error A key opens all of an account.
docspace({ portal: "https://acme.example", apiKey: "sk-1" });
// @ts-expect-error A cookie session is no client.
void createAuthClient({ ...shiftiq({ baseUrl: "https://acme.example" }), clientId: "spa" });

const api = "https://api.example";

// @ts-expect-error A client secret is no credential of a person.
createCredentialFetch({ scheme: "secret", secret: "s3cr3t" }, { api });
// @ts-expect-error The word is the scheme's own.
createCredentialFetch({ scheme: "Bearer", token: "t" }, { api });
// @ts-expect-error Without a place it goes nowhere.
createCredentialFetch({ scheme: "bearer", token: "t" });
// @ts-expect-error A user name needs its password.
createCredentialFetch({ scheme: "basic", username: "ada" }, { api });
// @ts-expect-error A session needs a place too.
void createCookieSession({});
// @ts-expect-error A header has a name.
void createCookieSession({ api, csrf: { value: "1" } });
// @ts-expect-error The unit is in the name.
void createCookieSession({ api, refresh: { url: "/refresh", every: 60 } });
// @ts-expect-error It is the browser that has the cookie.
void createCookieSession({ api, cookie: "session=1" });
// @ts-expect-error It is no client of an authorization server.
void createCookieSession({ api, issuer });

// @ts-expect-error Rights are words, and these are none.
laserficheScope.repository("read");
// @ts-expect-error Write first is no spelling.
laserficheScope.table("WriteRead");
// @ts-expect-error A project has no right.
laserficheScope.project("Global", "Read");
// @ts-expect-error Scopes are case-sensitive.
export const misspelt: LaserficheScope = "Repository.Read";
// @ts-expect-error There is no such right.
export const noRight: LaserficheScope = "repository.All";
// @ts-expect-error Nor this one.
docspaceScope.files("delete");
// @ts-expect-error Only keys have it.
export const everything: DocSpaceScope = "*:read";
// @ts-expect-error Requests have a method.
void client.scopesFor([{ url: "/notes" }]);
