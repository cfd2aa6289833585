// Who takes part. The order is that of the tables, and of the turns.

/**
 * @typedef {object} Entrant
 * @property {string} id
 * @property {string} label
 * @property {string} [script] The page's script, where it is none that drives contestants.
 * @property {string} [source] The file in contestants/.
 * @property {string} [package] The npm package; none on the empty page.
 * @property {boolean} [wasm] Is there a .wasm file beside the script?
 * @property {boolean} [preload] Does the page have the preload that the README recommends?
 * @property {boolean} [metadata] Is the server's metadata given by hand, in place of discovery?
 */

/** @type {Entrant[]} */
export const entrants = [
  { id: "none", label: "no library", source: "none.ts" },
  { id: "wardkey", label: "wardkey", source: "wardkey.ts", package: "wardkey", wasm: true, preload: true },
  { id: "wardkey-no-preload", label: "wardkey, no preload", source: "wardkey.ts", package: "wardkey", wasm: true },
  {
    id: "wardkey-metadata",
    label: "wardkey, metadata by hand",
    source: "wardkey.ts",
    package: "wardkey",
    wasm: true,
    preload: true,
    metadata: true,
  },
  { id: "oidc-client-ts", label: "oidc-client-ts", source: "oidc-client-ts.ts", package: "oidc-client-ts" },
  {
    id: "oidc-client-ts-metadata",
    label: "oidc-client-ts, metadata by hand",
    source: "oidc-client-ts.ts",
    package: "oidc-client-ts",
    metadata: true,
  },
  { id: "auth0-spa-js", label: "auth0-spa-js", source: "auth0-spa-js.ts", package: "@auth0/auth0-spa-js" },
];
