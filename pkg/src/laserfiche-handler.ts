/** For Laserfiche's own API clients, which ask an object like this one for the token of each request. */
import type { AuthClient } from "./auth-client.js";
import { AuthError } from "./errors.js";
import { baseOf, originsOf, REGION } from "./laserfiche-places.js";
import { invalid, readMembers } from "./options.js";
import { isPlace, PLACE } from "./profile.js";
import { isBelow } from "./target.js";

/** What `@laserfiche/lf-api-client-core` calls `HttpRequestHandler`. */
export interface LaserficheHandler {
  beforeFetchRequestAsync(url: string, request: RequestInit): Promise<{ regionalDomain: string }>;
  afterFetchResponseAsync(url: string, response: Response, request: RequestInit): Promise<boolean>;
}

/**
 * A handler for `RepositoryApiClient.createFromHttpRequestHandler` and the like: each request has the client's token, and a
 * 401 is followed by one refresh and one retry, unless somebody else has signed in meanwhile. `regionalDomain`: as the
 * `region` of `laserfiche`; `baseUrl`: that of `laserficheSelfHosted`, to be given to the API client too. Elsewhere the
 * token is not sent (`origin_not_allowed`).
 *
 * Needs `getToken`, so that it cannot be used where no token enters the page.
 */
export function laserficheHandler(
  client: Pick<AuthClient, "getToken" | "state" | "on">,
  options: { regionalDomain?: string; baseUrl?: string },
): LaserficheHandler {
  const [isRegion, words] = REGION;
  const { regionalDomain, baseUrl } = readMembers<typeof options>("options", options, {
    regionalDomain: [isRegion, words, "optional"],
    baseUrl: [isPlace, PLACE, "optional"],
  });
  if (!regionalDomain && !baseUrl) throw invalid("options.regionalDomain is missing, or baseUrl");
  const region = regionalDomain ? originsOf(regionalDomain) : undefined;
  const places = [...(region ? [region.api] : []), ...(baseUrl ? [baseOf(baseUrl)] : [])];
  const whose = personOf(client);
  /** The token that a request was sent with last, and whose; and the requests that were sent again. */
  const sent = new WeakMap<RequestInit, { token: string; person: string | number }>();
  const repeated = new WeakSet<RequestInit>();
  return {
    async beforeFetchRequestAsync(url, request) {
      // A path is put behind the region's; all else goes where a browser reads it to go, however it is spelt.
      const isOurs = isPath(url) ? region : places.some((place) => covers(place, url));
      if (!isOurs) throw new AuthError("origin_not_allowed", "fetch", "the URL is of another server");
      const person = whose();
      const { accessToken, tokenType } = await client.getToken();
      if (tokenType !== "Bearer") throw new AuthError("token_type_mismatch", "fetch", "the token needs a proof; use client.fetch");
      sent.set(request, { token: accessToken, person });
      const others = [...new Headers(request.headers)].filter(([name]) => name !== "authorization");
      request.headers = { ...Object.fromEntries(others), Authorization: `Bearer ${accessToken}` };
      Object.assign(request, { credentials: "omit", redirect: "error" });
      return { regionalDomain: region?.domain ?? "" };
    },
    async afterFetchResponseAsync(_, { status }, request) {
      const last = sent.get(request);
      if (status !== 401 || repeated.has(request) || !last || last.person !== whose()) return false;
      repeated.add(request);
      try {
        // Another request's 401 may have brought a new one already.
        const { accessToken } = await client.getToken();
        if (accessToken === last.token) await client.getToken({ forceRefresh: true });
        // What one person asked for is not done in another's name.
        return last.person === whose();
      } catch {
        // The 401 is the answer then, and the client's own events say what became of the session.
        return false;
      }
    },
  };
}

/** Who is signed in; where the server does not say, which of the sign-ins it is. */
function personOf(client: Pick<AuthClient, "state" | "on">): () => string | number {
  let signIns = 0;
  client.on("signedIn", () => (signIns += 1));
  return () => (client.state.status === "authenticated" ? client.state.user?.sub : undefined) ?? signIns;
}

/** A path of this server. Browsers take `//` for another host, also with `\` or with white space that they leave out. */
const isPath = (url: string) => /^\/(?![/\\\t\n\r])/.test(url);

/** Is a URL, as a browser reads it, below a place? */
function covers(place: string, url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { origin, pathname } = new URL(url);
  return isBelow(origin + pathname, place);
}
