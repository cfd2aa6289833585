import type { Contestant } from "./contestant.js";

/** No library: what the browser and the page cost by themselves. */
export async function open(): Promise<Contestant> {
  const none = () => Promise.reject(new Error("no library, no sign-in"));
  return { ready: async () => {}, settled: async () => {}, authorizeUrl: none, finish: none };
}
