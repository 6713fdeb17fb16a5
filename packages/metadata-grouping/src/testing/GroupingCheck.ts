/** A check of the contract of `Grouping`, and the grouping that is checked. */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import type { Grouping } from "../contract/Grouping.ts"

/** Makes the grouping under test. */
export type MakeGrouping = (peerCount: number, maxGroups: number) => Grouping

/** The subject of the kit. */
export class CheckedGrouping extends Context.Service<CheckedGrouping, { readonly make: MakeGrouping }>()(
  "@peerstrap/metadata-grouping/testing/CheckedGrouping"
) {}

/** A grouping as the kit wants it. */
export const groupingLayer = (make: MakeGrouping): Layer.Layer<CheckedGrouping> =>
  Layer.succeed(CheckedGrouping, { make })

/** One check of the contract; throws when it does not hold. */
export interface GroupingCheck {
  readonly name: string
  readonly run: (make: MakeGrouping) => void
}
