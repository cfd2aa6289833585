// `wardkey/worker`, and what pages take from `wardkey` beside the client.

export * from "../../pkg/dist/index.js";
export { createAuthClient } from "../../pkg/dist/worker.js";
