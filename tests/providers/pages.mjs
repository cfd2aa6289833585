// The pages that a person sees at a stand-in: one to sign in and allow, and one that says something. No script.

import { html, layout } from "../../www/server/views.mjs";

/**
 * @param {import("./stand-in.mjs").Call} call
 * @param {object} page
 * @param {string} page.system Whose server this stands in for.
 * @param {string} page.title
 * @param {string} [page.returnTo] Where the answer to the form leads, besides this server: a URL.
 */
function sendPage(call, { system, title, body, returnTo, status = 200 }) {
  const elsewhere = returnTo ? ` ${new URL(returnTo).origin}` : "";
  call.send(status, "text/html; charset=utf-8", layout(title, body, `Stand-in for ${system}`).text, {
    "Content-Security-Policy":
      "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; " +
      // The answer to a form is a redirect to the app, and form-action covers redirects too.
      `form-action 'self'${elsewhere}`,
    "Referrer-Policy": "no-referrer",
  });
}

/** Says something, and leads nowhere. */
export function sendNotice(call, system, title, explanation, status = 200) {
  sendPage(call, {
    system,
    title,
    status,
    body: html`<h1>${title}</h1>
      <p class="lead">${explanation}</p>`,
  });
}

/**
 * Asks who is there, and what the app may have.
 * @param {object} question
 * @param {string} question.app
 * @param {string} [question.user] Who is known already, and is not asked again.
 * @param {string} [question.action] Where the form goes; here, if not given.
 * @param {string[]} [question.scopes] To choose from.
 * @param {Record<string, string>} [question.hidden]
 * @param {[allow: string, deny: string]} [question.words] Of the two buttons.
 */
export function sendQuestion(call, system, question) {
  const { app, user, action = "", scopes = [], hidden = {}, words = ["Allow", "Deny"], returnTo } = question;
  const title = user ? `Allow ${app}?` : "Who is there?";
  const lead = user
    ? html`You are signed in as <b>${user}</b>.`
    : html`Any user name will do here: this server stands in for a real one.`;
  const body = html` <h1>${title}</h1>
    <p class="lead">${lead}</p>
    <form method="post" action="${action}" class="stack">
      ${Object.entries(hidden).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`)}
      ${user ? "" : userField} ${scopes.length > 0 ? scopeChoices(app, scopes) : ""}
      <div class="actions">
        <button class="button primary" name="answer" value="allow">${words[0]}</button>
        <button class="button" name="answer" value="deny" formnovalidate>${words[1]}</button>
      </div>
    </form>`;
  sendPage(call, { system, title, body, returnTo });
}

const userField = html`<label class="field"
  >User name
  <input
    name="username"
    placeholder="alice"
    autocomplete="username"
    autocapitalize="none"
    spellcheck="false"
    required
    autofocus
  />
</label>`;

function scopeChoices(app, scopes) {
  return html`<fieldset class="choices">
    <legend>${app} asks for</legend>
    ${scopes.map(
      (scope) =>
        html`<label class="choice">
          <input type="checkbox" name="scope" value="${scope}" checked /><code>${scope}</code>
        </label>`,
    )}
  </fieldset>`;
}
