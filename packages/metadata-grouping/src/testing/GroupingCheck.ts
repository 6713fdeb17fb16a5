/** A check of the contract of `Grouping` that knows no test runner. */
import type { Grouping } from "../contract/Grouping.ts"

export type MakeGrouping = (peerCount: number, maxGroups: number) => Grouping

export interface GroupingCheck {
  readonly name: string
  readonly run: (make: MakeGrouping) => void
}
