/** The contestant of the page, as the build resolves it. */
declare module "contestant" {
  export const open: import("./contestant.js").Open;
}
