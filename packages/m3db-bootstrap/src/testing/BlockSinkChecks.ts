/** Examples of what every `BlockSink` does: call by call, and what a reader sees after each. */
import { type Check, expectFailure, expectTrue } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { BlockSink, type SinkError } from "../contract/BlockSink.ts"
import { batchOf, first, type GivenSeries, keyOf, overwrite, second, seriesOf } from "./SinkBatches.ts"
import { expectNothing, expectPublished, ofStore, type SinkStore } from "./SinkStore.ts"

/** What a sink may be unable to do. */
export const blockSinkCapabilities = {
  "readable": "what it publishes can be read back, block by block",
  "unique-ids": "it refuses a block in which an id was written twice",
  "write-once": "it refuses to replace a published block",
  "power-cut": "its store can be made to lose all that is not durable",
  "reopens": "another sink can be opened over the same store, and closed",
  "counts-handles": "what its sinks hold open can be counted"
} as const

export type BlockSinkCapability = keyof typeof blockSinkCapabilities

export type BlockSinkCheck = Check<BlockSink | SinkStore, BlockSinkCapability>

/** A check of one sink. */
export const sinkCheck = (
  name: string,
  needs: ReadonlyArray<BlockSinkCapability>,
  body: (sink: BlockSink["Service"]) => Effect.Effect<unknown, unknown, BlockSink | SinkStore | Scope.Scope>
): BlockSinkCheck => ({ name, needs, run: Effect.asVoid(BlockSink.use(body)) })

const key = keyOf(3)
const otherBlock = keyOf(3, 1)
const otherShard = keyOf(4)

const refused = (what: string, effect: Effect.Effect<void, SinkError>, reason: SinkError["reason"]) =>
  Effect.flatMap(
    expectFailure(what, effect, (error) => error.reason === reason),
    ({ remedy, subject }) =>
      expectTrue(`${what}: the error has a subject and a remedy`, remedy !== "" && subject !== "")
  )

const publishing: ReadonlyArray<BlockSinkCheck> = [
  sinkCheck(
    "takes the calls of a run",
    [],
    Effect.fnUntraced(function*(sink) {
      yield* sink.write(batchOf(key, first))
      yield* sink.write(batchOf(otherBlock, second))
      yield* sink.write(batchOf(key, second))
      yield* sink.write(batchOf(key, []))
      yield* sink.commit(key)
      yield* sink.abort(otherBlock)
      yield* sink.abort(otherBlock)
      yield* sink.commit(otherShard)
    })
  ),
  sinkCheck(
    "publishes every batch of a block, pieces joined, series without bytes left out",
    ["readable"],
    Effect.fnUntraced(function*(sink) {
      yield* sink.write(batchOf(key, first))
      yield* sink.write(batchOf(key, second))
      yield* sink.commit(key)
      yield* expectPublished(key, seriesOf(key, [...first, ...second]))
    })
  ),
  sinkCheck(
    "shows nothing before the commit",
    ["readable"],
    Effect.fnUntraced(function*(sink) {
      yield* sink.write(batchOf(key, first))
      yield* expectPublished(key, undefined)
    })
  ),
  sinkCheck(
    "makes an empty block of a commit without a write, and of one without series",
    ["readable"],
    Effect.fnUntraced(function*(sink) {
      yield* sink.commit(key)
      yield* expectPublished(key, [])
      yield* sink.write(batchOf(otherBlock, []))
      yield* sink.commit(otherBlock)
      yield* expectPublished(otherBlock, [])
    })
  ),
  sinkCheck(
    "keeps blocks apart, by start and by shard",
    ["readable"],
    Effect.fnUntraced(function*(sink) {
      yield* sink.write(batchOf(key, first))
      yield* sink.write(batchOf(otherBlock, second))
      yield* sink.write(batchOf(otherShard, second))
      yield* sink.commit(key)
      yield* expectPublished(otherBlock, undefined)
      yield* sink.abort(otherBlock)
      yield* sink.commit(otherShard)
      yield* expectPublished(key, seriesOf(key, first))
      yield* expectNothing(otherBlock)
      yield* expectPublished(otherShard, seriesOf(otherShard, second))
    })
  ),
  sinkCheck(
    "takes copies of all that it needs before a write completes",
    ["readable"],
    Effect.fnUntraced(function*(sink) {
      const batch = batchOf(key, first)
      yield* sink.write(batch)
      overwrite(batch)
      yield* sink.commit(key)
      yield* expectPublished(key, seriesOf(key, first))
    })
  ),
  sinkCheck(
    "writes batches of one block that arrive at once",
    ["readable"],
    Effect.fnUntraced(function*(sink) {
      const series = Array.from({ length: 40 }, (_, i) => ({ id: `id ${(i * 7) % 40}`, values: [i], pieces: 1 }))
      yield* Effect.forEach(series, (one) => sink.write(batchOf(key, [one])), { concurrency: 8, discard: true })
      yield* sink.commit(key)
      yield* expectPublished(key, seriesOf(key, series))
    })
  )
]

const aborting: ReadonlyArray<BlockSinkCheck> = [
  sinkCheck(
    "leaves nothing of an aborted block",
    ["readable"],
    Effect.fnUntraced(function*(sink) {
      yield* sink.write(batchOf(key, first))
      yield* sink.abort(key)
      yield* expectNothing(key)
    })
  ),
  sinkCheck(
    "leaves nothing of an abort of a block that was never written",
    ["readable"],
    Effect.fnUntraced(function*(sink) {
      yield* sink.abort(key)
      yield* expectNothing(key)
    })
  ),
  sinkCheck(
    "begins anew after an abort",
    ["readable"],
    Effect.fnUntraced(function*(sink) {
      yield* sink.write(batchOf(key, first))
      yield* sink.abort(key)
      yield* sink.write(batchOf(key, second))
      yield* sink.commit(key)
      yield* expectPublished(key, seriesOf(key, second))
    })
  )
]

const doubled: ReadonlyArray<GivenSeries> = [...second, ...second]

const refusing: ReadonlyArray<BlockSinkCheck> = [
  sinkCheck(
    "refuses a block with a doubled id, and leaves nothing of it",
    ["readable", "unique-ids"],
    Effect.fnUntraced(function*(sink) {
      yield* sink.write(batchOf(key, first))
      const again = batchOf(key, [{ id: "foo", values: [9], pieces: 1 }])
      yield* refused("foo twice", Effect.andThen(sink.write(again), sink.commit(key)), "duplicate-id")
      yield* sink.abort(key)
      yield* expectNothing(key)
    })
  ),
  sinkCheck(
    "stays failed after a failed commit until an abort, and publishes nothing meanwhile",
    ["readable", "unique-ids"],
    Effect.fnUntraced(function*(sink) {
      // At the write or at the commit, as the sink finds it out.
      const written = Effect.andThen(sink.write(batchOf(key, doubled)), sink.commit(key))
      yield* refused("doubled ids", written, "duplicate-id")
      yield* Effect.ignore(sink.commit(key))
      yield* expectPublished(key, undefined)
      yield* Effect.ignore(Effect.andThen(sink.write(batchOf(key, first)), sink.commit(key)))
      yield* expectPublished(key, undefined)
      yield* sink.abort(key)
      yield* sink.write(batchOf(key, first))
      yield* sink.commit(key)
      yield* expectPublished(key, seriesOf(key, first))
    })
  ),
  sinkCheck(
    "refuses to replace a published block",
    ["readable", "write-once"],
    Effect.fnUntraced(function*(sink) {
      yield* sink.write(batchOf(key, first))
      yield* sink.commit(key)
      const again = Effect.andThen(sink.write(batchOf(key, second)), sink.commit(key))
      yield* refused("the second time", again, "exists")
      yield* sink.abort(key)
      yield* expectPublished(key, seriesOf(key, first))
    })
  ),
  sinkCheck(
    "refuses a second commit, or takes it as done",
    ["readable", "write-once"],
    Effect.fnUntraced(function*(sink) {
      yield* sink.write(batchOf(key, first))
      yield* sink.commit(key)
      yield* Effect.ignore(sink.commit(key))
      yield* sink.abort(key)
      yield* expectPublished(key, seriesOf(key, first))
    })
  )
]

const lasting: ReadonlyArray<BlockSinkCheck> = [
  sinkCheck(
    "keeps a committed block through a power cut",
    ["readable", "power-cut"],
    Effect.fnUntraced(function*(sink) {
      yield* sink.write(batchOf(key, first))
      yield* sink.write(batchOf(key, second))
      yield* sink.commit(key)
      yield* yield* ofStore("cutPower")
      yield* expectPublished(key, seriesOf(key, [...first, ...second]))
    })
  ),
  sinkCheck(
    "shows nothing of an uncommitted block after a power cut",
    ["readable", "power-cut"],
    Effect.fnUntraced(function*(sink) {
      yield* sink.write(batchOf(key, first))
      yield* yield* ofStore("cutPower")
      yield* expectPublished(key, undefined)
    })
  ),
  sinkCheck(
    "begins a block anew after a power cut",
    ["readable", "power-cut", "reopens"],
    Effect.fnUntraced(function*(sink) {
      yield* sink.write(batchOf(key, first))
      yield* yield* ofStore("cutPower")
      const next = yield* yield* ofStore("reopen")
      yield* next.write(batchOf(key, second))
      yield* next.commit(key)
      yield* expectPublished(key, seriesOf(key, second))
    })
  )
]

export const sinkExamples: ReadonlyArray<BlockSinkCheck> = [...publishing, ...aborting, ...refusing, ...lasting]
