// Signing in and consenting: the part of an OpenID provider that oidc-provider leaves to its user.

import { errors } from "oidc-provider";

import { authenticate } from "./accounts.mjs";
import { consentView, errorView, loginView, sendView } from "./views.mjs";

const ROUTE = /^\/interaction\/[\w-]+$/;
const BODY_LIMIT = 4096;

/**
 * Koa middleware for `/interaction/:uid`.
 * @param {import("oidc-provider").default} provider
 * @param {{ pageUrl: string }} view
 */
export function interactions(provider, view) {
  return async (context, next) => {
    if (!ROUTE.test(context.path)) return next();
    context.set("Cache-Control", "no-store");
    try {
      const details = await provider.interactionDetails(context.req, context.res);
      if (context.method === "POST") await submit(provider, view, context, details);
      else await render(view, context, details);
    } catch (error) {
      if (!(error instanceof errors.SessionNotFound)) throw error;
      context.status = 400;
      sendView(
        context,
        errorView({ ...view, title: "This sign-in is over.", explanation: "It was finished or has expired." }),
      );
    }
  };
}

async function render(view, context, { prompt, params }) {
  if (prompt.name === "login") sendView(context, loginView({ ...view, username: params.login_hint ?? "" }));
  else sendView(context, consentView({ ...view, ...requested(prompt.details, params) }));
}

async function submit(provider, view, context, details) {
  const form = await readForm(context.req);
  if (form.get("answer") === "deny") {
    const result = { error: "access_denied", error_description: "The user denied the request" };
    return finish(provider, context, result, false);
  }
  if (details.prompt.name === "login") return logIn(provider, view, context, form);
  const grantId = await consent(provider, details, new Set(form.getAll("scope")));
  return finish(provider, context, { consent: { grantId } }, true);
}

async function logIn(provider, view, context, form) {
  const username = form.get("username") ?? "";
  const account = authenticate(username, form.get("password") ?? "");
  if (account) return finish(provider, context, { login: { accountId: account.username } }, false);
  context.status = 401;
  sendView(context, loginView({ ...view, username, failed: true }));
}

/** Records what was allowed, and also what was refused, so that the same question is not asked again. */
async function consent(provider, { prompt, params, session, grantId }, allowed) {
  const grant =
    (grantId && (await provider.Grant.find(grantId))) ||
    new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  const { identity, resources } = requested(prompt.details, params);
  for (const scope of identity) {
    if (isAllowed(scope, allowed)) grant.addOIDCScope(scope);
    else grant.rejectOIDCScope(scope);
  }
  for (const [indicator, scopes] of Object.entries(resources)) {
    for (const scope of scopes) {
      if (isAllowed(scope, allowed)) grant.addResourceScope(indicator, scope);
      else grant.rejectResourceScope(indicator, scope);
    }
  }
  for (const detail of prompt.details.rar ?? []) grant.addRar(detail);
  return grant.save();
}

/** Without `openid` there is no sign-in to consent to. */
const isAllowed = (scope, allowed) => scope === "openid" || allowed.has(scope);

function requested(details, params) {
  const identity = details.missingOIDCScope ?? [];
  const resources = details.missingResourceScopes ?? {};
  const scopes = [...new Set([...identity, ...Object.values(resources).flat()])];
  return { clientId: params.client_id, identity, resources, scopes };
}

async function finish(provider, context, result, mergeWithLastSubmission) {
  context.respond = false; // oidc-provider writes the redirect itself
  await provider.interactionFinished(context.req, context.res, result, { mergeWithLastSubmission });
}

async function readForm(request) {
  let text = "";
  for await (const chunk of request) {
    text += chunk;
    if (text.length > BODY_LIMIT) throw new Error("The form is too large");
  }
  return new URLSearchParams(text);
}
