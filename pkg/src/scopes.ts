/** Scopes of the supported systems, written so that editors complete them and mistakes do not compile. */
import { AuthError } from "./errors.js";

/** A right, or both. Neither has the other in it. */
export type LaserficheRight = "Read" | "Write" | "ReadWrite";

/** A scope of Laserfiche: rights to an API or a place in it, or a project. */
export type LaserficheScope =
  | `repository.${LaserficheRight}`
  | `repository/${string}.${LaserficheRight}`
  | `table.${LaserficheRight}`
  | `odata4/table.${LaserficheRight}`
  | `odata4/table/${string}.${LaserficheRight}`
  | `project/${string}`
  | "collections.All";

/** A right at DocSpace. Who may write may read. */
export type DocSpaceRight = "read" | "write";

/** A scope of DocSpace. */
export type DocSpaceScope = `${"accounts" | "accounts.self" | "files" | "rooms"}:${DocSpaceRight}` | "openid";

/**
 * Scopes of Laserfiche: `[laserficheScope.repository("Read"), laserficheScope.project("Test With Spaces")]`. What no scope
 * can have is refused (`invalid_configuration`).
 */
export const laserficheScope = {
  /** The Repository API, or one place in it with all below: `"Repositories/r-1/Entries/1"`. */
  repository<R extends LaserficheRight, P extends string = "">(
    right: R,
    path?: P,
  ): P extends "" ? `repository.${R}` : `repository/${P}.${R}` {
    return access("repository", right, path);
  },

  /**
   * The tables of the projects that are asked for besides; or one table, or one row of it, by a scope of its own:
   * `"MyTable"`, `"MyTable('1')"`.
   */
  table<R extends LaserficheRight, T extends string = "">(
    right: R,
    table?: T,
  ): T extends "" ? `table.${R}` : `odata4/table/${T}.${R}` {
    return access(table === undefined ? "table" : "odata4/table", right, table);
  },

  /** A project by its name; `"Global"` for what belongs to none. Needed for `table.…`, and no right of its own. */
  project(name: string): `project/${string}` {
    // A space is written as +, so that no name can have one.
    if (String(name).includes("+")) throw refused("the name of the project has a +");
    return `project/${checked(String(name).replaceAll(" ", "+"))}`;
  },

  /** All of the Collections API. */
  collections: "collections.All",
} as const;

/** Scopes of DocSpace: `[docspaceScope.files("read"), docspaceScope.openid]`. */
export const docspaceScope = {
  /** Files and folders. */
  files: <R extends DocSpaceRight>(right: R) => permission("files", right),
  /** Rooms. */
  rooms: <R extends DocSpaceRight>(right: R) => permission("rooms", right),
  /** People and groups. To read groups takes "read", whatever else was granted. */
  accounts: <R extends DocSpaceRight>(right: R) => permission("accounts", right),
  /** The person's own profile. */
  self: <R extends DocSpaceRight>(right: R) => permission("accounts.self", right),
  /** An ID token. */
  openid: "openid",
} as const;

function access<S>(api: string, right: LaserficheRight, path?: string): S {
  if (!/^(Read|Write|ReadWrite)$/.test(right)) throw refused("the right is none of Read, Write and ReadWrite");
  if (path === undefined) return `${api}.${right}` as S;
  // Such a place has no request.
  const isStrange = typeof path !== "string" || path.split("/").some((segment) => /^\.{0,2}$/.test(segment));
  if (isStrange) throw refused("the path has an empty or a dotted segment");
  return `${api}/${checked(path)}.${right}` as S;
}

function permission<A extends string, R extends DocSpaceRight>(api: A, right: R): `${A}:${R}` {
  if (!/^(read|write)$/.test(right)) throw refused("the right is neither read nor write");
  return `${api}:${right}`;
}

/** RFC 6749 3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E ). */
function checked(text: string): string {
  if (!/^[!#-[\]-~]+$/.test(text)) throw refused("it is empty, or has a character that no scope can have");
  return text;
}

const refused = (reason: string) => new AuthError("invalid_configuration", "configuration", `scope: ${reason}`);
