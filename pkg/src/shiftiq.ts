/** Shift iQ. */
import { invalid, isText, readMembers } from "./options.js";
import { isPlace, PLACE, placeOf } from "./profile.js";

/** A header by which a server tells its own pages' requests from others'. */
export interface CsrfHeader {
  cookie?: string;
  header: string;
  value?: string;
}

/** Options of a cookie session with Shift iQ; `signInUrl` is the app's, as it is of another host. */
export interface ShiftIqOptions {
  api: string;
  userUrl: string;
  refresh: { url: string };
  signOutUrl: string;
  csrf?: CsrfHeader;
}

/**
 * The API of Shift iQ, by the cookie of its own sign-in page: `createCookieSession({ ...shiftiq({ baseUrl }), signInUrl })`.
 * The page must be of the cookie's site, as below `shiftiq.com`. `baseUrl`: as `https://acme-hub.shiftiq.com/v2/e01`; a bare
 * origin stands for its `/api`. The API asks for no `csrf` header; one is sent if given.
 */
export function shiftiq(options: { baseUrl: string; csrf?: CsrfHeader }): ShiftIqOptions {
  const { baseUrl, csrf } = readMembers<typeof options>("options", options, {
    baseUrl: [isPlace, PLACE],
    csrf: [(csrf) => typeof csrf === "object" && csrf !== null, "is not an object", "optional"],
  });
  if (csrf && !isText(csrf.header)) throw invalid("options.csrf has no header");
  const base = placeOf(baseUrl, "/api");
  const cookies = `${base}/security/cookies`;
  return {
    api: base,
    userUrl: `${cookies}/introspect`,
    refresh: { url: `${cookies}/refresh-session` },
    signOutUrl: `${cookies}/logout`,
    ...(csrf && { csrf }),
  };
}
