/** Counts with the noun that fits them. */
import { formatCount } from "@peerstrap/progress"

/** `1 block`, `2,000 blocks`. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${formatCount(count)} ${count === 1 ? one : many}`
