/** The options of a cookie session, checked once. */
import { TOKEN } from "./cookie-rules.js";
import { isOwnHeader } from "./headers.js";
import { invalid, isText, isVisible, readMembers } from "./options.js";
import { site } from "./restore.js";
import { isServerKey, secretRefused } from "./secrets.js";
import type { CookieSessionOptions } from "./session-types.js";
import { isPlace, readTargets, type Target } from "./target.js";

/** Seconds between two refreshes, at least. */
const LEAST_SEC = 30;
/** Seconds that a timer can wait: 2^31 milliseconds. */
const MOST_SEC = 2_147_483;

type Csrf = NonNullable<CookieSessionOptions["csrf"]>;
type Refresh = NonNullable<CookieSessionOptions["refresh"]>;

/** A session as it was asked for. URLs are absolute. */
export interface Settings {
  readonly targets: readonly Target[];
  readonly csrf: Csrf | undefined;
  readonly userUrl: string | undefined;
  readonly signInUrl: string | undefined;
  readonly signOutUrl: string | undefined;
  readonly refreshUrl: string | undefined;
  /** Milliseconds between two refreshes; undefined without. */
  readonly every: number | undefined;
}

const any = () => true;

/** @param page Whose cookies they are. */
export function readSettings(options: unknown, page: Location): Settings {
  const given = readMembers<CookieSessionOptions>("options", options, {
    api: [any, "is missing"],
    csrf: [any, "", "optional"],
    userUrl: [isText, "is not a URL", "optional"],
    signInUrl: [isText, "is not a URL", "optional"],
    refresh: [any, "", "optional"],
    signOutUrl: [isText, "is not a URL", "optional"],
  });
  const targets = readTargets(given.api);
  const origins = [page.origin, ...targets.map(({ origin }) => origin)];
  if (origins.some((origin) => !isSameSite(origin, page))) {
    throw invalid("api is of another site than the page, and browsers send it no cookies");
  }
  const place = (name: string, text?: string) => text && urlOf(name, text, page);
  const own = (name: string, text?: string) => {
    const url = place(name, text);
    if (url && !origins.includes(new URL(url).origin)) throw invalid(`${name} is neither of the page's origin nor of one in api`);
    return url;
  };
  const refresh = given.refresh && readRefresh(given.refresh);
  return {
    targets,
    csrf: given.csrf && readCsrf(given.csrf, origins.slice(1).includes(page.origin), page),
    userUrl: own("userUrl", given.userUrl),
    signInUrl: place("signInUrl", given.signInUrl),
    signOutUrl: own("signOutUrl", given.signOutUrl),
    refreshUrl: own("refresh.url", refresh?.url),
    every: refresh?.everySec && Math.max(refresh.everySec, LEAST_SEC) * 1000,
  };
}

/** Cookies that are not meant for other sites (SameSite) go by site, whatever the port. */
const isSameSite = (origin: string, page: Location) => site(new URL(origin).hostname) === site(page.hostname);

function urlOf(name: string, text: string, page: Location): string {
  const url = URL.canParse(text, page.href) ? new URL(text, page.href) : undefined;
  if (!url || url.hash || !isPlace(url.href)) throw invalid(`${name} is not an https URL (http on localhost only)`);
  return url.href;
}

function readRefresh(given: unknown): Refresh {
  const isPeriod = (it: unknown) => typeof it === "number" && it > 0 && it <= MOST_SEC;
  return readMembers<Refresh>("refresh", given, {
    url: [isText, "is not a URL"],
    everySec: [isPeriod, "is no number of seconds", "optional"],
  });
}

function readCsrf(given: unknown, isOwn: boolean, page: Location): Csrf {
  const isHeader = (it: unknown) => isOwnHeader(it) && !/^(authorization|dpop)$/i.test(it);
  const csrf = readMembers<Csrf>("csrf", given, {
    header: [isHeader, "is not the name of a header of your own"],
    cookie: [(it) => isText(it) && TOKEN.test(it), "is not the name of a cookie", "optional"],
    value: [isVisible, "is not a text without white space", "optional"],
  });
  if ((csrf.cookie === undefined) === (csrf.value === undefined)) throw invalid("csrf has a cookie or a value, one of them");
  if (csrf.value !== undefined && isServerKey(csrf.value)) throw secretRefused("configuration");
  if (csrf.cookie && !isOwn) throw invalid(`csrf.cookie goes to ${page.origin} alone, which is not in api`);
  return csrf;
}
