// Three requests: one with the token, one without, and one that the package refuses to send.

import { byId } from "./dom.js";
import { explain } from "./errors.js";

type Fetch = typeof fetch;

const STATUS_WORDS: Record<number, string> = {
  200: "The API checked the token's signature, issuer, audience, lifetime and scope, and answered.",
  401: "The API wants a valid access token, and got none.",
  403: "The token is valid, but reading notes was not allowed. Sign in again and allow it.",
};

/** Sends a GET and shows the answer, or why there was none. */
export async function ask(send: Fetch, url: string): Promise<void> {
  try {
    const response = await send(url);
    const challenge = response.headers.get("WWW-Authenticate");
    const body = JSON.stringify(await response.json(), null, 2);
    show({
      url,
      good: response.ok,
      outcome: `${response.status} ${response.statusText}`.trim(),
      words: STATUS_WORDS[response.status] ?? "The API did not expect this request.",
      body: challenge ? `WWW-Authenticate: ${challenge}\n\n${body}` : body,
    });
  } catch (error) {
    const { title, advice, code, message } = explain(error);
    show({ url, good: false, outcome: "not sent", words: `${title} ${advice}`, body: `${code}\n${message}` });
  }
}

function show(answer: { url: string; good: boolean; outcome: string; words: string; body: string }): void {
  byId("answer-request").textContent = `GET ${answer.url}`;
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
