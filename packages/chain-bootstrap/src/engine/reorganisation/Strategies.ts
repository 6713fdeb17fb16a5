/** The strategies of mission 003 by name. */
import type { ReorgStrategy } from "../../contract/ChainSync.ts"
import type { ReorganisationStrategyService } from "../../contract/Reorganisation.ts"
import { AppliedBranches } from "./AppliedBranches.ts"
import { CachedTail } from "./CachedTail.ts"

/** Strategy 1: only the chain that is followed is applied; a better branch is fetched when it has won. */
export const cachedTail: ReorganisationStrategyService = {
  name: "cached-tail",
  needsBranches: false,
  make: (parts) => new CachedTail(parts)
}

/** Strategy 2: branches near the tip are applied as they come, so that a switch only moves the head. */
export const appliedBranches: ReorganisationStrategyService = {
  name: "applied-branches",
  needsBranches: true,
  make: (parts) => new AppliedBranches(parts)
}

/** All strategies by the name that options give. */
export const reorganisationStrategies: Readonly<Record<ReorgStrategy, ReorganisationStrategyService>> = {
  "cached-tail": cachedTail,
  "applied-branches": appliedBranches
}
