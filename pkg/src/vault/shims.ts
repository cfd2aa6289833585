/** What the engine looks for in a page, and a worker has not: `sessionStorage`, and of a document the cookies and whether it is hidden. */

/** What the shims go by. */
export interface Hooks {
  /** Under which name sign-ins in progress are stored. */
  key(): string;
  /** Is told of what pages shall keep: a text for their `sessionStorage` (null: none), or a cookie as script sets it. */
  keep(text: string | null): void;
  isHidden(): boolean;
}

/**
 * Puts them into the global object. What is not under `key` is for this worker alone. Gives the function that takes up
 * what a page has kept, and tells what there is then.
 */
export function shim({ key, keep, isHidden }: Hooks): (kept: string) => string {
  const texts = new Map<string, string>();
  const set = (name: string, text: string | null) => {
    if (text === null) texts.delete(name);
    else texts.set(name, text);
    if (name === key()) keep(text);
  };
  const sessionStorage = {
    getItem: (name: string) => texts.get(name) ?? null,
    setItem: set,
    removeItem: (name: string) => set(name, null),
  };
  let pair = "";
  const document = {
    get hidden() {
      return isHidden();
    },
    get cookie() {
      return pair;
    },
    set cookie(text: string) {
      pair = text.endsWith("Max-Age=0") ? "" : text.split(";")[0]!;
      keep(text);
    },
  };
  for (const [name, value] of Object.entries({ sessionStorage, document })) {
    Object.defineProperty(globalThis, name, { value, configurable: true });
  }
  return (kept) => {
    if (kept.startsWith("__Host-")) return (pair = kept);
    const all = merged(texts.get(key()), kept);
    texts.set(key(), all);
    return all;
  };
}

export type Entry = { state?: unknown; kind?: unknown };

/** The sign-ins in progress that a text tells of. */
export function entries(text: string | null | undefined): Entry[] {
  try {
    const read: unknown = JSON.parse(text ?? "");
    return Array.isArray(read) ? read.filter((one) => one && typeof one === "object") : [];
  } catch {
    return [];
  }
}

/** What one tab has kept, and what is known of other tabs. The engine looks at each entry anew. */
function merged(known: string | undefined, kept: string): string {
  const ours = entries(known);
  const more = entries(kept).filter(({ state }) => ours.every((one) => one.state !== state));
  return JSON.stringify([...more, ...ours]);
}
