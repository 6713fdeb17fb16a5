/** What a `Journal` still has after power cuts. */
import { expectSame, expectTrue, SeededRandom, turns } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import { type JournalCheck, JournalPlace } from "./JournalPlace.ts"
import { appendTexts, replayed, withJournal } from "./JournalProbes.ts"

/** Batch `name` of a history: its records say which they are and how many there must be. */
const batchOf = (name: string, size: number): ReadonlyArray<string> =>
  Array.from({ length: size }, (_, i) => `${name} ${i + 1} of ${size}`)

/** What a replay says that only whole batches may say, or the record at which one is not whole. */
const brokenBatch = (records: ReadonlyArray<string>): string | undefined => {
  for (let at = 0; at < records.length;) {
    const found = /^\d+ (.*) 1 of (\d+)$/.exec(records[at]!)
    if (found === null) return records[at]
    const batch = batchOf(found[1]!, Number(found[2]))
    const bad = batch.findIndex((text, i) => records[at + i] !== `${at + i} ${text}`)
    if (bad >= 0) return records[at + bad] ?? `${batch[bad]} is missing`
    at += batch.length
  }
  return undefined
}

/** `durable` holds the records of all appends that returned. */
const history = Effect.fnUntraced(function*(seed: number, durable: Array<string>) {
  const { powerCut } = yield* JournalPlace
  const random = new SeededRandom(seed)
  for (let round = 0; round < 6; round++) {
    const where = `seed ${seed}, opening ${round}`
    yield* withJournal((journal) =>
      Effect.gen(function*() {
        const found = yield* replayed(journal)
        const lost = durable.find((record) => !found.includes(record))
        yield* expectSame(`${where}: a record that is lost`, lost, undefined)
        yield* expectSame(`${where}: a record of a batch that is not whole`, brokenBatch(found), undefined)
        yield* expectSame(`${where}: next`, (yield* journal.bounds).next, found.length)
        for (let i = random.below(5); i >= 0; i--) {
          const batch = batchOf(`${seed}.${round}.${i}`, 1 + random.below(3))
          yield* Effect.forkScoped(
            Effect.map(appendTexts(journal, ...batch), (first) => {
              durable.push(...batch.map((text, at) => `${first + at} ${text}`))
            }),
            { startImmediately: true }
          )
          yield* turns(random.below(8))
        }
        yield* powerCut(random.below(120))
      })
    )
  }
})

export const journalPowerChecks: ReadonlyArray<JournalCheck> = [
  {
    name: "has what an append returned for after a power cut",
    needs: ["power-cut"],
    run: Effect.gen(function*() {
      const { powerCut } = yield* JournalPlace
      yield* withJournal((journal) => Effect.andThen(appendTexts(journal, "kept"), powerCut(0)))
      yield* withJournal((journal) =>
        Effect.flatMap(replayed(journal), (all) => expectSame("records", all, ["0 kept"]))
      )
    })
  },
  {
    name: "cuts a torn end and says so, once",
    needs: ["power-cut", "syncs"],
    run: Effect.gen(function*() {
      const { holdSyncs, powerCut } = yield* JournalPlace
      let release: Effect.Effect<void> = Effect.void
      yield* withJournal((journal) =>
        Effect.gen(function*() {
          yield* appendTexts(journal, "kept")
          release = yield* holdSyncs
          yield* Effect.forkScoped(Effect.ignore(appendTexts(journal, "torn".repeat(100))), { startImmediately: true })
          yield* turns(50)
          yield* powerCut(17)
          yield* release
        })
      )
      yield* withJournal((journal) =>
        Effect.gen(function*() {
          yield* expectSame("records behind a torn end", yield* replayed(journal), ["0 kept"])
          yield* expectSame("bytes that were cut", journal.cut?.bytes, 17)
          yield* expectTrue("the cut says why", (journal.cut?.because ?? "").length > 0)
          yield* expectSame("number of the next", yield* appendTexts(journal, "after"), 1)
        })
      )
      yield* withJournal((journal) =>
        Effect.gen(function*() {
          yield* expectSame("records after that", yield* replayed(journal), ["0 kept", "1 after"])
          yield* expectSame("what the next opening cut", journal.cut, undefined)
        })
      )
    })
  },
  {
    name: "any history of appends and power cuts keeps what was durable, in whole batches",
    needs: ["power-cut"],
    run: Effect.gen(function*() {
      const durable: Array<string> = []
      for (let seed = 1; seed <= 8; seed++) yield* history(seed, durable)
    })
  }
]
