/**
 * Moves the chain under the running app: when it is synced, most peers change to a heavier branch; when it has followed them, the branch grows
 * block by block. Listens to the lines of JSON that the app writes on standard error.
 */
import { formatCount } from "@peerstrap/progress"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type ChainNetwork, orderFailed } from "../chains/ChainNetwork.ts"
import type { ChainMoves } from "./ChainDemoPlan.ts"

const AppEvent = Schema.fromJsonString(Schema.Struct({
  type: Schema.Literal("event"),
  name: Schema.String,
  at: Schema.Finite,
  fields: Schema.Record(Schema.String, Schema.Unknown)
}))

const readEvent = Schema.decodeOption(AppEvent)

/** What the app has said of itself so far. */
export class AppEvents {
  private head = 0
  private isSynced = false
  private reorganisations = 0
  private readonly waiting = new Set<() => void>()

  /** A line of its standard error; others than events are left alone. */
  take(line: string): void {
    const event = line.includes("\"event\"") ? readEvent(line) : undefined
    if (event === undefined || event._tag === "None") return
    const { fields, name } = event.value
    if (name === "applied" && typeof fields["level"] === "number") this.head = fields["level"]
    else if (name === "status") this.isSynced = fields["status"] === "synced"
    else if (name === "reorganised") this.reorganisations++
    else return
    for (const look of this.waiting) look()
  }

  /** Completes when the app says that it is synced, with this level or a higher one applied. */
  syncedAt(level: number): Effect.Effect<void> {
    return this.until(() => this.isSynced && this.head >= level)
  }

  /** Completes when it has left a branch for another. */
  get reorganised(): Effect.Effect<void> {
    return this.until(() => this.reorganisations > 0)
  }

  applied(level: number): Effect.Effect<void> {
    return this.until(() => this.head >= level)
  }

  private until(is: () => boolean): Effect.Effect<void> {
    return Effect.suspend(() => {
      const done = Deferred.makeUnsafe<void>()
      const look = (): void => {
        if (is()) Deferred.doneUnsafe(done, Effect.void)
      }
      this.waiting.add(look)
      look()
      return Effect.ensuring(Deferred.await(done), Effect.sync(() => this.waiting.delete(look)))
    })
  }
}

export interface StoryTold {
  /** The app said that it was synced with the first head, before anything moved. */
  synced: boolean
  reorganised: boolean
}

interface Story {
  readonly network: ChainNetwork
  readonly moves: ChainMoves
  readonly events: AppEvents
  readonly told: StoryTold
  readonly say: (text: string) => Effect.Effect<void>
}

/** Ends when the last block is announced; the app ends by itself when it has applied it. */
export const tellStory = Effect.fnUntraced(function*({ events, moves, network, say, told }: Story) {
  const everyone = network.peers.map(({ id }) => id)
  const { first, forkLevel, later } = moves
  yield* events.syncedAt(first.level)
  told.synced = true
  yield* say(
    `synced at level ${formatCount(first.level)}; now all peers move to a branch that leaves it after level ${
      formatCount(forkLevel)
    }\n`
  )
  for (const [index, head] of later.entries()) {
    const problem = yield* network.order({ do: "head", peers: everyone, head })
    if (problem !== undefined) return yield* orderFailed(problem)
    if (index === 0) {
      yield* events.reorganised
      told.reorganised = true
      yield* say(`reorganised; the new branch grows to level ${formatCount(moves.finalLevel)}\n`)
    }
    yield* events.applied(head.level)
  }
})
