// Sessions in an HttpOnly cookie, in Chromium against a backend for frontend: who is signed in, where requests go and with
// what, and that nothing short of the server's word ends a session. In parts, over one browser.

import "./cookie-session/requests.mjs";
import "./cookie-session/person.mjs";
import "./cookie-session/ends.mjs";
