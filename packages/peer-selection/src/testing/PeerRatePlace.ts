/** What the checks of `PeerRateSource` may do to it: change its rate. */
import { lacking } from "@peerstrap/conformance"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { makeSettableRate, type SettableRate } from "../adapter/SettableRate.ts"
import { type PeerRate, PeerRateSource } from "../contract/PeerRateSource.ts"

/** What a place is able to do. */
export interface PeerRatePlaceShape {
  /** Makes another rate the source's. Capability `changes`. May complete before the source has it: the kit waits. */
  change(bytesPerSecond: number): Effect.Effect<void, unknown>
}

/** The place of the source that is checked. */
export class PeerRatePlace extends Context.Service<PeerRatePlace, PeerRatePlaceShape>()(
  "@peerstrap/peer-selection/testing/PeerRatePlace"
) {}

/** What a source may lack. */
export type PeerRateCapability = "changes"

/** A place with what it is able to do; what is not given dies with that word when it is asked for. */
export const peerRatePlace = (able: Partial<PeerRatePlaceShape> = {}): PeerRatePlaceShape => ({
  change: () => lacking("changes"),
  ...able
})

/** A rate with the hand on it, as a place that can do everything. `change` lays another over it. */
export const settableRatePlace = (
  initial: PeerRate,
  change: (rate: SettableRate) => SettableRate = (rate) => rate
): Layer.Layer<PeerRateSource | PeerRatePlace> =>
  Layer.effectContext(Effect.map(makeSettableRate(initial), (made) => {
    const { set, source } = change(made)
    return Context.make(PeerRateSource, source).pipe(Context.add(
      PeerRatePlace,
      peerRatePlace({ change: (bytesPerSecond) => set({ bytesPerSecond, origin: "kit" }) })
    ))
  }))
