// The people of the demo. Their passwords are shown on the page: this is a demo, not a secret.

export const accounts = [
  {
    username: "alice",
    password: "wonderland",
    claims: { name: "Alice Liddell", given_name: "Alice", family_name: "Liddell", email: "alice@example.com" },
  },
  {
    username: "bob",
    password: "workshop",
    claims: { name: "Bob Harrow", given_name: "Bob", family_name: "Harrow", email: "bob@example.com" },
  },
];

/** The account with these credentials, if there is one. */
export function authenticate(username, password) {
  const name = username.trim().toLowerCase();
  return accounts.find((account) => account.username === name && account.password === password);
}

/** For oidc-provider: the account of a subject, with its claims. */
export function findAccount(_context, sub) {
  const account = accounts.find(({ username }) => username === sub);
  return account && { accountId: sub, claims: () => ({ sub, ...account.claims }) };
}
