/** What must not compile. Each line is a mistake that people make; without an error, the marker above it is one. */
import { type AuthClient, type AuthOptions, type AuthState, createAuthClient, isAuthError } from "wardkey";

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
// @ts-expect-error Tokens are in memory.
void createAuthClient({ issuer, clientId, storage: "localStorage" });
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
// @ts-expect-error Not yet there.
void client.signOut({ revoke: true });
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
