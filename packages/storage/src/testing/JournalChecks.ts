/** What every `Journal` does while it is open, and from one opening to the next. */
import { atEachStep, exitWithin, expectSame, expectTrue, isDone, turns } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import type { Journal } from "../contract/Journal.ts"
import { Limits } from "../contract/Limits.ts"
import { type JournalCheck, JournalPlace } from "./JournalPlace.ts"
import { appendTexts, expectJournalReason, replayed, withJournal } from "./JournalProbes.ts"

const numbers = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, i) => i)

export const journalChecks: ReadonlyArray<JournalCheck> = [
  {
    name: "numbers records from 0 on and replays them in order, empty ones too",
    run: withJournal((journal) =>
      Effect.gen(function*() {
        yield* expectSame("bounds at first", yield* journal.bounds, { first: 0, next: 0 })
        yield* expectSame("number of the first batch", yield* appendTexts(journal, "a", "", "c"), 0)
        yield* expectSame("number of an empty batch", yield* journal.append([]), 3)
        yield* expectSame("number of the next batch", yield* appendTexts(journal, "d"), 3)
        yield* expectSame("records", yield* replayed(journal), ["0 a", "1 ", "2 c", "3 d"])
        yield* expectSame("records from 2 on", yield* replayed(journal, 2), ["2 c", "3 d"])
        yield* expectSame("records from the end on", yield* replayed(journal, 4), [])
        yield* expectSame("bounds", yield* journal.bounds, { first: 0, next: 4 })
      })
    )
  },
  {
    name: "keeps all that was appended from one opening to the next, and its numbers",
    run: Effect.gen(function*() {
      const all: Array<string> = []
      for (const round of numbers(4)) {
        yield* withJournal((journal) =>
          Effect.gen(function*() {
            yield* expectSame(`records at opening ${round}`, yield* replayed(journal), all)
            yield* expectSame(`what opening ${round} cut`, journal.cut, undefined)
            const first = yield* appendTexts(journal, `${round}`, "x".repeat(100))
            yield* expectSame(`number at opening ${round}`, first, all.length)
            all.push(`${first} ${round}`, `${first + 1} ${"x".repeat(100)}`)
          })
        )
      }
    })
  },
  {
    name: "takes concurrent appends in the order of the calls, each batch together",
    run: withJournal((journal) =>
      Effect.gen(function*() {
        const firsts = yield* Effect.forEach(numbers(30), (i) => appendTexts(journal, `${i}a`, `${i}b`), {
          concurrency: "unbounded"
        })
        yield* expectSame("numbers", firsts, numbers(30).map((i) => 2 * i))
        yield* expectSame(
          "records",
          yield* replayed(journal),
          numbers(60).map((i) => `${i} ${i >> 1}${i % 2 === 0 ? "a" : "b"}`)
        )
      })
    )
  },
  {
    name: "ends a replay with what was durable when it began",
    run: withJournal((journal) =>
      Effect.gen(function*() {
        yield* appendTexts(journal, "a")
        let seen = 0
        const replay = Stream.runForEach(journal.replay(), ({ records }) => {
          seen += records.length
          return seen > 10 ? Effect.void : appendTexts(journal, "more")
        })
        yield* replay
        yield* expectSame("records of the replay", seen, 1)
      })
    )
  },
  {
    name: "gives a reader bytes of his own",
    run: withJournal((journal) =>
      Effect.gen(function*() {
        yield* appendTexts(journal, "mine")
        yield* Stream.runForEach(journal.replay(), ({ records }) =>
          Effect.sync(() => {
            for (const record of records) record.fill(0)
          }))
        yield* expectSame("records", yield* replayed(journal), ["0 mine"])
      })
    )
  },
  {
    name: "forgets what is dropped and no more, and says so to who asks for it",
    run: Effect.gen(function*() {
      const texts = numbers(20).map((i) => `${i}`.repeat(40))
      const check = (journal: (typeof Journal)["Service"], when: string) =>
        Effect.gen(function*() {
          const { first, next } = yield* journal.bounds
          yield* expectSame(`next ${when}`, next, 20)
          yield* expectTrue(`some of the first 12 records are dropped ${when}, saw first ${first}`, first > 0)
          yield* expectTrue(`record 12 is kept ${when}, saw first ${first}`, first <= 12)
          const kept = texts.map((text, i) => `${i} ${text}`).slice(first)
          yield* expectSame(`records ${when}`, yield* replayed(journal), kept)
          yield* expectSame(`records from 12 on ${when}`, (yield* replayed(journal, 12)).length, 8)
          yield* expectJournalReason(`a replay of what is dropped ${when}`, replayed(journal, first - 1), "dropped")
        })
      yield* withJournal((journal) =>
        Effect.gen(function*() {
          for (const text of texts) yield* appendTexts(journal, text)
          yield* journal.dropBefore(0)
          yield* expectSame("first after dropping nothing", (yield* journal.bounds).first, 0)
          yield* journal.dropBefore(12)
          yield* check(journal, "while it is open")
        })
      )
      yield* withJournal((journal) => check(journal, "at the next opening"))
    })
  },
  {
    name: "takes a record of the maximum, and nothing of a batch with a larger one",
    run: withJournal((journal) =>
      Effect.gen(function*() {
        const largest = new Uint8Array(Limits.journalRecordBytes).fill(7)
        yield* journal.append([largest])
        const larger = new Uint8Array(Limits.journalRecordBytes + 1)
        yield* expectJournalReason("a record above the maximum", journal.append([largest, larger]), "too-large")
        const many = Array.from({ length: 5 }, () => largest)
        yield* expectJournalReason("a batch above the maximum", journal.append(many), "too-large")
        yield* expectSame("bounds", yield* journal.bounds, { first: 0, next: 1 })
        const sizes = yield* Stream.runCollect(journal.replay())
        yield* expectSame("bytes read back", sizes.flatMap(({ records }) => records.map(({ length }) => length)), [
          largest.length
        ])
      })
    )
  },
  {
    name: "an append that is interrupted, at each step, is whole or not there",
    run: withJournal((journal) =>
      Effect.gen(function*() {
        let next = 0
        yield* atEachStep(appendTexts(journal, "a", "b", "c"), (step) =>
          Effect.gen(function*() {
            const now = (yield* journal.bounds).next
            yield* expectTrue(`step ${step} added 0 or 3 records, saw ${now - next}`, now === next || now === next + 3)
            yield* expectSame(`records at step ${step}`, (yield* replayed(journal, next)).length, now - next)
            next = now
          }))
        yield* expectSame("number of the next", yield* appendTexts(journal, "end"), next)
      })
    )
  },
  {
    name: "refuses what comes after its end, and ends with what came before durable",
    run: Effect.gen(function*() {
      let kept: (typeof Journal)["Service"] | undefined
      const last = yield* withJournal((journal) => {
        kept = journal
        return Effect.forkDetach(appendTexts(journal, "last"), { startImmediately: true })
      })
      yield* expectSame("number of the last append", yield* Fiber.join(last), 0)
      const late = yield* exitWithin(
        expectJournalReason("an append after the end", appendTexts(kept!, "late"), "closed")
      )
      yield* expectTrue("an append after the end is answered", late !== undefined)
      yield* late!
      yield* withJournal((journal) =>
        Effect.flatMap(replayed(journal), (all) => expectSame("records", all, ["0 last"]))
      )
    })
  },
  {
    name: "lets appends wait for the disk, and then answers many with few syncs",
    needs: ["syncs"],
    run: Effect.gen(function*() {
      const { holdSyncs, syncs } = yield* JournalPlace
      yield* withJournal((journal) =>
        Effect.gen(function*() {
          yield* appendTexts(journal, "first")
          const release = yield* holdSyncs
          const before = yield* syncs
          const all = yield* Effect.forkScoped(
            Effect.forEach(numbers(50), (i) => appendTexts(journal, `${i}`), { concurrency: "unbounded" })
          )
          yield* turns(200)
          const isEarly = isDone(all)
          const { next } = yield* journal.bounds
          yield* release
          yield* Fiber.join(all)
          yield* expectTrue("no append ends while the disk holds its sync", !isEarly)
          yield* expectSame("next while the disk holds its sync", next, 1)
          const count = (yield* syncs) - before
          yield* expectTrue(`50 appends take at most 5 syncs, saw ${count}`, count <= 5)
        })
      )
    })
  },
  {
    name: "leaves no file open: at its end, after a replay that is interrupted at any step",
    needs: ["open-files"],
    run: Effect.gen(function*() {
      const { openFiles } = yield* JournalPlace
      yield* withJournal((journal) =>
        Effect.gen(function*() {
          for (const i of numbers(4)) yield* appendTexts(journal, `${i}`.repeat(100))
          const before = yield* openFiles
          yield* atEachStep(Stream.runDrain(journal.replay()), (step) =>
            Effect.flatMap(openFiles, (open) => expectSame(`open files at step ${step}`, open, before)))
        })
      )
      yield* expectSame("open files at the end", yield* openFiles, 0)
      yield* atEachStep(
        withJournal((journal) => replayed(journal)),
        (step) => Effect.flatMap(openFiles, (open) => expectSame(`open files after opening step ${step}`, open, 0))
      )
    })
  }
]
