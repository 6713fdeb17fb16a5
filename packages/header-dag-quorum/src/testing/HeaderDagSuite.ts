/**
 * The contract of `HeaderDag` as checks that know no test runner: each is a name and a function that throws what differed. Names end with the
 * requirement (specs: chain bootstrap 5.6, 5.6b).
 */
import { quorumChecks } from "./QuorumChecks.ts"
import { removalChecks } from "./RemovalChecks.ts"
import type { MakeHeaderDag } from "./Sketch.ts"
import { supportChecks } from "./SupportChecks.ts"

/** One check of the contract; throws when it does not hold. */
export interface HeaderDagCheck {
  readonly name: string
  readonly run: (make: MakeHeaderDag) => void
}

/** All checks of the contract. */
export const headerDagSuite: ReadonlyArray<HeaderDagCheck> = [...supportChecks, ...quorumChecks, ...removalChecks]
