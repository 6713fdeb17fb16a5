/** Eyes on the store behind a sink: what a reader finds there, and what can be done to the store from outside. */
import { type CheckFailed, expectSame, fail } from "@peerstrap/conformance"
import { adler32, type Datapoints, decodeBlock } from "@peerstrap/m3tsz"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { BlockKey, BlockSink } from "../contract/BlockSink.ts"

/** A published series, as the stream that came. */
export interface PublishedSeries {
  readonly id: Uint8Array
  readonly tags: Uint8Array
  readonly bytes: Uint8Array
}

/** A published series of a store that keeps points, not streams; those of the kit are whole seconds and small numbers. */
export interface PublishedPoints {
  readonly id: Uint8Array
  readonly tags: Uint8Array
  readonly points: Pick<Datapoints, "count" | "timestamps" | "values">
}

/**
 * The store of the sink that is checked, as somebody else sees it. Members that may be absent go with a capability of the kit: declare it
 * `true` and give them, or `false` and leave them out.
 */
export interface SinkStoreShape {
  /** What a reader sees of a block: its series in any order, undefined when nothing is published. Capability `readable`. */
  readonly published?: (key: BlockKey) => Effect.Effect<ReadonlyArray<PublishedSeries | PublishedPoints> | undefined>
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

const pointsText = ({ count, timestamps, values }: PublishedPoints["points"]): string =>
  Array.from({ length: count }, (_, i) => `${timestamps[i]! / 1_000_000_000n}=${values[i]}`).join(" ")

/** Above any stream of the kit. */
const maxPoints = 10_000

const contentOf = (series: PublishedSeries | PublishedPoints, asPoints: boolean): string => {
  if ("points" in series) return pointsText(series.points)
  const points = decodeBlock([series.bytes], { maxPoints })
  if ("_tag" in points) return `0x${hexOf(series.bytes)}`
  return asPoints ? pointsText(points) : `${pointsText(points)} (${adler32(series.bytes).toString(16)})`
}

/**
 * Series as lines, different for different series: id, tags, seconds and values, and the checksum of the stream. `like`: without that when these are
 * points.
 */
export const linesOf = (
  series: ReadonlyArray<PublishedSeries | PublishedPoints>,
  like: ReadonlyArray<PublishedSeries | PublishedPoints> = []
): ReadonlyArray<string> => {
  const asPoints = like.some((one) => "points" in one)
  return series.map((one) => `${shown(one.id)} ${shown(one.tags)} ${contentOf(one, asPoints)}`).toSorted()
}

export const publishedOf = Effect.fnUntraced(function*(key: BlockKey) {
  const published = yield* ofStore("published")
  return yield* published(key)
})

/** `expected` undefined: nothing is published. */
export const expectPublished = Effect.fnUntraced(function*(
  key: BlockKey,
  expected: ReadonlyArray<PublishedSeries> | undefined
) {
  const seen = yield* publishedOf(key)
  yield* expectSame(
    `published of block ${key.shard}/${key.blockStart}`,
    seen === undefined ? "nothing" : linesOf(seen),
    expected === undefined ? "nothing" : linesOf(expected, seen)
  )
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
