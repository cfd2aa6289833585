/** Options that stay in the page, held against tables as the engine holds its own (`src/protocol/shape.rs`). */
import { AuthError } from "./errors.js";

/** What a member must be, and the words for one that is not. A member that may be missing says so. */
export type Rule = readonly [holds: (value: unknown) => boolean, words: string, missing?: "optional"];

/** What the names of secrets have in them; as in `src/protocol/shape.rs`. No option's name has it. */
const SECRET = /secret|key|password|assertion/i;

/** What is wrong with an option. */
export function invalid(reason: string): AuthError {
  return new AuthError("invalid_configuration", "configuration", reason);
}

/**
 * The own members of an object, each as its rule wants it, on an object without a prototype: what other script put on
 * `Object.prototype` is no option. `null` and `undefined` are as absent. A name that has no rule is refused: a misspelt
 * option would otherwise be one that is silently ignored.
 */
export function readMembers<T extends object>(name: string, given: unknown, rules: Record<keyof T, Rule>): T {
  if (typeof given !== "object" || given === null || Array.isArray(given)) throw invalid(`${name} is no object`);
  const read = Object.create(null) as Record<string, unknown>;
  for (const [member, value] of entriesOf(name, given)) if (value !== undefined && value !== null) read[member] = value;
  for (const member of Object.keys(read)) {
    if (Object.hasOwn(rules, member)) continue;
    if (!SECRET.test(member)) throw invalid(`${member} is not an option of ${name}`);
    throw new AuthError("credential_refused", "configuration", `${member} is refused: a browser keeps no secret`);
  }
  for (const [member, [holds, words, missing]] of Object.entries<Rule>(rules)) {
    if (member in read ? !holds(read[member]) : !missing) throw invalid(`${name}.${member} ${words}`);
  }
  return read as T;
}

/** A getter or proxy may throw what it likes. */
function entriesOf(name: string, given: object): [string, unknown][] {
  try {
    return Object.entries(given);
  } catch {
    throw invalid(`${name} is no plain object`);
  }
}

/** Is it a text, and not empty? */
export const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

export const TEXT: Rule = [isText, "is not a text, or empty"];

/** Is it a text that may stand in a header (RFC 9110 5.5), without white space? */
export const isVisible = (value: unknown): boolean => typeof value === "string" && /^[!-~]+$/.test(value);
