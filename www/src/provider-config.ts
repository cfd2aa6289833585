// What the server says of the system that it stands in for, and how an app would write that.

import type * as providers from "wardkey/providers";

/** A profile of `wardkey/providers`. */
type Profile = Extract<keyof typeof providers, "laserfiche" | "laserficheSelfHosted" | "docspace" | "shiftiq">;

export interface ProviderConfig {
  /** Its name, for people. */
  system: string;
  /** Of the stand-in. */
  origin: string;
  profile: Profile;
  /** The profile's argument. */
  place: Record<string, unknown>;
  /** The app's own options. */
  options: Record<string, unknown>;
  /** To try. */
  requests: [words: string, method: string, url: string][];
}

/** Does the server hold the session, by its cookie? */
export const isByCookie = ({ profile }: ProviderConfig): boolean => profile === "shiftiq";

/** The lines of an app that is configured so. */
export function asWritten(config: ProviderConfig): string {
  const { profile, place, options } = config;
  const [name, make] = isByCookie(config) ? ["session", "createCookieSession"] : ["client", "createAuthClient"];
  return [
    `import { ${make} } from "wardkey";`,
    `import { ${profile} } from "wardkey/providers";`,
    "",
    `const ${name} = await ${make}({`,
    `  ...${profile}({`,
    ...members(place).map((member) => `    ${member},`),
    "  }),",
    ...members(options).map((member) => `  ${member},`),
    "});",
  ].join("\n");
}

const members = (value: object) => Object.entries(value).map(([name, member]) => `${name}: ${literal(member)}`);

const literal = (value: unknown): string =>
  Array.isArray(value) ? `[${value.map(literal).join(", ")}]` : JSON.stringify(value);
