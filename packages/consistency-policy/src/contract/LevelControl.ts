/** The hand on the level: what a file, a control socket or an API uses to change what `LevelSource` says. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Level } from "./Level.ts"

/** Service: sets the level of a run that goes on. */
export class LevelControl extends Context.Service<LevelControl, {
  /** From now on the level is this one: the latest call wins, whoever made it. Leaves a line in the log. */
  readonly set: (level: Level, origin: string) => Effect.Effect<void>
  /**
   * Takes back what `origin` has set: the initial level returns. Nothing changes when another origin has set one since, for
   * that was the later word.
   */
  readonly withdraw: (origin: string) => Effect.Effect<void>
}>()("@peerstrap/consistency-policy/LevelControl") {}
