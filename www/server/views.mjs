// The authorization server's own pages: login, consent, sign-out, errors. No script; every value is escaped.

import { accounts } from "./accounts.mjs";

const SCOPE_WORDS = {
  openid: ["Know who you are", "An identifier for you at this server"],
  profile: ["See your name", "Given name and family name"],
  email: ["See your e-mail address", "Nothing is sent to it"],
  "notes.read": ["Read your notes", "At the notes API, without changing them"],
};

/** A piece of HTML that is already safe. */
class Markup {
  constructor(text) {
    this.text = text;
  }
}

const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** A template literal whose values are escaped, unless they are markup themselves. */
export function html(strings, ...values) {
  const text = (value) => {
    if (value instanceof Markup) return value.text;
    if (Array.isArray(value)) return value.map(text).join("");
    return String(value ?? "").replace(/[&<>"']/g, (character) => ESCAPES[character]);
  };
  return new Markup(strings.reduce((out, part, index) => out + text(values[index - 1]) + part));
}

/** Answers with a view, under a policy that allows what these pages need: a style sheet and a form. */
export function sendView(context, { title, body, pageUrl }) {
  context.set({
    // The answer to a form is a redirect to the app, and form-action covers redirects too.
    "Content-Security-Policy":
      "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; " +
      `form-action 'self' ${pageUrl}`,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
  });
  context.type = "html";
  context.body = layout(title, body).text;
}

/** @param {string} [server] Whose page it is. */
export function layout(title, body, server = "Demo sign-in server") {
  return html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>${title}</title>
  <link rel="icon" href="/assets/mark.svg" type="image/svg+xml">
  <link rel="stylesheet" href="/assets/theme.css">
  <link rel="stylesheet" href="/assets/views.css">
</head>
<body class="desk">
  <main class="slip">
    <p class="mark eyebrow"><img src="/assets/mark.svg" alt="" width="28" height="28">${server}</p>
    ${body}
  </main>
</body>
</html>`;
}

const FAILED = html`<p class="notice bad" role="alert" id="failed">
  That name and password do not match. Try one of the pairs below.
</p>`;

export function loginView({ pageUrl, username, failed = false }) {
  const focusPassword = username !== "";
  const body = html`
    <h1>Who is there?</h1>
    <p class="lead">Sign in to continue to <b>Wardkey demo</b>.</p>
    ${failed ? FAILED : ""}
    <form method="post" class="stack">
      <label class="field">Name
        <input name="username" value="${username}" autocomplete="username" autocapitalize="none" spellcheck="false"
          required ${failed ? html`aria-describedby="failed"` : ""} ${focusPassword ? "" : html`autofocus`}>
      </label>
      <label class="field">Password
        <input name="password" type="password" autocomplete="current-password" required
          ${focusPassword ? html`autofocus` : ""}>
      </label>
      <div class="actions">
        <button class="button primary">Sign in</button>
        <button class="button quiet" name="answer" value="deny" formnovalidate>Cancel</button>
      </div>
    </form>
    <table class="people">
      <caption>People of this demo</caption>
      <thead><tr><th scope="col">Name</th><th scope="col">Password</th></tr></thead>
      <tbody>${accounts.map((one) => html`<tr><td>${one.username}</td><td>${one.password}</td></tr>`)}</tbody>
    </table>`;
  return { title: "Sign in", body, pageUrl };
}

export function consentView({ pageUrl, scopes }) {
  const body = html`
    <h1>Allow Wardkey demo?</h1>
    <p class="lead">The app at <span class="mono">${pageUrl}</span> asks to:</p>
    <form method="post" class="stack">
      <ul class="choices">${scopes.map(scopeChoice)}</ul>
      <div class="actions">
        <button class="button primary" name="answer" value="allow" autofocus>Allow</button>
        <button class="button" name="answer" value="deny">Deny</button>
      </div>
    </form>
    <p class="fine">Untick what you would rather keep to yourself.</p>`;
  return { title: "Allow access?", body, pageUrl };
}

function scopeChoice(scope) {
  const [title, detail] = SCOPE_WORDS[scope] ?? [scope, "A permission of the API"];
  return html`<li><label class="choice">
    <input type="checkbox" name="scope" value="${scope}" checked ${scope === "openid" ? html`disabled` : ""}>
    <span><b>${title}</b><small>${detail}</small></span>
    <code>${scope}</code>
  </label></li>`;
}

/** `form` is oidc-provider's own, with its anti-forgery token. */
export function logoutView({ pageUrl, form }) {
  const body = html`
    <h1>Sign out here too?</h1>
    <p class="lead">The app has signed you out. This server still knows you.</p>
    ${new Markup(form)}
    <div class="actions">
      <button class="button primary" form="op.logoutForm" name="logout" value="yes" autofocus>Yes, sign me out</button>
      <button class="button" form="op.logoutForm">Stay signed in here</button>
    </div>`;
  return { title: "Sign out", body, pageUrl };
}

export function signedOutView({ pageUrl }) {
  const body = html`
    <h1>You are signed out.</h1>
    <p class="lead">This server has forgotten you.</p>
    <p class="actions"><a class="button primary" href="${pageUrl}/">Back to the app</a></p>`;
  return { title: "Signed out", body, pageUrl };
}

export function errorView({ pageUrl, title = "That did not work.", explanation, error, error_description }) {
  const body = html`
    <h1>${title}</h1>
    <p class="lead">${explanation ?? "The sign-in server refused this request. Go back to the app and start again."}</p>
    ${error ? html`<p class="fine mono">${error}: ${error_description ?? ""}</p>` : ""}
    <p class="actions"><a class="button primary" href="${pageUrl}/">Back to the app</a></p>`;
  return { title, body, pageUrl };
}
