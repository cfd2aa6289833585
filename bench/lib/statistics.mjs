/** The quantile of the numbers, between neighbours in proportion. */
function quantile(sorted, share) {
  const position = (sorted.length - 1) * share;
  const below = sorted[Math.floor(position)];
  const above = sorted[Math.ceil(position)];
  return below + (above - below) * (position % 1);
}

/** @param {number[]} numbers Undefined of none. */
export function median(numbers) {
  return quartiles(numbers)?.median;
}

/**
 * @param {number[]} numbers
 * @returns {{ lower: number, median: number, upper: number } | undefined} Undefined of none.
 */
export function quartiles(numbers) {
  if (numbers.length === 0) return undefined;
  const sorted = [...numbers].sort((a, b) => a - b);
  return { lower: quantile(sorted, 0.25), median: quantile(sorted, 0.5), upper: quantile(sorted, 0.75) };
}
