import { AuthError } from "../errors.js";

/** What answers whoever asks for a token that is not to enter the page. */
export const hidden = () =>
  new AuthError("credential_refused", "token", "the client was created with exposeAccessToken: false");
