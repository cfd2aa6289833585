/**
 * What is loaded only where it is needed: where there is no SharedWorker that outlasts its pages, and where a session of
 * before is to be had again. (Here, as the build leaves this path as it is.)
 */
export const away = () => import("./away.js");
