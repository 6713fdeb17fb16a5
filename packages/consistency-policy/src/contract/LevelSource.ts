/** A consistency level that may change at any moment of a run. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { Level } from "./Level.ts"

/** A level and who set it. */
export interface LevelChange {
  readonly level: Level
  /** Where it came from, for the audit line: `flag`, `file /path`, `control socket`. */
  readonly origin: string
}

/**
 * Service: the level of a run, now and from now on. What sets it is another service of this package, `LevelControl`: `set(level, origin)`, where the
 * latest call wins, and `withdraw(origin)`. `SettableLevel.layer(level, origin)` gives both, for a source of one's own to be built on.
 */
export class LevelSource extends Context.Service<LevelSource, {
  readonly current: Effect.Effect<LevelChange>
  /** The current value first, then each change. Never fails: a value that cannot be read keeps the old level and is logged. */
  readonly changes: Stream.Stream<LevelChange>
}>()("@peerstrap/consistency-policy/LevelSource") {}
