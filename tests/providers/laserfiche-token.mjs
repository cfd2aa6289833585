// The form that Laserfiche's token endpoints read, and their errors, in the cloud and self-hosted.

import { randomUUID } from "node:crypto";

const TYPE = "application/json; charset=UTF-8";

/** A refusal of the token endpoint. The status in its body and that of its answer may differ. */
export class Refusal extends Error {
  constructor(error, description, status = 400, httpStatus = status) {
    super(description);
    Object.assign(this, { error, status, httpStatus });
  }
}

export const invalidGrant = (what) => new Refusal("invalid_grant", `The ${what} is invalid or has expired.`);

export function reused(httpStatus) {
  const words =
    "The use of a previously used refresh token has been detected. " +
    "As a security precaution, the refresh token has been invalidated.";
  return new Refusal("invalid_grant", words, 400, httpStatus);
}

export function unsupported(form) {
  required(form, ["grant_type"]);
  return new Refusal("unsupported_grant_type", "The grant type is not supported.");
}

export function required(form, names) {
  for (const name of names) if (!form.get(name)) throw new Refusal("invalid_request", `${name} is missing.`);
}

/** Answers with what `issue` makes of the form, or with its refusal. Nothing is said where it gives nothing. */
export async function answerToken(call, issue) {
  try {
    const body = await issue(await tokenForm(call));
    if (body) call.send(200, TYPE, JSON.stringify(body));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    sendRefusal(call, error);
  }
}

async function tokenForm(call) {
  const form = await call.form();
  if (!form) throw new Refusal("invalid_request", "The body must be application/x-www-form-urlencoded.");
  const names = [...form.keys()];
  if (new Set(names).size < names.length) throw new Refusal("invalid_request", "A parameter is repeated.");
  return form;
}

/** OAuth's members and those of problem details (RFC 7807) in one object. */
function sendRefusal(call, { error, message, status, httpStatus }) {
  const operationId = randomUUID().replaceAll("-", "");
  const body = {
    error,
    error_description: message,
    type: error,
    title: message,
    status,
    instance: "/Token",
    operationId,
    traceId: `00-${operationId}-53d1e1ec0b933944-00`,
  };
  call.send(httpStatus, TYPE, JSON.stringify(body));
}
