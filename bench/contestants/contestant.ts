/** What each library is told; the build puts it into the bundle, as an app's build would. */
export interface Config {
  /** With the slash at its end that auth0-spa-js takes for granted. */
  issuer: string;
  clientId: string;
  redirectUri: string;
  scope: string;
  /** Given by hand, in place of discovery. */
  metadata?: {
    issuer: string;
    authorization_endpoint: string;
    token_endpoint: string;
    jwks_uri: string;
    authorization_response_iss_parameter_supported: boolean;
    id_token_signing_alg_values_supported: string[];
  };
}

/** The same duty for every library, through its public API. */
export interface Contestant {
  /** Resolves when `authorizeUrl` needs no network any more. */
  ready(): Promise<void>;
  /** What goes on after `ready` and is of use to the callback page. */
  settled(): Promise<void>;
  /** A new authorization request, its transaction stored. */
  authorizeUrl(): string | Promise<string>;
  /** Finishes the sign-in whose response the page was loaded with; tells whose it is. */
  finish(): Promise<string | undefined>;
}

/** What each file of this folder exports. */
export type Open = (config: Config) => Promise<Contestant>;
