// Keys for proofs of possession, kept in IndexedDB: it holds a key without ever showing it.

const KEYS = "keys";

/** The database, with its one store. */
const open = () =>
  new Promise((resolve, reject) => {
    const request = indexedDB.open("wardkey", 1);
    request.onupgradeneeded = () => request.result.createObjectStore(KEYS);
    request.onsuccess = () => resolve(request.result);
    request.onerror = request.onblocked = () => reject();
  });

/** What `use` finds out within one transaction. */
async function within(mode, use) {
  const database = await open();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(KEYS, mode);
      let found;
      use(transaction.objectStore(KEYS), (value) => (found = value));
      transaction.oncomplete = () => resolve(found);
      transaction.onerror = transaction.onabort = () => reject();
    });
  } finally {
    database.close();
  }
}

/** Script of this origin can put anything there. What kind of key it is, is for the reader to judge. */
const pairOf = (kept) => [kept?.privateKey, kept?.publicKey].every((key) => key instanceof CryptoKey) ? kept : undefined;

/** The key pair of this name; undefined where there is none. */
export const loadKey = (name) =>
  within("readonly", (keys, found) => (keys.get(name).onsuccess = ({ target }) => found(pairOf(target.result))));

/** Keeps the pair, unless another tab was first. Gives the one that is kept. */
export const chooseKey = (name, pair) =>
  within("readwrite", (keys, found) => {
    keys.get(name).onsuccess = ({ target }) => {
      const kept = pairOf(target.result);
      if (!kept) keys.put(pair, name);
      found(kept ?? pair);
    };
  });

/** Forgets the pair. */
export const dropKey = (name) => within("readwrite", (keys) => keys.delete(name));
