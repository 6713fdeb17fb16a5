/**
 * Three replicas of one data set: A and B are healthy and shared by all tests, C is lent to one test at a time and misbehaves as
 * that test says.
 *
 *     A ── healthy ──┐
 *     B ── healthy ──┼── bootstrap ──► filesets ──► digest lines = those of A
 *     C ── a fault ──┘
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** The third replica. */
export interface Suspect {
  readonly hostPort: string
  /** The empty text: healthy again. */
  readonly behave: (behaviours: string) => Effect.Effect<void>
}

/** How the data of one replica differ, each as `K` or `K/R`: every K-th series or point. */
export type Difference = Partial<
  Record<"damage" | "wrong-checksum" | "lack-series" | "lack-points" | "other-values", string>
>

export interface Rig {
  /** What serves, for messages. */
  readonly name: string
  readonly namespace: string
  readonly numShards: number
  /** ns. */
  readonly start: string
  readonly end: string
  readonly honest: ReadonlyArray<{ readonly id: string; readonly hostPort: string }>
  /** Digest lines of what A and B hold, header included; made by the side that serves. */
  readonly truth: string
  /** A C for as long as the scope; it begins healthy. */
  readonly suspect: Effect.Effect<Suspect, never, Scope.Scope>
  /** A replica of its own with other data. */
  readonly differing: (difference: Difference) => Effect.Effect<Suspect, never, Scope.Scope>
}

export const peerFlags = (rig: Rig, suspect: Suspect): ReadonlyArray<string> => {
  const peers = [...rig.honest, { id: "C", hostPort: suspect.hostPort }]
  const namespace = ["--namespace", rig.namespace, "--num-shards", String(rig.numShards), "--block-size", "2h"]
  const range = ["--from", rig.start, "--to", rig.end]
  return [...peers.flatMap(({ hostPort, id }) => ["--peer", `${id}=${hostPort}`]), ...namespace, ...range]
}
