/**
 * Profiles of real systems: data and named policies, to be spread into the options of a client or of a cookie session.
 * No engine comes with them.
 *
 * @module
 */
export { docspace } from "./docspace.js";
export { laserfiche, laserficheSelfHosted } from "./laserfiche.js";
export { laserficheHandler } from "./laserfiche-handler.js";
export { dangerouslyUsePasswordGrant } from "./password-grant.js";
export { docspaceScope, laserficheScope } from "./scopes.js";
export { shiftiq } from "./shiftiq.js";
export type { DocSpaceOptions } from "./docspace.js";
export type { LaserficheOptions, LaserficheSelfHostedOptions, LaserficheServer } from "./laserfiche.js";
export type { LaserficheHandler } from "./laserfiche-handler.js";
export type { PasswordCredential } from "./password-grant.js";
export type { DocSpaceRight, DocSpaceScope, LaserficheRight, LaserficheScope } from "./scopes.js";
export type { CsrfHeader, ShiftIqOptions } from "./shiftiq.js";
