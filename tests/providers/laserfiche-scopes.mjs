// What Laserfiche's scopes mean to its servers. Written from the documentation, apart from Wardkey's own grammar, which
// it is there to judge.

/**
 * A scope, or nothing where it is none: `project/<name>`, or `<resource>.<rights>` split at the last dot, as the paths of
 * resources may have dots themselves.
 */
function read(scope) {
  if (/^project\/.+$/.test(scope)) return { resource: scope, rights: [] };
  const dot = scope.lastIndexOf(".");
  const resource = scope.slice(0, dot);
  if (dot < 1 || !/^(repository(\/.+)?|table|odata4\/table(\/.+)?|collections)$/.test(resource)) return undefined;
  const rights = scope.slice(dot + 1).match(/[A-Z][a-z]*/g) ?? [];
  const known = resource === "collections" ? ["All"] : ["Read", "Write"];
  const isWhole = rights.join("") === scope.slice(dot + 1);
  return isWhole && rights.length > 0 && rights.every((right) => known.includes(right))
    ? { resource, rights }
    : undefined;
}

const segments = (path) => path.split("/").filter(Boolean);

/** Is a path the one that a scope names, or below it? */
function isWithin(path, named) {
  const inner = segments(path);
  return segments(named).every((segment, index) => segment === inner[index]);
}

/** One scope for each right, in the order asked; without those that are none, and without doubles. */
function split(scopes) {
  const parts = scopes.flatMap((scope) => {
    const found = read(scope);
    if (!found) return [];
    return found.rights.length === 0 ? [scope] : found.rights.map((right) => `${found.resource}.${right}`);
  });
  return [...new Set(parts)];
}

/** What is granted of what was asked for: that which an administrator has approved, or is narrower. */
export function grantable(asked, approved) {
  const limits = split(approved).map(read);
  return split(asked).filter((scope) => {
    const { resource, rights } = read(scope);
    if (rights.length === 0) return approved.includes(scope);
    return limits.some((limit) => limit.rights[0] === rights[0] && isWithin(resource, limit.resource));
  });
}

/** Operations that a POST is used for, though they only read. */
const READING_POSTS = [
  /^Repositories\/[^/]+\/Entries\/[^/]+\/(ExportAsync|Export)$/i,
  /^Repositories\/[^/]+\/Entries\/[^/]+\/Fields\/GetDynamicFieldLogicValue$/i,
  /^Repositories\/[^/]+\/Entries\/[^/]+\/Laserfiche\.Repository\.Document\/GetEdocWithAuditReason$/i,
  /^Repositories\/[^/]+\/Searches\/SearchAsync$/i,
  /^Repositories\/[^/]+\/(Searches|SimpleSearches)$/i,
];

/** The right that an operation of the repository API needs, if any; `path` comes after `/v1/` or `/v2/`. */
export function repositoryRight(method, path) {
  const isTask = /^Repositories\/[^/]+\/Tasks(\/[^/]+)?$/i.test(path);
  if (isTask && ["GET", "DELETE"].includes(method)) return undefined;
  if (["GET", "HEAD"].includes(method)) return "Read";
  return method === "POST" && READING_POSTS.some((one) => one.test(path)) ? "Read" : "Write";
}

/** May a token with these scopes do this at the repository API? Version 1 lets one without any scope do everything. */
export function allowsRepository(scopes, version, method, path) {
  if (scopes.length === 0) return version === "v1";
  const right = repositoryRight(method, path);
  if (!right) return true;
  const holds = ({ resource, rights }) =>
    rights[0] === right && segments(resource)[0] === "repository" && isWithin(`repository/${path}`, resource);
  return split(scopes).map(read).some(holds);
}

/** May a token with these scopes do this with a table? `table.*` is of no use without a project. */
export function allowsTable(scopes, method, path) {
  const right = ["GET", "HEAD"].includes(method) ? "Read" : "Write";
  const held = split(scopes).map(read);
  const hasProject = held.some(({ resource }) => resource.startsWith("project/"));
  return held.some(({ resource, rights }) => {
    if (rights[0] !== right) return false;
    return resource === "table" ? hasProject : resource.startsWith("odata4/") && isWithin(path, resource);
  });
}
