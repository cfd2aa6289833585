// `wardkey` or `wardkey/worker`, as the mode of the test has it.

import { createAuthClient as onPage } from "../../pkg/dist/index.js";
import { createAuthClient as inWorker } from "../../pkg/dist/worker.js";

export * from "../../pkg/dist/index.js";

export const createAuthClient = (options) => (globalThis.entry === "wardkey/worker" ? inWorker : onPage)(options);
