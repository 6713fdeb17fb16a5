/**
 * The checks that every `BlockSink` must pass, independent of a test runner: each is a name and an effect that fails with what
 * differed. The checks about power cuts run only for subjects that can cut the power.
 */
import { encodeTags, toHex } from "@peerstrap/m3db-wire"
import { adler32 } from "@peerstrap/m3tsz"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { BlockBatch, BlockKey, BlockSink, SinkError } from "../contract/BlockSink.ts"

/** A check that did not hold: which one, and what was seen. */
export class SinkSuiteFailure extends Schema.TaggedError<SinkSuiteFailure>()("SinkSuiteFailure", {
  check: Schema.String,
  message: Schema.String
}) {}

/** A published series. */
export interface PublishedSeries {
  readonly id: Uint8Array
  readonly tags: Uint8Array
  readonly bytes: Uint8Array
}

/** A sink over an empty store, and the eyes of somebody else on that store. */
export interface BlockSinkSubject {
  readonly sink: BlockSink["Service"]
  /** What a reader of the store sees of a block: its series in any order, undefined when nothing is published. */
  readonly published: (key: BlockKey) => Effect.Effect<ReadonlyArray<PublishedSeries> | undefined>
  /** True when an unpublished block has left anything in the store. */
  readonly residue: (key: BlockKey) => Effect.Effect<boolean>
  /** Loses everything that is not durable; `published` tells what is left. */
  readonly cutPower?: Effect.Effect<void>
}

export interface BlockSinkCheck {
  readonly name: string
  readonly needsPowerCut: boolean
  readonly run: (subject: BlockSinkSubject) => Effect.Effect<void, SinkSuiteFailure | SinkError>
}

const key: BlockKey = { shard: 3, blockStart: BigInt("1609459200000000000") }
const otherBlock: BlockKey = { ...key, blockStart: BigInt("1609466400000000000") }
const otherShard: BlockKey = { ...key, shard: 4 }

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text)

interface Given {
  readonly id: string
  readonly tags?: Uint8Array
  readonly pieces: ReadonlyArray<string>
}

const concat = (pieces: ReadonlyArray<string>): Uint8Array => ascii(pieces.join(""))

/** A batch as streaming makes them: streams in pieces, some of them empty. */
const batch = (to: BlockKey, series: ReadonlyArray<Given>): BlockBatch => ({
  key: to,
  count: series.length,
  ids: series.map((one) => ascii(one.id)),
  tags: series.map((one) => one.tags?.slice() ?? new Uint8Array(0)),
  data: series.map((one) => one.pieces.map(ascii)),
  checksums: Uint32Array.from(series, (one) => adler32(concat(one.pieces))),
  bytes: series.reduce((total, one) => total + concat(one.pieces).length, 0)
})

const line = (one: PublishedSeries): string => `${toHex(one.id)} ${toHex(one.tags)} ${toHex(one.bytes)}`

const lines = (series: ReadonlyArray<Given>): string =>
  series
    .filter((one) => concat(one.pieces).length > 0)
    .map((one) => line({ id: ascii(one.id), tags: one.tags?.slice() ?? new Uint8Array(0), bytes: concat(one.pieces) }))
    .toSorted()
    .join("\n")

const first: ReadonlyArray<Given> = [
  { id: "foo", tags: encodeTags([[ascii("city"), ascii("sf")]]), pieces: ["head", "tail"] },
  { id: "bar", pieces: ["", "only"] },
  { id: "without data", pieces: ["", ""] }
]
const second: ReadonlyArray<Given> = [{ id: "", pieces: ["the empty id is legal"] }, {
  id: "a",
  pieces: ["1", "2", "3"]
}]

const fail = (check: string, message: string): Effect.Effect<never, SinkSuiteFailure> =>
  Effect.fail(new SinkSuiteFailure({ check, message }))

const expectPublished = Effect.fnUntraced(function*(
  check: string,
  subject: BlockSinkSubject,
  of: BlockKey,
  expected: ReadonlyArray<Given> | undefined
) {
  const found = yield* subject.published(of)
  const actual = found?.map(line).toSorted().join("\n")
  const wanted = expected === undefined ? undefined : lines(expected)
  if (actual !== wanted) {
    return yield* fail(check, `published of block ${of.shard}/${of.blockStart}: expected ${wanted}, saw ${actual}`)
  }
})

const expectNothing = Effect.fnUntraced(function*(check: string, subject: BlockSinkSubject, of: BlockKey) {
  yield* expectPublished(check, subject, of, undefined)
  if (yield* subject.residue(of)) {
    return yield* fail(check, `block ${of.shard}/${of.blockStart} has left something in the store`)
  }
})

const expectRefused = (
  check: string,
  effect: Effect.Effect<void, SinkError>,
  reason: SinkError["reason"]
): Effect.Effect<void, SinkSuiteFailure> =>
  Effect.matchEffect(effect, {
    onSuccess: () => fail(check, `expected a failure "${reason}", it succeeded`),
    onFailure: (error) =>
      error.reason === reason && error.remedy !== "" && error.subject !== ""
        ? Effect.void
        : fail(check, `expected "${reason}" with subject and remedy, saw "${error.reason}": ${error.message}`)
  })

type Body = (check: string, subject: BlockSinkSubject) => Effect.Effect<void, SinkSuiteFailure | SinkError>

const checks: ReadonlyArray<readonly [name: string, body: Body]> = [
  [
    "publishes every batch of a block, pieces joined, series without bytes left out",
    Effect.fnUntraced(function*(check, subject) {
      yield* subject.sink.write(batch(key, first))
      yield* subject.sink.write(batch(key, second))
      yield* subject.sink.commit(key)
      yield* expectPublished(check, subject, key, [...first, ...second])
    })
  ],
  [
    "shows nothing before the commit",
    Effect.fnUntraced(function*(check, subject) {
      yield* subject.sink.write(batch(key, first))
      yield* expectPublished(check, subject, key, undefined)
    })
  ],
  [
    "makes an empty block of a commit without a write",
    Effect.fnUntraced(function*(check, subject) {
      yield* subject.sink.commit(key)
      yield* expectPublished(check, subject, key, [])
    })
  ],
  [
    "leaves nothing of an aborted block",
    Effect.fnUntraced(function*(check, subject) {
      yield* subject.sink.write(batch(key, first))
      yield* subject.sink.abort(key)
      yield* expectNothing(check, subject, key)
    })
  ],
  [
    "accepts an abort of a block that was never written",
    Effect.fnUntraced(function*(check, subject) {
      yield* subject.sink.abort(key)
      yield* expectNothing(check, subject, key)
    })
  ],
  [
    "begins anew after an abort",
    Effect.fnUntraced(function*(check, subject) {
      yield* subject.sink.write(batch(key, first))
      yield* subject.sink.abort(key)
      yield* subject.sink.write(batch(key, second))
      yield* subject.sink.commit(key)
      yield* expectPublished(check, subject, key, second)
    })
  ],
  [
    "keeps blocks apart, by start and by shard",
    Effect.fnUntraced(function*(check, subject) {
      yield* subject.sink.write(batch(key, first))
      yield* subject.sink.write(batch(otherBlock, second))
      yield* subject.sink.write(batch(otherShard, second))
      yield* subject.sink.commit(key)
      yield* expectPublished(check, subject, otherBlock, undefined)
      yield* subject.sink.abort(otherBlock)
      yield* subject.sink.commit(otherShard)
      yield* expectPublished(check, subject, key, first)
      yield* expectNothing(check, subject, otherBlock)
      yield* expectPublished(check, subject, otherShard, second)
    })
  ],
  [
    "refuses a block with a doubled id, and leaves nothing of it",
    Effect.fnUntraced(function*(check, subject) {
      yield* subject.sink.write(batch(key, first))
      const doubled = Effect.andThen(
        subject.sink.write(batch(key, [{ id: "foo", pieces: ["another"] }])),
        subject.sink.commit(key)
      )
      yield* expectRefused(check, doubled, "duplicate-id")
      yield* subject.sink.abort(key)
      yield* expectNothing(check, subject, key)
    })
  ],
  [
    "stays failed after a failed commit until an abort, and publishes nothing meanwhile",
    Effect.fnUntraced(function*(check, subject) {
      yield* subject.sink.write(batch(key, [...second, ...second]))
      yield* expectRefused(check, subject.sink.commit(key), "duplicate-id")
      yield* Effect.ignore(subject.sink.commit(key))
      yield* expectPublished(check, subject, key, undefined)
      yield* Effect.ignore(Effect.andThen(subject.sink.write(batch(key, first)), subject.sink.commit(key)))
      yield* expectPublished(check, subject, key, undefined)
      yield* subject.sink.abort(key)
      yield* subject.sink.write(batch(key, first))
      yield* subject.sink.commit(key)
      yield* expectPublished(check, subject, key, first)
    })
  ],
  [
    "refuses to replace a published block",
    Effect.fnUntraced(function*(check, subject) {
      yield* subject.sink.write(batch(key, first))
      yield* subject.sink.commit(key)
      const again = Effect.andThen(subject.sink.write(batch(key, second)), subject.sink.commit(key))
      yield* expectRefused(check, again, "exists")
      yield* subject.sink.abort(key)
      yield* expectPublished(check, subject, key, first)
    })
  ],
  [
    "takes copies of all that it needs before a write completes",
    Effect.fnUntraced(function*(check, subject) {
      const reused = batch(key, first)
      yield* subject.sink.write(reused)
      for (const bytes of [...reused.ids, ...reused.tags, ...reused.data.flat()]) bytes.fill(0x78)
      yield* subject.sink.commit(key)
      yield* expectPublished(check, subject, key, first)
    })
  ],
  [
    "writes batches of one block that arrive at once",
    Effect.fnUntraced(function*(check, subject) {
      const series = Array.from({ length: 40 }, (_, i): Given => ({ id: `id ${(i * 7) % 40}`, pieces: [`bytes ${i}`] }))
      yield* Effect.forEach(series, (one) => subject.sink.write(batch(key, [one])), { concurrency: 8, discard: true })
      yield* subject.sink.commit(key)
      yield* expectPublished(check, subject, key, series)
    })
  ]
]

const powerCutChecks: ReadonlyArray<readonly [name: string, body: Body]> = [
  [
    "keeps a committed block through a power cut",
    Effect.fnUntraced(function*(check, subject) {
      yield* subject.sink.write(batch(key, first))
      yield* subject.sink.write(batch(key, second))
      yield* subject.sink.commit(key)
      yield* subject.cutPower ?? Effect.void
      yield* expectPublished(check, subject, key, [...first, ...second])
    })
  ],
  [
    "shows nothing of an uncommitted block after a power cut",
    Effect.fnUntraced(function*(check, subject) {
      yield* subject.sink.write(batch(key, first))
      yield* subject.cutPower ?? Effect.void
      yield* expectPublished(check, subject, key, undefined)
    })
  ]
]

/** All checks; run each with a subject of its own. */
export const blockSinkSuite: ReadonlyArray<BlockSinkCheck> = [
  ...checks.map(([name, body]) => ({
    name,
    needsPowerCut: false,
    run: (subject: BlockSinkSubject) => body(name, subject)
  })),
  ...powerCutChecks.map(([name, body]) => ({
    name,
    needsPowerCut: true,
    run: (subject: BlockSinkSubject) => body(name, subject)
  }))
]

/** Runs the whole suite; answers the names of the checks that failed. A failing sink and a sink with a wrong result count alike. */
export const failedChecks = <R>(
  make: Effect.Effect<BlockSinkSubject, never, Scope.Scope | R>
): Effect.Effect<ReadonlyArray<string>, never, Exclude<R, Scope.Scope>> =>
  Effect.gen(function*() {
    const failed: Array<string> = []
    for (const check of blockSinkSuite) {
      const outcome = yield* Effect.exit(Effect.scoped(Effect.flatMap(make, (subject) =>
        check.needsPowerCut && subject.cutPower === undefined ? Effect.void : check.run(subject))))
      if (outcome._tag === "Failure") {
        failed.push(check.name)
      }
    }
    return failed
  })
