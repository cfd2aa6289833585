// One tab at a time. The browser frees the lock of a tab that is gone.
//
// A lock is named as what it guards in localStorage, and does not come by the way of what is written there: a tab may
// have the lock before it sees what the holder before it has written. So the holder leaves a mark, which is a lock too,
// and the next one waits until it sees what that is of.

/** Milliseconds that a mark stands, and that what it is of is waited for at most. */
const MARKED = 2000;
const PATIENCE = 1000;

/** Tells one text from another, and nothing of what is in it; "" where there is none. */
function print(name) {
  let sum = "";
  for (const letter of globalThis.localStorage?.getItem(name) ?? "") sum = Math.imul(sum ^ letter.charCodeAt(), 0x1000193);
  return `${sum}`;
}

/** Waits until this tab sees what a mark is of, or that nothing is there any more. */
const seen = (name, mark) =>
  new Promise((done) => {
    const look = () => ["", mark].includes(print(name)) && done();
    setTimeout(done, PATIENCE);
    addEventListener("storage", look, { signal: AbortSignal.timeout(PATIENCE) });
    look();
  });

/** Waits for the lock; what it gives frees it. */
export const acquire = (name) =>
  new Promise((held, failed) => {
    const { locks } = globalThis.navigator ?? {};
    if (!locks) return held(() => {});
    const use = async () => {
      // A mark has its place in the line of marks, and what it is of.
      const marks = (await locks.query()).held.map((lock) => lock.name.split("#")).filter(([of, place]) => place && of === name);
      const [, last, mark] = marks.sort((one, other) => other[1] - one[1])[0] ?? [];
      if (last) await seen(name, mark);
      await new Promise((free) => held(free));
      // It stands before the lock is free.
      const next = [name, 1 + +(last ?? 0), print(name)].join("#");
      await new Promise((stands) =>
        locks.request(next, () => {
          stands();
          return new Promise((over) => setTimeout(over, MARKED));
        }),
      );
    };
    locks.request(name, use).catch(failed);
  });
