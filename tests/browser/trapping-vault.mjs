// The worker's script, with an engine that traps once when it is told to.

import "./vault.js";

let traps = false;
new BroadcastChannel("trap").onmessage = ({ target }) => {
  traps = true;
  target.postMessage("set");
};

const { instantiateStreaming } = WebAssembly;
WebAssembly.instantiateStreaming = async (...given) => {
  const { instance, module } = await instantiateStreaming.apply(WebAssembly, given);
  const guarded = (step) => (typeof step !== "function" ? step : (...rest) => {
    if (!traps) return step(...rest);
    traps = false;
    throw new WebAssembly.RuntimeError("unreachable");
  });
  return { instance: { exports: Object.fromEntries(Object.entries(instance.exports).map(([name, it]) => [name, guarded(it)])) }, module };
};

// Tells what its engine sees of the pages.
const seen = new BroadcastChannel("hidden");
seen.onmessage = () => seen.postMessage(document.hidden);
