/** The identity of a run: the file that is there, or one made now. */
import { type Reporter } from "@peerstrap/command-line"
import { formatCount } from "@peerstrap/progress"
import type { IdentityProgress } from "@peerstrap/tezos-wire"
import * as Effect from "effect/Effect"
import type { RunState } from "../sync/RunState.ts"
import { loadIdentity, makeIdentity, peerIdText } from "./IdentityFile.ts"

export interface IdentityWanted {
  readonly path: string
  readonly difficulty: number
  readonly state: RunState
  readonly reporter: Reporter
}

const show = (state: RunState) => ({ expected, ratePerSecond, tried }: IdentityProgress): void =>
  state.enter(
    "identity",
    { done: tried, total: Math.round(expected), totalIsGrowing: true },
    {
      millis: ratePerSecond > 0 ? Math.round(expected * 1000 / ratePerSecond) : null,
      confidence: "low",
      reason: "a search by chance: what is left is always the average"
    }
  )

export const startIdentity = Effect.fnUntraced(function*({ difficulty, path, reporter, state }: IdentityWanted) {
  const found = yield* loadIdentity(path, difficulty)
  if (found !== undefined) {
    if (found.warning !== undefined) {
      state.warnings.push(found.warning)
      reporter.say(`warning: ${found.warning}`)
    }
    return found.identity
  }
  reporter.say(
    `no identity at ${path} yet: making one with proof of work ${difficulty} (about ${
      formatCount(2 ** difficulty)
    } hashes)`
  )
  const made = yield* makeIdentity({ path, difficulty, onProgress: show(state) })
  reporter.event("identity-made", { path, peerId: peerIdText(made) }, `identity ${peerIdText(made)} kept in ${path}`)
  return made
})
