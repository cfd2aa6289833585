export const report = (turns) => JSON.stringify(turns, null, 1) + "\n";
export const verdicts = () => [];
