// The APIs that Laserfiche's tokens are for: the repository API, versions 1 and 2, and the table API.

import { randomUUID } from "node:crypto";

import { allowsRepository, allowsTable } from "./laserfiche-scopes.mjs";
import { bearer } from "./oauth.mjs";

const REPOSITORY = {
  repoId: "r-abc123",
  repoName: "Library",
  webclientUrl: "https://app.example/laserfiche?repo=r-abc123",
};

const WORDS = {
  400: "The request is not valid.",
  401: "Access token is invalid or expired.",
  403: "Access denied for the operation.",
  404: "Not found.",
  429: "Rate limit is reached.",
};

/** Problem details (RFC 7807) with Laserfiche's own members; version 1 labels them as plain JSON. */
export function sendProblem(call, status, version = "v2", headers = {}) {
  const operationId = randomUUID().replaceAll("-", "");
  const title = WORDS[status];
  const body = {
    type: `https://tools.ietf.org/html/rfc9110#status.${status}`,
    title,
    status,
    detail: title,
    instance: call.path,
    operationId,
    errorSource: "LFAPIServer",
    errorCode: status,
    traceId: `00-${operationId}-0000000000000000-00`,
  };
  // A HEAD has no body to tell it.
  const told =
    call.method === "HEAD" ? { "X-APIServer-Error": encodeURIComponent(title), "X-RequestId": operationId } : {};
  const type = version === "v1" ? "application/json" : "application/problem+json";
  call.send(status, type, JSON.stringify(body), { ...told, ...headers });
}

/**
 * The routes of the repository API below a path.
 * @param {object} api
 * @param {string} api.base
 * @param {(token: string) => { scopes: string[] } | undefined} api.find The grant of an access token that holds.
 * @param {object} api.flags `throttle`, `forbid`: so many requests get a 429, a 403.
 * @param {Function} api.allow CORS.
 * @param {() => boolean} [api.isListPublic] May anybody list the repositories?
 * @returns {import("./stand-in.mjs").Route[]}
 */
export function repositoryApi({ base, find, flags, allow, isListPublic = () => false }) {
  const answer = (call, [, version, path]) => {
    const api = version.toLowerCase();
    if (isListPublic() && /^Repositories$/i.test(path)) return sendRepositories(call, api);
    const grant = admit(call, find, flags, api);
    if (!grant) return;
    if (!allowsRepository(grant.scopes, api, call.method, path)) return sendProblem(call, 403, api);
    if (/^Repositories$/i.test(path)) return sendRepositories(call, api);
    sendEntry(call, api, path);
  };
  const paths = new RegExp(`^${base}/(v[12])/(Repositories(?:/.*)?)$`, "i");
  return [["GET POST PUT PATCH DELETE", paths, answer, allow]];
}

/** The routes of the table API, which is OData. */
export function tableApi({ find, flags, allow }) {
  const answer = (call, [, path]) => {
    const grant = admit(call, find, flags, "v2");
    if (!grant) return;
    if (!allowsTable(grant.scopes, call.method, decodeURIComponent(path))) return sendProblem(call, 403);
    if (call.method === "GET") call.json(200, { value: [{ _key: "1", city: "Lakewood" }] });
    else call.json(200, {});
  };
  return [["GET POST PUT PATCH DELETE", /^\/(odata4\/table(?:\/.*)?)$/i, answer, allow]];
}

/** The grant of the call's token; otherwise it is answered here. */
function admit(call, find, flags, version) {
  if (flags.throttle > 0) {
    flags.throttle -= 1;
    sendProblem(call, 429, version, { "Retry-After": "1" });
    return undefined;
  }
  const grant = find(bearer(call.header("authorization"), { exactCase: false }));
  if (!grant) sendProblem(call, 401, version);
  if (!grant || !(flags.forbid > 0)) return grant;
  flags.forbid -= 1;
  sendProblem(call, 403, version);
  return undefined;
}

function sendRepositories(call, version) {
  const { repoId, repoName, webclientUrl } = REPOSITORY;
  const own = { id: repoId, name: repoName, webClientUrl: webclientUrl };
  call.json(200, version === "v1" ? [REPOSITORY] : { value: [own] });
}

function sendEntry(call, version, path) {
  const [, repository, kind, id] = path.split("/");
  if (repository !== REPOSITORY.repoId && !/^r-\d+$/.test(repository)) return sendProblem(call, 404, version);
  if (!/^(Entries|Searches|SimpleSearches|Tasks)$/i.test(kind ?? "Entries")) return sendProblem(call, 404, version);
  if (call.method === "DELETE") return call.empty(204);
  call.json(200, { id: Number(id ?? 1), name: "Minutes", path });
}
