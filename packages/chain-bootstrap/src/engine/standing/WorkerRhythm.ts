/** How often the worker of a peer looks for work: the better the score, the more often (R79, A25). */

/** base × maximum / score, at most `longestMillis`; Infinity at score 0, which never works. */
export const workerIntervalMillis = (
  score: number,
  maximum: number,
  baseMillis: number,
  longestMillis: number
): number => score <= 0 ? Infinity : Math.min(longestMillis, Math.max(baseMillis, (baseMillis * maximum) / score))
