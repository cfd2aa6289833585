import { THROTTLE } from "./sample.mjs";

/** What the numbers mean and what they do not; the end of RESULTS.md. */
export const notes = `**What is measured.** Every entrant has the same page with one bundled, minified module, which calls the library through its
public API (\`bench/contestants/\`). Files are served after brotli (quality 11), scripts and wasm as immutable, the document as
\`no-cache\`. Each turn has a browser context of its own. Its tab first shows an empty page of the same host, so that starting a
process is nobody's time. The pages and the authorization server (oidc-provider, on another origin, with metadata and keys
that may be cached for five minutes) run on the same machine as the browser.

- *Cold start*: from the start of the navigation until the client is constructed and an authorize URL can be made without the
  network. wardkey: \`createAuthClient\` and \`prepare\`, which is discovery and the keys for the callback page. oidc-client-ts:
  \`new UserManager\` and its metadata, which is discovery. auth0-spa-js: \`new Auth0Client\`; it has fixed paths and no discovery. "Metadata by
  hand" leaves discovery out; wardkey then asks for the keys after "ready".
- *Warm start*: the page once more in the same tab, with the browser's HTTP cache.
- *First and next authorize URL*: \`createAuthorizeUrl\`, \`signinRedirect\` and \`loginWithRedirect\` with the navigation replaced by
  keeping the URL; the transaction is stored each time. "Next" is the mean of 100 in a row, each the only one in progress.
- *Callback page*: from the start of the navigation to the redirect URI, with a real code, until the library says who is signed
  in; the page and its scripts are in the HTTP cache.
- *Octets* are bodies as sent. *JS heap* is what is in use after the sign-in and a garbage collection, the page's own included ("no library": after
  the start). Compiled code, of JavaScript or wasm, is in neither column of memory.

**Throttled** is Chromium's emulation: ${THROTTLE.cpu} × slower CPU, ${THROTTLE.megabitsPerSecond} Mbit/s, ${THROTTLE.latencyMs} ms for each request. It slows the main thread
only (wasm is compiled beside it), and spares the connection set-up, the preflight requests (CORS) that auth0-spa-js
causes by its own header, and whatever comes from a cache.

**With preload**: the documents of the server (metadata, keys), each \`<link rel="preload" as="fetch" crossorigin>\`, and
the engine: \`<link rel="preload" href="wardkey.wasm" as="fetch" type="application/wasm" crossorigin>\`. A
\`modulepreload\` would change nothing on pages of one module.

**The libraries do not check the same.** On the callback page:

| | wardkey | oidc-client-ts | auth0-spa-js |
| --- | --- | --- | --- |
| ID token signature (RS256 here) | verified | not verified | not verified, \`alg\` must be RS256 |
| \`iss\`, \`aud\`, \`exp\`, \`iat\` of the ID token | checked | not checked | checked |
| \`nonce\` | always sent, checked | only if the app sends one | always sent, checked |
| \`at_hash\` | checked where present | not checked | not checked |
| \`iss\` of the response (RFC 9207) | checked | not checked | not checked |
| where the transaction rests | sessionStorage | localStorage | sessionStorage |
| where tokens rest | memory | sessionStorage | memory |
`;
