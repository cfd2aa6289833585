// The script of every page: opens the contestant, and times it by the page's own clock, which starts with the navigation.

import { open } from "contestant";

import type { Config } from "./contestant.js";

/** From the build. */
declare const CONFIG: Config;

const opened = open(CONFIG);

/** Milliseconds from the start of the navigation until an authorize URL can be made, or the person is signed in. */
async function run(): Promise<{ at: number; subject?: string | undefined }> {
  const contestant = await opened;
  if (new URLSearchParams(location.search).has("code")) {
    const subject = await contestant.finish();
    return { at: performance.now(), subject };
  }
  await contestant.ready();
  return { at: performance.now() };
}

/** Milliseconds that one authorize URL takes, while no other sign-in is in progress. */
async function timeUrl(): Promise<number> {
  const contestant = await opened;
  sessionStorage.clear();
  localStorage.clear();
  const before = performance.now();
  await contestant.authorizeUrl();
  return performance.now() - before;
}

/** The mean of so many: the clock ticks in tenths of milliseconds, at random, so that a median would be a tick. */
async function timeUrls(count: number): Promise<number> {
  let sum = 0;
  for (let i = 0; i < count; i += 1) sum += await timeUrl();
  return sum / count;
}

/** The authorize URL of a sign-in that goes on. */
async function begin(): Promise<string> {
  const contestant = await opened;
  await contestant.settled();
  return contestant.authorizeUrl();
}

/** When each resource had arrived, in milliseconds from the start of the navigation. */
function arrivals(): { url: string; at: number }[] {
  const entries = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  return (entries as PerformanceResourceTiming[]).map(({ name, responseEnd }) => ({ url: name, at: responseEnd }));
}

const bench = { outcome: run(), timeUrl, timeUrls, begin, arrivals };
declare global {
  var bench: unknown;
}
globalThis.bench = bench;
