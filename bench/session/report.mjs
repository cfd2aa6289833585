// RESULTS-session.md: the targets, the figures, and what was done to get them.

import { grouped, met, table } from "../lib/report.mjs";
import { quartiles } from "../lib/statistics.mjs";

/** Microseconds. */
const HIT = 20;
/** Milliseconds after the answer of the refresh. */
const LAST = 50;
/** Octets of the heap for each refresh: what stays of one, whose answer has two tokens of 900. The engine's code counts too. */
const KEPT = 50;

const hit = ({ hits }) => quartiles(hits).median;
const worst = ({ storms }) => Math.max(...storms.map(({ late }) => late));
const isOne = ({ storms }) => storms.every(({ refreshes, tokens }) => refreshes === 1 && tokens === 1);
const first = ({ after }) => after[0];
const last = ({ after }) => after.at(-1);
const kept = (one) => (last(one).heap - first(one).heap) / (last(one).count - first(one).count);
const isLevel = (one) => last(one).wasmMemory === first(one).wasmMemory && kept(one) < KEPT;

/** A line for each target. */
export function verdicts(measured) {
  return measured.flatMap((one) => [
    `${met(hit(one) < HIT)}: ${one.storage}, a call that is a hit takes ${hit(one).toFixed(1)} µs (median)`,
    `${met(isOne(one))}: ${one.storage}, one refresh and one token for all calls at once`,
    `${met(worst(one) < LAST)}: ${one.storage}, the last of them has it ${worst(one).toFixed(1)} ms after the answer, at worst`,
    `${met(isLevel(one))}: ${one.storage}, memory after ${grouped(last(one).count)} refreshes as after ` +
      `${grouped(first(one).count)}: of the heap, ${kept(one).toFixed(0)} octets a refresh`,
  ]);
}

/** @param {import("../lib/circumstances.mjs").Circumstances} about */
export function report(measured, about) {
  return `# What a session costs

Written by \`cargo xtask bench session\` on ${about.date}.

- ${about.machine}; load average ${about.load} at the start, ${about.loadAfter} at the end
- ${about.versions.join(" · ")}

## Targets

${verdicts(measured)
  .map((verdict) => `- ${verdict}`)
  .join("\n")}

## A hit

\`getAccessToken()\` with a token at hand, one call after the other in batches: microseconds a call.

${hitTable(measured)}

## Many at once

Calls at once when the token has run out: milliseconds from the arrival of the refresh's answer until the last of them
has the token.

${stormTable(measured)}

## Many refreshes

One after the other, by a server that takes each refresh token once and answers at once: KiB in use after a garbage
collection. The browser's list of requests (Resource Timing) is emptied first. The heap has the compiled code too, of which
there is more the longer it runs, up to an end.

${memoryTable(measured)}
`;
}

const spread = (numbers, digits) => {
  const { lower, median, upper } = quartiles(numbers);
  return `**${median.toFixed(digits)}** (${lower.toFixed(digits)} – ${upper.toFixed(digits)})`;
};

const hitTable = (measured) =>
  table(["tokens rest in", "median (quartiles)"], measured.map(({ storage, hits: means }) => [storage, spread(means, 1)]));

const stormTable = (measured) =>
  table(
    ["tokens rest in", "median (quartiles)", "worst", "refreshes each time"],
    measured.map((one) => {
      const lates = one.storms.map(({ late }) => late);
      const counts = [...new Set(one.storms.map(({ refreshes }) => refreshes))].join(" or ");
      return [one.storage, spread(lates, 1), worst(one).toFixed(1), counts];
    }),
  );

const memoryTable = (measured) =>
  table(
    ["tokens rest in", "refreshes", "JS heap", "wasm memory", "ms a refresh"],
    measured.flatMap(({ storage, after, milliseconds }) =>
      after.map(({ count, heap, wasmMemory }) => {
        const kibibytes = [heap, wasmMemory].map((octets) => (octets / 1024).toFixed(0));
        return [storage, grouped(count), ...kibibytes, count === after.at(-1).count ? milliseconds.toFixed(1) : ""];
      }),
    ),
  );
