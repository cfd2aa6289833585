// Errors as a person can understand them: what happened, and what to do now.

import { type AuthError, type AuthErrorCode, isAuthError } from "wardkey";

export interface Explanation {
  title: string;
  advice: string;
  /** What the developer reads: the code and the package's own message. */
  code: string;
  message: string;
}

type Words = readonly [title: string, advice: string];

const WORDS: Partial<Record<AuthErrorCode, Words>> = {
  access_denied: [
    "You said no, and that is fine.",
    "The sign-in server let nothing through. If it was a slip, try again and choose Allow.",
  ],
  login_required: ["The sign-in server does not know you any more.", "Sign in again with your name and password."],
  interaction_required: ["The sign-in server has a question for you.", "Sign in again and answer it."],
  authorization_failed: [
    "The sign-in server refused the request.",
    "Try again; if it happens twice, tell whoever runs this app.",
  ],
  state_mismatch: [
    "That answer belongs to another sign-in.",
    "It was not started in this tab, so it was ignored. If you did not click a link just now, start again from here.",
  ],
  transaction_not_found: [
    "This sign-in is no longer known here.",
    "It may have taken longer than ten minutes, or was started in another browser. Sign in again.",
  ],
  already_completed: ["This sign-in was used already.", "Each answer works once. Sign in again if you need to."],
  invalid_callback: ["The answer of the sign-in server makes no sense.", "Nothing of it was used. Sign in again."],
  not_mine: ["This link is not from a sign-in of this page.", "It was left alone. There is nothing you need to do."],
  issuer_mismatch: [
    "The answer came from the wrong server.",
    "It names another sign-in server than the one you were sent to, so it was not used. Sign in again.",
  ],
  invalid_grant: [
    "The sign-in server did not accept the answer it gave.",
    "It may have waited too long, or was changed on its way. Sign in again.",
  ],
  invalid_token_response: ["The sign-in server answered something unusable.", "Try again in a moment."],
  id_token_invalid: [
    "The proof of who you are does not hold.",
    "It was rejected and nothing was kept. Sign in again; if it happens twice, tell whoever runs this app.",
  ],
  jwks_failed: [
    "The keys of the sign-in server cannot be read.",
    "Without them nobody can be verified. Try again in a moment.",
  ],
  insecure_context: [
    "This page is not on a secure connection.",
    "Browsers verify signatures on https and on localhost only. Open the page with https.",
  ],
  discovery_failed: ["The sign-in server cannot be reached.", "Check that it is running, then try again."],
  network: ["The network did not answer.", "Check the connection, then try again."],
  offline: ["You are offline.", "Connect to the network, then try again."],
  timeout: ["The sign-in server took too long.", "Try again in a moment."],
  rate_limited: ["That was too often.", "Wait a minute, then try again."],
  server_error: ["The server has a problem of its own.", "It is not your fault. Try again in a moment."],
  not_signed_in: ["You are not signed in.", "Sign in first, then ask again."],
  session_expired: ["Your time is up.", "The access token has expired. Sign in again; one click is enough."],
  origin_not_allowed: [
    "It was not sent.",
    "This page may ask its own API only, so the request was stopped before it left.",
  ],
  scope_missing: [
    "That was not granted.",
    "The server would refuse it, so the request stayed here. Sign in again and allow more.",
  ],
  credential_refused: [
    "This request brought its own credentials.",
    "The app adds the token itself; only its developer can mend that.",
  ],
  token_type_mismatch: ["The sign-in server gave an unusable kind of token.", "Only whoever runs it can mend that."],
  not_initialised: ["The page did not start properly.", "Reload it and try again."],
  aborted: ["This was stopped before it was done.", "Start again if that was not what you wanted."],
  storage_unavailable: [
    "This browser keeps nothing for the page.",
    "A sign-in in progress needs session storage. Allow it for this site, or leave private mode.",
  ],
  invalid_configuration: [
    "This app is set up wrongly.",
    "Only its developer can mend that; the message below says what is wrong.",
  ],
};

const FOREIGN_SIGN_OUT: Words = [
  "That sign-out was not started here.",
  "It was ignored. You are signed out of this page in any case; the sign-in server may still know you.",
];

/** Words for any error; one that is not from the package keeps its own message. */
export function explain(error: unknown): Explanation {
  const message = error instanceof Error ? error.message : String(error);
  if (!isAuthError(error)) {
    return { title: "Something went wrong.", advice: "Reload the page and try again.", code: "error", message };
  }
  const [title, advice] = wordsFor(error) ?? ["That did not work.", message];
  return { title, advice, code: `${error.code} · ${error.phase}`, message };
}

function wordsFor(error: AuthError): Words | undefined {
  return isForeignSignOut(error) ? FOREIGN_SIGN_OUT : WORDS[error.code];
}

const isForeignSignOut = ({ code, phase }: AuthError): boolean => phase === "sign_out" && code === "state_mismatch";

/** Would trying again help? */
export function mayRetry(error: unknown): boolean {
  if (!isAuthError(error)) return true;
  return error.code !== "invalid_configuration" && error.code !== "insecure_context" && !isForeignSignOut(error);
}
