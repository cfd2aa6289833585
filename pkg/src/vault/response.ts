import type { ResponseHead } from "./messages.js";

/** The response, as far as it can be made by hand. */
export const received = ({ init, url, type }: ResponseHead, body: BodyInit | null) =>
  dressed(init.status ? new Response(body, init) : Response.error(), url, type);

function dressed(response: Response, url: string, type: ResponseType): Response {
  const clone = () => dressed(Response.prototype.clone.call(response), url, type);
  return Object.defineProperties(response, { url: { value: url }, type: { value: type }, clone: { value: clone } });
}
