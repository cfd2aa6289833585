// Three requests: one with the token, one without, and one that the package refuses to send.

import { byId } from "./dom.js";
import { explain } from "./errors.js";

type Fetch = typeof fetch;

const STATUS_WORDS: Record<number, string> = {
  200: "The API checked the token's signature, issuer, audience, lifetime and scope, and answered.",
  401: "The API wants a valid access token, and got none.",
  403: "The token is valid, but reading notes was not allowed. Sign in again and allow it.",
};

/** Sends a request and shows the answer, or why there was none. */
export async function ask(send: Fetch, url: string, method = "GET", statusWords = STATUS_WORDS): Promise<void> {
  const request = `${method} ${url}`;
  try {
    const response = await send(url, { method });
    const challenge = response.headers.get("WWW-Authenticate");
    const body = indented(await response.text());
    show({
      request,
      good: response.ok,
      outcome: `${response.status} ${response.statusText}`.trim(),
      words: statusWords[response.status] ?? "The API did not expect this request.",
      body: challenge ? `WWW-Authenticate: ${challenge}\n\n${body}` : body,
    });
  } catch (error) {
    const { title, advice, code, message } = explain(error);
    show({ request, good: false, outcome: "not sent", words: `${title} ${advice}`, body: `${code}\n${message}` });
  }
}

/** JSON for people to read; anything else as it is. */
function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text || "(no body)";
  }
}

function show(answer: { request: string; good: boolean; outcome: string; words: string; body: string }): void {
  byId("answer-request").textContent = answer.request;
  byId("answer-outcome").textContent = answer.outcome;
  byId("answer-outcome").dataset["good"] = String(answer.good);
  byId("answer-words").textContent = answer.words;
  byId("answer-body").textContent = answer.body;
  byId("answer").hidden = false;
}

/** An answer is personal: it goes with the session. */
export function clearAnswer(): void {
  byId("answer").hidden = true;
  byId("answer-body").textContent = "";
}
