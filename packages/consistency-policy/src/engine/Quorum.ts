/** How many members of an electorate are enough. Whole numbers only: no fraction is ever rounded. */

/** A rule that turns the number of members into the number of supporters needed. */
export interface Quorum {
  /** For reports, e.g. `majority`. */
  readonly name: string
  /** Members ≥ 0 → supporters needed, at least 1: no quorum without a supporter. */
  readonly required: (members: number) => number
}

const checkCount = (what: string, count: number, least: number): void => {
  if (Number.isSafeInteger(count) && count >= least) return
  throw new RangeError(`${what} must be an integer from ${least}, got ${count}`)
}

/**
 * The replicas that make a majority: floor(rf / 2) + 1, that is 1, 2, 2, 3, 3 for replication factors 1 to 5. From the
 * replication factor, not from the number of peers at hand. Throws a `RangeError` below 1. (specs: peer streaming 3.13)
 */
export const majority = (replicationFactor: number): number => {
  checkCount("majority: the replication factor", replicationFactor, 1)
  return (replicationFactor - (replicationFactor % 2)) / 2 + 1
}

/** The smallest count strictly above two thirds of `members`: 1, 2, 3, 3, 4, 5, 5 for 1 to 7 (and 1 for 0). */
export const moreThanTwoThirds = (members: number): number => {
  checkCount("moreThanTwoThirds: the number of members", members, 0)
  // With members = 3q + r, two thirds are 2q + 2r/3: the next whole number above adds 1 for r = 0 or 1, 2 for r = 2.
  const rest = members % 3
  return (members - rest) / 3 * 2 + (rest === 2 ? 2 : 1)
}

/** More than half of the members; 1 when there are none. */
export const majorityQuorum: Quorum = {
  name: "majority",
  required: (members) => (members === 0 ? 1 : majority(members))
}

/** More than two thirds of the members. */
export const twoThirdsQuorum: Quorum = { name: "more than two thirds", required: moreThanTwoThirds }

/** A rule of one's own. Its answers are checked at each use: an integer from 1, else a `RangeError` that names the rule. */
export const custom = (name: string, required: (members: number) => number): Quorum => ({
  name,
  required: (members) => {
    checkCount(`${name}: the number of members`, members, 0)
    const needed = required(members)
    checkCount(`${name}: the supporters needed of ${members}`, needed, 1)
    return needed
  }
})

/** Whether `supporters` of `members` are enough. */
export const hasQuorum = (quorum: Quorum, members: number, supporters: number): boolean =>
  supporters >= quorum.required(members)
