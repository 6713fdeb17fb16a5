/** A check of the contract of `Grouping` that knows no test runner. */
import type { Grouping } from "../contract/Grouping.ts"

/** Makes the grouping under test. */
export type MakeGrouping = (peerCount: number, maxGroups: number) => Grouping

/** One check of the contract; throws when it does not hold. */
export interface GroupingCheck {
  readonly name: string
  readonly run: (make: MakeGrouping) => void
}
