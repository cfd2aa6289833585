// What a page says and stores, written down while it runs: the material of the scan for secrets after each test.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * Records everything that the pages of some origins say, and what they are told. A page of another origin is none of ours.
 * @param {import("playwright-core").BrowserContext} context
 * @param {string[]} origins
 * @returns {Promise<{ channel: string, text: string }[]>} Grows.
 */
export async function recordPages(context, origins) {
  const records = [];
  await context.exposeBinding("tellRecorder", (_source, channel, text) => records.push({ channel, text }));
  await context.addInitScript(listen, origins);
  return records;
}

/** Waits for what the pages have said so far, and adds what is in their stores now. */
export async function finishRecords(context, records, dumpStores) {
  for (const page of context.pages()) {
    const { cookie = "", ...stores } = await dumpStores(page);
    for (const pair of cookie.split("; ")) records.push({ channel: `cookie:${pair.split("=")[0]}`, text: pair });
    for (const [store, content] of Object.entries(stores)) {
      const entries = Object.entries(typeof content === "string" ? [content] : (content ?? {}));
      for (const [key, value] of entries) records.push({ channel: `${store}:${key}`, text: JSON.stringify(value) });
    }
  }
}

const ENTRIES = {
  wardkey: "../../pkg/dist/index.js",
  "wardkey/worker": "worker-client.mjs",
  either: "either-client.mjs",
};

/** Lets the recording client be one over this entry of the package, or over the one that the page's mode has. */
export const entryOf = (entry) => ({
  name: "entry",
  setup(build) {
    const path = fileURLToPath(new URL(ENTRIES[entry], import.meta.url));
    build.onResolve({ filter: /^wardkey$/ }, ({ importer }) =>
      importer === fileURLToPath(new URL("recorded-client.mjs", import.meta.url)) ? { path } : undefined,
    );
  },
});

/** The names of the package's events, as its types have them. */
function eventNames() {
  const types = readFileSync(new URL("../../pkg/src/auth-client.ts", import.meta.url), "utf8");
  const [, members] = /^export interface AuthEvents \{\n(.*?)^\}/ms.exec(types);
  return [...members.matchAll(/^  (\w+):/gm)].map(([, name]) => name);
}

/** Lets `import … from "wardkey"` find the package with a recording `createAuthClient`. */
export const recordedClients = {
  name: "recorded-clients",
  setup(build) {
    build.initialOptions.define = { ...build.initialOptions.define, EVENTS: JSON.stringify(eventNames()) };
    const recorded = fileURLToPath(new URL("recorded-client.mjs", import.meta.url));
    build.onResolve({ filter: /^wardkey$/ }, ({ importer }) => (importer === recorded ? undefined : { path: recorded }));
  },
};

/** In the page, before its scripts. */
function listen(origins) {
  if (!origins.includes(location.origin)) return;
  const { tellRecorder } = globalThis;
  const { stringify } = JSON;
  const seen = (value) => {
    if (value instanceof Error) return { ...value, name: value.name, message: value.message, stack: value.stack };
    if (value instanceof ArrayBuffer) return String.fromCharCode(...new Uint8Array(value));
    if (ArrayBuffer.isView(value)) return seen(value.buffer);
    if (value instanceof Map || value instanceof Set) return [...value];
    if (value instanceof URLSearchParams || typeof value === "bigint") return String(value);
    return value;
  };
  const tell = (channel, ...values) => {
    const parents = new WeakSet();
    const text = stringify(values, function (name, value) {
      // An error's own `toJSON` leaves the stack out.
      const part = this[name] instanceof Error ? seen(this[name]) : seen(value);
      if (typeof part !== "object" || part === null) return part;
      if (parents.has(part)) return "…";
      parents.add(part);
      return part;
    });
    void tellRecorder(channel, text);
  };
  globalThis.tellForScan = tell;

  /** Tells of each call of a method. */
  const watch = (object, name, channel) => {
    const original = object?.[name];
    if (!original) return;
    object[name] = function (...rest) {
      tell(typeof channel === "function" ? channel(this, rest) : channel, ...rest);
      return original.apply(this, rest);
    };
  };
  for (const name of ["debug", "log", "info", "warn", "error", "dir", "table", "trace"]) watch(console, name, "console");
  // Its name is the `state` of the one response that it is for: who does not know that does not hear it.
  const asked = new WeakMap();
  const channelOf = (holder, [message]) => {
    if (Array.isArray(message)) asked.set(holder, { ...asked.get(holder), [message[1]]: message[2] });
    // With these a page gives its worker what it has kept for it, and a token that it was given.
    const named = ["adopt", "dpopProof"].find((operation) => message?.[2] === operation);
    if (holder instanceof MessagePort) return named ? `port:${named}` : "port";
    return /^wardkey:.{27}/.test(holder?.name) && holder instanceof BroadcastChannel ? "relay" : "message";
  };
  for (const holder of [globalThis, MessagePort.prototype, BroadcastChannel.prototype, Worker.prototype]) {
    watch(holder, "postMessage", channelOf);
  }
  // What a worker says is known by what it was asked for, or by the event that it tells of.
  const sourceOf = (holder, message) => {
    if (holder instanceof BroadcastChannel) return channelOf(holder, []);
    if (!Array.isArray(message)) return "message";
    const [, id, event] = message;
    return id ? `answer:${asked.get(holder)?.[id]}` : `told:${event}`;
  };
  const listening = new WeakSet();
  for (const { prototype } of [MessagePort, BroadcastChannel, globalThis.Worker].filter(Boolean)) {
    const { get, set } = Object.getOwnPropertyDescriptor(prototype, "onmessage");
    Object.defineProperty(prototype, "onmessage", {
      configurable: true,
      get,
      set(listener) {
        if (!listening.has(this)) {
          listening.add(this);
          this.addEventListener("message", ({ data }) => tell(sourceOf(this, data), data));
        }
        set.call(this, listener);
      },
    });
  }
  const area = (storage) => (storage === globalThis.sessionStorage ? "sessionStorage" : "localStorage");
  watch(Storage.prototype, "setItem", (storage, [key]) => `${area(storage)}:${key}`);
  for (const name of ["put", "add"]) watch(IDBObjectStore.prototype, name, ({ name: store }) => `databases:${store}`);
  for (const name of ["pushState", "replaceState"]) watch(History.prototype, name, "history:");
  watch(Cache.prototype, "put", "cached:");
  watch(globalThis.CookieStore?.prototype, "set", (_, [name]) => `cookie:${name?.name ?? name}`);
  const cookie = Object.getOwnPropertyDescriptor(Document.prototype, "cookie");
  Object.defineProperty(Document.prototype, "cookie", {
    ...cookie,
    set(text) {
      tell(`cookie:${String(text).split("=")[0]}`, text);
      cookie.set.call(this, text);
    },
  });

  // Each error that script makes, ours among them; its properties are set after the constructor of `Error`.
  globalThis.Error = new Proxy(Error, {
    construct(target, parameters, newTarget) {
      const made = Reflect.construct(target, parameters, newTarget);
      queueMicrotask(() => tell("error", made));
      return made;
    },
  });
}
