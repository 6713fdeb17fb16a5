/** Laws of every `BlockSink`: any order of calls, interruption at each step, large batches, and what is held open. */
import { atEachStep, CheckFailed, expectSame, expectTrue, turns } from "@peerstrap/conformance"
import { Random } from "@peerstrap/m3tsz/testing"
import * as Effect from "effect/Effect"
import { type BlockBatch, type BlockKey, BlockSink } from "../contract/BlockSink.ts"
import { type BlockSinkCheck, sinkCheck } from "./BlockSinkChecks.ts"
import { batchOf, first, type GivenSeries, keyOf, overwrite, randomSeries, second, seriesOf } from "./SinkBatches.ts"
import { expectHandles, expectNothing, expectPublished, linesOf, ofStore, publishedOf } from "./SinkStore.ts"

const programs = 12
const callsPerProgram = 30

/** Random calls over the blocks of one shard; what is published after each commit and abort is what lists in a map would say. */
const playProgram = Effect.fnUntraced(function*(seed: number) {
  const sink = yield* BlockSink
  const random = new Random(seed)
  const pending = new Map<BlockKey, Array<GivenSeries>>()
  const open = Array.from({ length: 4 }, (_, block) => keyOf(seed, block))
  const told: Array<string> = []
  for (let call = 0; call < callsPerProgram && open.length > 0; call++) {
    const at = random.below(open.length)
    const key = open[at]!
    const rows = pending.get(key) ?? []
    const kind = random.below(10)
    if (kind < 7) {
      const series = randomSeries(random, call * 10)
      told.push(`write ${key.blockStart} ${series.map(({ id, values }) => `${id}=${values.join("+")}`).join(", ")}`)
      yield* sink.write(batchOf(key, series))
      pending.set(key, [...rows, ...series])
      continue
    }
    told.push(`${kind < 9 ? "abort" : "commit"} ${key.blockStart}`)
    if (kind < 9) yield* sink.abort(key)
    else {
      yield* sink.commit(key)
      open.splice(at, 1)
    }
    pending.delete(key)
    const checked = kind < 9 ? expectNothing(key) : expectPublished(key, seriesOf(key, rows))
    yield* Effect.mapError(
      checked,
      ({ message }) => new CheckFailed({ message: `${message}; program ${seed}: ${told.join("; ")}` })
    )
  }
  for (const key of open) {
    yield* sink.abort(key)
    yield* expectNothing(key)
  }
})

/** Turns in which work that an interruption left behind would show itself. */
const workBehind = 20

/** Runs `call` for a block of its own at each step, and says which block that was. */
const interruptedCalls = Effect.fnUntraced(function*<R, R2>(
  call: (key: BlockKey) => Effect.Effect<unknown, unknown, R>,
  after: (key: BlockKey) => Effect.Effect<unknown, unknown, R2>
) {
  let step = 0
  yield* atEachStep(
    Effect.suspend(() => call(keyOf(5, step))),
    () => Effect.suspend(() => after(keyOf(5, step++)))
  )
})

/** What a block may show after one of its batches was interrupted: that batch whole, or nothing of it. */
const expectWholeBatches = Effect.fnUntraced(function*(key: BlockKey) {
  const published = yield* publishedOf(key)
  const seen = published === undefined ? "nothing" : linesOf(published)
  const allowed = [[...first, ...second], first, []].map((rows) => linesOf(seriesOf(key, rows), published))
  const isAllowed = ["nothing", ...allowed].some((one) => String(one) === String(seen))
  yield* expectTrue(`block ${key.blockStart} has whole batches only; it has ${String(seen)}`, isAllowed)
})

const startAnew = Effect.fnUntraced(function*(sink: BlockSink["Service"], key: BlockKey) {
  yield* sink.abort(key)
  yield* turns(workBehind)
  yield* expectNothing(key)
  yield* sink.write(batchOf(key, second))
  yield* sink.commit(key)
  yield* expectPublished(key, seriesOf(key, second))
})

const interruption: ReadonlyArray<BlockSinkCheck> = [
  sinkCheck("goes on after calls that were interrupted at each step", [], (sink) =>
    interruptedCalls(
      (key) => Effect.andThen(sink.write(batchOf(key, first)), sink.commit(key)),
      (key) => Effect.andThen(sink.abort(key), sink.write(batchOf(keyOf(6), [])))
    )),
  sinkCheck("publishes no part of a batch of which the write was interrupted", ["readable"], (sink) =>
    interruptedCalls(
      (key) => Effect.andThen(sink.write(batchOf(key, first)), sink.write(batchOf(key, second))),
      (key) => Effect.andThen(Effect.ignore(sink.commit(key)), expectWholeBatches(key))
    )),
  sinkCheck("reads no buffer once a write was interrupted", ["readable"], (sink) => {
    let batch: BlockBatch
    return interruptedCalls(
      (key) =>
        Effect.andThen(
          sink.write(batchOf(key, first)),
          Effect.suspend(() => sink.write(batch = batchOf(key, second)))
        ),
      Effect.fnUntraced(function*(key) {
        if (batch !== undefined) overwrite(batch)
        yield* turns(workBehind)
        yield* Effect.ignore(sink.commit(key))
        yield* expectWholeBatches(key)
      })
    )
  }),
  sinkCheck(
    "starts a block anew after a write that was interrupted at any step",
    ["readable"],
    (sink) =>
      interruptedCalls(
        (key) => sink.write(batchOf(key, first)),
        (key) => startAnew(sink, key)
      )
  ),
  sinkCheck(
    "publishes all or nothing when a commit is interrupted at any step",
    ["readable"],
    (sink) =>
      interruptedCalls(
        (key) => Effect.andThen(sink.write(batchOf(key, first)), sink.commit(key)),
        Effect.fnUntraced(function*(key) {
          if ((yield* publishedOf(key)) === undefined) return yield* startAnew(sink, key)
          yield* expectPublished(key, seriesOf(key, first))
          yield* sink.abort(key)
          yield* expectPublished(key, seriesOf(key, first))
        })
      )
  )
]

const manySeries = 1_200

const limits: ReadonlyArray<BlockSinkCheck> = [
  sinkCheck(
    "loses nothing of a batch of many series, one of them large and in many pieces",
    ["readable"],
    Effect.fnUntraced(function*(sink) {
      const key = keyOf(9)
      const small = Array.from(
        { length: manySeries - 1 },
        (_, i) => ({ id: `series ${i}`, values: [i % 7], pieces: 1 })
      )
      const large = {
        id: "large",
        values: Array.from({ length: 2_000 }, (_, i) => (i * 7_919) % 1_000_003),
        pieces: 300
      }
      yield* sink.write(batchOf(key, [...small, large]))
      yield* sink.commit(key)
      const published = (yield* publishedOf(key)) ?? []
      const seen = new Set(linesOf(published))
      yield* expectSame("series published", seen.size, manySeries)
      const lost = linesOf(seriesOf(key, [...small, large]), published).find((line) => !seen.has(line))
      yield* expectSame("a series that is lost", lost?.slice(0, 80), undefined)
    })
  ),
  sinkCheck(
    "publishes what lists in a map would hold, whatever the order of the calls",
    ["readable"],
    () => Effect.forEach(Array.from({ length: programs }, (_, at) => at + 1), playProgram, { discard: true })
  )
]

const leaks: ReadonlyArray<BlockSinkCheck> = [
  sinkCheck(
    "holds nothing open once its blocks are committed or aborted",
    ["counts-handles"],
    Effect.fnUntraced(function*(sink) {
      const before = yield* yield* ofStore("handles")
      yield* sink.write(batchOf(keyOf(1), first))
      yield* sink.write(batchOf(keyOf(2), first))
      yield* sink.commit(keyOf(1))
      yield* sink.abort(keyOf(2))
      yield* sink.commit(keyOf(3))
      yield* expectHandles("after commit and abort", before)
    })
  ),
  sinkCheck(
    "drops open blocks when it is closed, and closes what they held",
    ["readable", "reopens", "counts-handles"],
    Effect.fnUntraced(function*() {
      const before = yield* yield* ofStore("handles")
      yield* Effect.scoped(Effect.gen(function*() {
        const sink = yield* yield* ofStore("reopen")
        yield* sink.write(batchOf(keyOf(1), first))
        yield* sink.write(batchOf(keyOf(2), second))
        yield* sink.commit(keyOf(2))
      }))
      yield* expectNothing(keyOf(1))
      yield* expectPublished(keyOf(2), seriesOf(keyOf(2), second))
      yield* expectHandles("after the sink was closed", before)
    })
  )
]

export const sinkLaws: ReadonlyArray<BlockSinkCheck> = [...limits, ...interruption, ...leaks]
