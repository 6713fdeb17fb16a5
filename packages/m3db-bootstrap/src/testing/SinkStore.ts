/** Eyes on the store behind a sink: what a reader finds there, and what can be done to the store from outside. */
import { type CheckFailed, expectSame, fail } from "@peerstrap/conformance"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { BlockKey, BlockSink } from "../contract/BlockSink.ts"

/** A published series. */
export interface PublishedSeries {
  readonly id: Uint8Array
  readonly tags: Uint8Array
  readonly bytes: Uint8Array
}

/**
 * The store of the sink that is checked, as somebody else sees it. Members that may be absent go with a capability of the kit: declare it
 * `true` and give them, or `false` and leave them out.
 */
export interface SinkStoreShape {
  /** What a reader sees of a block: its series in any order, undefined when nothing is published. Capability `readable`. */
  readonly published?: (key: BlockKey) => Effect.Effect<ReadonlyArray<PublishedSeries> | undefined>
  /** True when an unpublished block has left anything in the store. Capability `readable`. */
  readonly residue?: (key: BlockKey) => Effect.Effect<boolean>
  /** Loses everything that is not durable; sinks that are open are lost, too. Capability `power-cut`. */
  readonly cutPower?: Effect.Effect<void>
  /** Opens one more sink over the same store; it is closed with the scope. Capability `reopens`. */
  readonly reopen?: Effect.Effect<BlockSink["Service"], never, Scope.Scope>
  /** Files, connections, transactions that sinks of this store hold open now. Capability `counts-handles`. */
  readonly handles?: Effect.Effect<number>
}

/** Service: eyes on the store behind a sink under test. */
export class SinkStore extends Context.Service<SinkStore, SinkStoreShape>()(
  "@peerstrap/m3db-bootstrap/testing/SinkStore"
) {}

/** A member that goes with a declared capability. */
export const ofStore = <Name extends keyof SinkStoreShape>(
  name: Name
): Effect.Effect<NonNullable<SinkStoreShape[Name]>, CheckFailed, SinkStore> =>
  SinkStore.use((store) => {
    const member = store[name]
    return member === undefined
      ? fail(`the SinkStore has no "${name}", though the capability that it goes with is declared true`)
      : Effect.succeed(member)
  })

const hexOf = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")

const isPlain = (bytes: Uint8Array): boolean => bytes.every((byte) => byte >= 0x20 && byte < 0x7f)

const shown = (bytes: Uint8Array): string =>
  isPlain(bytes) ? `'${new TextDecoder().decode(bytes)}'` : `0x${hexOf(bytes)}`

/** A series as one line, different for different series. */
export const lineOf = ({ bytes, id, tags }: PublishedSeries): string => `${shown(id)} ${shown(tags)} ${shown(bytes)}`

const linesOf = (series: ReadonlyArray<PublishedSeries> | undefined) => series?.map(lineOf).toSorted() ?? "nothing"

export const publishedOf = Effect.fnUntraced(function*(key: BlockKey) {
  const published = yield* ofStore("published")
  return yield* published(key)
})

/** `expected` undefined: nothing is published. */
export const expectPublished = Effect.fnUntraced(function*(
  key: BlockKey,
  expected: ReadonlyArray<PublishedSeries> | undefined
) {
  const seen = linesOf(yield* publishedOf(key))
  yield* expectSame(`published of block ${key.shard}/${key.blockStart}`, seen, linesOf(expected))
})

/** The block is not published, and nothing of it is left in the store. */
export const expectNothing = Effect.fnUntraced(function*(key: BlockKey) {
  yield* expectPublished(key, undefined)
  const residue = yield* ofStore("residue")
  if (yield* residue(key)) return yield* fail(`block ${key.shard}/${key.blockStart} has left something in the store`)
})

export const expectHandles = Effect.fnUntraced(function*(when: string, expected: number) {
  yield* expectSame(`open handles ${when}`, yield* yield* ofStore("handles"), expected)
})
