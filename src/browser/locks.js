// One tab at a time. The browser frees the lock of a tab that is gone.

/** Waits for the lock; what it gives frees it. */
export const acquire = (name) =>
  new Promise((held, failed) => {
    if (!globalThis.navigator?.locks) return held(() => {});
    navigator.locks.request(name, () => new Promise((free) => held(free))).catch(failed);
  });
