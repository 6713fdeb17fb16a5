/**
 * When a consistency level is met, and what it still needs. `peers` is the size of the electorate (without the origin),
 * `majority` comes from the replication factor. (specs: peer streaming 3.13; M3: client/consistency_level.go)
 *
 *   none                                   always
 *   one, unstrict_majority, unstrict_all   at least one success
 *   majority                               successes ≥ majority
 *   all                                    successes = peers
 */
import type { Level } from "../contract/Level.ts"

/** M3's `ReadConsistencyAchieved`, to the letter. */
export const readConsistencyAchieved = (level: Level, majority: number, peers: number, successes: number): boolean => {
  switch (level) {
    case "none":
      return true
    case "one":
    case "unstrict_majority":
    case "unstrict_all":
      return successes > 0
    case "majority":
      return successes >= majority
    case "all":
      return successes === peers
  }
}

/** The successes that the level needs of `peers`. May be more than there are: then it cannot be met. */
export const requiredSuccesses = (
  level: Level,
  electorate: { readonly majority: number; readonly peers: number }
): number => {
  switch (level) {
    case "none":
      return 0
    case "one":
    case "unstrict_majority":
    case "unstrict_all":
      return 1
    case "majority":
      return electorate.majority
    case "all":
      return electorate.peers
  }
}

/** Whether the level is met or still can be, when `failedForGood` of the peers will never succeed. */
export const stillReachable = (
  level: Level,
  electorate: { readonly majority: number; readonly peers: number },
  outcome: { readonly successes: number; readonly failedForGood: number }
): boolean => {
  const required = requiredSuccesses(level, electorate)
  return outcome.successes >= required || electorate.peers - outcome.failedForGood >= required
}

/**
 * The copies of a block whose checksums differ that the level asks for: what it needs of the replicas, capped by the peers
 * that advertise the block, since nobody else can send one. 0 for `none` (whatever comes is enough) and when nobody
 * advertises it. (specs: peer streaming 3.16)
 */
export const requiredCopies = (
  level: Level,
  block: { readonly majority: number; readonly advertisers: number }
): number =>
  Math.min(requiredSuccesses(level, { majority: block.majority, peers: block.advertisers }), block.advertisers)
