// RESULTS.md: the targets, the tables, and what a reader must know about them.

import { entrants } from "./contestants.mjs";
import { notes } from "./notes.mjs";
import { quartiles } from "./statistics.mjs";

/** @typedef {import("./sample.mjs").Sample & { id: string, throttled: boolean }} Turn */

const SIZES = [
  "JavaScript, octets",
  "wasm, octets",
  "server requests, cold page",
  "server requests, callback page",
  "JS heap, KiB",
  "wasm memory, KiB",
];
const TIMES = [
  ["cold start", "cold", 0],
  ["warm start", "warm", 0],
  ["first authorize URL", "firstUrl", 1],
  ["next authorize URL", "nextUrl", 3],
  ["callback page", "callback", 0],
];
const STEPS = [
  ["document", "document"],
  ["script", "main.js"],
  ["wasm", "wardkey.wasm"],
  ["metadata", "openid-configuration"],
  ["keys", "jwks"],
];

/**
 * @param {Turn[]} turns
 * @param {Map<string, import("./build.mjs").Built>} builds
 * @param {import("./circumstances.mjs").Circumstances} about
 */
export function report(turns, builds, about) {
  const plain = turns.filter(({ throttled }) => !throttled);
  const throttled = turns.filter((turn) => turn.throttled);
  return `# Benchmark

Written by \`cargo xtask bench\` on ${about.date}, in one run of one browser: the entrants in turns, samples of each: ${about.samples}.

- ${about.machine}; load average ${about.load} at the start, ${about.loadAfter} at the end
- ${about.versions.join(" · ")}

## Targets

${verdicts(turns)
  .map((verdict) => `- ${verdict}`)
  .join("\n")}

## Plain

Milliseconds: median (lower – upper quartile).

${times(plain)}

## Throttled

${times(throttled)}

When things have arrived on the cold page, as medians; an authorize URL can be made from "ready" on.

${steps(throttled)}

## Size, requests and memory

${sizes(plain, builds)}

## Notes

${notes}`;
}

/** A line for each target. */
export function verdicts(turns) {
  const plain = turns.filter(({ throttled }) => !throttled);
  const throttled = turns.filter((turn) => turn.throttled);
  const requests = distinct(plain, "wardkey", "callbackRequests").map((list) => list.length);
  return [
    ratio("next authorize URL, against oidc-client-ts", plain, "nextUrl", "wardkey", "oidc-client-ts"),
    ratio("throttled cold start with preload, against auth0-spa-js", throttled, "cold", "wardkey", "auth0-spa-js"),
    ratio(
      "the same without discovery, as auth0-spa-js has none (metadata by hand)",
      throttled,
      "cold",
      "wardkey-metadata",
      "auth0-spa-js",
    ),
    `${met(requests.every((count) => count === 1))}: requests on the callback page ${requests.join(" or ")}`,
  ];
}

function ratio(what, turns, key, id, peer) {
  const quotient = spread(turns, id, key).median / spread(turns, peer, key).median;
  return `${met(quotient < 1)}: ratio ${quotient.toFixed(2)}, ${what}`;
}

export const met = (isMet) => (isMet ? "met" : "not met");

const spread = (turns, id, key) =>
  quartiles(turns.filter((turn) => turn.id === id && turn[key] !== undefined).map((turn) => turn[key]));

function times(turns) {
  const rows = entrants.map(({ id, label }) => [
    label,
    ...TIMES.map(([, key, digits]) => {
      const found = spread(turns, id, key);
      if (!found) return "";
      const [lower, median, upper] = [found.lower, found.median, found.upper].map((time) => time.toFixed(digits));
      return `**${median}** (${lower} – ${upper})`;
    }),
  ]);
  return table(["", ...TIMES.map(([name]) => name)], rows);
}

function steps(turns) {
  const flat = turns.map(({ id, arrivals, cold }) => ({ id, ...arrivals, ready: cold }));
  const columns = [...STEPS, ["ready", "ready"]];
  const rows = entrants.map(({ id, label }) => [
    label,
    ...columns.map(([, key]) => spread(flat, id, key)?.median.toFixed(0) ?? ""),
  ]);
  return table(["", ...columns.map(([name]) => name)], rows);
}

function sizes(turns, builds) {
  const rows = entrants.map(({ id, label }) => {
    const { "main.js": script, "wardkey.wasm": wasm } = builds.get(id).files;
    const requests = (key) =>
      distinct(turns, id, key)
        .map((list) => [list.length, ...(list.length ? [list.join(", ")] : [])].join(": "))
        .join(" or ");
    const kibibytes = (key) => ((spread(turns, id, key).median || 0) / 1024).toFixed(0);
    return [
      label,
      grouped(script.length),
      wasm ? grouped(wasm.length) : "",
      requests("coldRequests"),
      requests("callbackRequests"),
      kibibytes("heap"),
      wasm ? kibibytes("wasmMemory") : "",
    ];
  });
  return table(["", ...SIZES], rows);
}

/** The different lists of requests in the turns; one, if all went the same way. */
function distinct(turns, id, key) {
  const lists = turns.filter((turn) => turn.id === id && turn[key]).map((turn) => turn[key]);
  return [...new Map(lists.map((list) => [list.join(), list])).values()];
}

export const grouped = (number) => number.toLocaleString("en-US");

/** A table in Markdown; the first column has the names. */
export function table(header, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(header), line(header.map((_, column) => (column === 0 ? "---" : "---:"))), ...rows.map(line)].join("\n");
}
