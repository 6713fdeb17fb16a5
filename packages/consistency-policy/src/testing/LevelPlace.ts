/** What the checks of `LevelSource` may do to it: change its level, or have a `LevelControl` in hand. */
import { type Check, lacking } from "@peerstrap/conformance"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Level } from "../contract/Level.ts"
import { LevelControl } from "../contract/LevelControl.ts"
import { LevelSource } from "../contract/LevelSource.ts"

/** What a place is able to do. */
export interface LevelPlaceShape {
  /** Makes another level the source's: writes the file, puts the key, calls the control. Capability `changes`. May complete before the source has it: the kit waits. */
  change(level: Level): Effect.Effect<void, unknown>
  /** Capability `control`. */
  readonly control: Effect.Effect<LevelControl["Service"]>
}

/** The place of the source that is checked. */
export class LevelPlace extends Context.Service<LevelPlace, LevelPlaceShape>()(
  "@peerstrap/consistency-policy/testing/LevelPlace"
) {}

/** What a source may lack. */
export type LevelCapability = "changes" | "control"
/** A check of the kit. */
export type LevelCheck = Check<LevelSource | LevelPlace, LevelCapability>

/** A place with what it is able to do; what is not given dies with that word when it is asked for. */
export const levelPlace = (able: Partial<LevelPlaceShape> = {}): LevelPlaceShape => ({
  change: () => lacking("changes"),
  control: lacking("control"),
  ...able
})

/** A source with its control as a place that can do everything. The level at first must be `majority`. */
export const controlledLevel = <E>(
  layer: Layer.Layer<LevelSource | LevelControl, E>
): Layer.Layer<LevelSource | LevelPlace, E> =>
  Layer.effectContext(Effect.map(Layer.build(layer), (context) => {
    const control = Context.get(context, LevelControl)
    return Context.make(LevelSource, Context.get(context, LevelSource)).pipe(Context.add(
      LevelPlace,
      levelPlace({ change: (level) => control.set(level, "kit"), control: Effect.succeed(control) })
    ))
  }))
