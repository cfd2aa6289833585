/** What the engine looks for in a page, and a worker has not: `sessionStorage`, and the cookies of a document. */

/** Is told of what a page shall keep: a text for its `sessionStorage` (null: none), or a cookie as script sets it. */
export type Keep = (text: string | null) => void;

/**
 * Puts them into the global object. What is under `key` is a sign-in in progress, which `keep` gets; all else is for
 * this worker alone. Gives the function that takes up what a page has kept.
 */
export function shim(key: () => string, keep: Keep): (kept: string) => void {
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
    if (kept.startsWith("__Host-")) pair = kept;
    else texts.set(key(), merged(texts.get(key()), kept));
  };
}

type Entry = { state?: unknown };

function entries(text: string | undefined): Entry[] {
  try {
    const read: unknown = JSON.parse(text ?? "");
    return Array.isArray(read) ? read : [];
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
