/** Journals that are wrong in one way each; the kit must reject every one. */
import type { Mutant } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import type { File, FileSystem } from "../contract/FileSystem.ts"
import { Journal, type JournalRecords } from "../contract/Journal.ts"
import { lockForEver, lockLeaking, lockNothing } from "./FileLockMutants.ts"
import { bytesOf } from "./FileProbes.ts"
import { type JournalChanges, type JournalPlace, memoryJournalPlace } from "./JournalPlace.ts"

type Files = (typeof FileSystem)["Service"]
type Service = (typeof Journal)["Service"]

interface Broken extends JournalChanges {
  readonly name: string
  readonly rejectedBy: string
  readonly because: RegExp | "hangs"
}

const inFiles = (change: (file: File) => File) => (files: Files): Files => ({
  ...files,
  create: (path, options) => Effect.map(files.create(path, options), change),
  openRead: (path) => Effect.map(files.openRead(path), change)
})

const inReplay = (change: (page: JournalRecords) => JournalRecords) => (journal: Service): Service => ({
  ...journal,
  replay: (from) => Stream.map(journal.replay(from), change)
})

const broken: ReadonlyArray<Broken> = [
  {
    name: "counts from 1",
    rejectedBy: "numbers records from 0 on and replays them in order, empty ones too",
    because: /number of the first batch: saw 1, expected 0/,
    journal: (journal) => ({
      ...journal,
      append: (records) => Effect.map(journal.append(records), (first) => first + 1)
    })
  },
  {
    name: "drops the last record of a replay",
    rejectedBy: "numbers records from 0 on and replays them in order, empty ones too",
    because: /records: saw \["0 a","1 ","2 c"\]/,
    journal: inReplay(({ first, records }) => ({ first, records: records.slice(0, -1) }))
  },
  {
    name: "begins its numbers anew at each opening",
    rejectedBy: "keeps all that was appended from one opening to the next, and its numbers",
    because: /number at opening 1: saw 0, expected 2/,
    journal: (journal) => {
      let base: number | undefined
      return {
        ...journal,
        append: (records) => Effect.map(journal.append(records), (first) => first - (base ??= first))
      }
    }
  },
  {
    name: "lets every second call overtake",
    rejectedBy: "takes concurrent appends in the order of the calls, each batch together",
    because: /numbers: saw \[\d+,0,/,
    journal: (journal) => {
      let calls = 0
      return {
        ...journal,
        append: (records) =>
          Effect.suspend(() => {
            calls++
            return calls % 2 === 1 ? Effect.andThen(Effect.yieldNow, journal.append(records)) : journal.append(records)
          })
      }
    }
  },
  {
    name: "goes on replaying what is appended meanwhile",
    rejectedBy: "ends a replay with what was durable when it began",
    because: /records of the replay: saw 11, expected 1/,
    journal: (journal) => ({
      ...journal,
      replay: (from = 0) => {
        const rest = (at: number): ReturnType<Service["replay"]> =>
          Stream.unwrap(
            Effect.map(journal.bounds, ({ next }) =>
              at >= next ? Stream.empty : Stream.concat(
                journal.replay(at),
                Stream.suspend(() => rest(next))
              ))
          )
        return rest(from)
      }
    })
  },
  {
    name: "gives all readers the same bytes",
    rejectedBy: "gives a reader bytes of his own",
    because: /records: saw \["0 \\u0000/,
    journal: (journal) => {
      let known: ReadonlyArray<JournalRecords> | undefined
      return {
        ...journal,
        replay: (from) =>
          Stream.unwrap(Effect.map(
            known === undefined ? Stream.runCollect(journal.replay(from)) : Effect.succeed(known),
            (pages) => Stream.fromIterable(known = pages)
          ))
      }
    }
  },
  {
    name: "forgets a record too many",
    rejectedBy: "forgets what is dropped and no more, and says so to who asks for it",
    because: /record 12 is kept while it is open, saw first 13/,
    journal: (journal) => {
      let dropped = 0
      return {
        ...journal,
        dropBefore: (record) => Effect.map(journal.dropBefore(record), () => void (dropped = record && record + 1)),
        bounds: Effect.map(journal.bounds, ({ first, next }) => ({ first: Math.max(first, dropped), next }))
      }
    }
  },
  {
    name: "drops nothing",
    rejectedBy: "forgets what is dropped and no more, and says so to who asks for it",
    because: /some of the first 12 records are dropped while it is open, saw first 0/,
    journal: (journal) => ({ ...journal, dropBefore: () => Effect.void })
  },
  {
    name: "cuts off what is too large",
    rejectedBy: "takes a record of the maximum, and nothing of a batch with a larger one",
    because: /a record above the maximum: succeeded/,
    journal: (journal) => ({
      ...journal,
      append: (records) => journal.append(records.map((record) => record.subarray(0, 1_052_672)))
    })
  },
  {
    name: "appends a batch record by record",
    rejectedBy: "an append that is interrupted, at each step, is whole or not there",
    because: /added 0 or 3 records, saw [12]/,
    journal: (journal) => ({
      ...journal,
      append: (records) =>
        Effect.gen(function*() {
          const { next } = yield* journal.bounds
          for (const record of records) yield* journal.append([record])
          return next
        })
    })
  },
  {
    name: "takes appends after its end",
    rejectedBy: "refuses what comes after its end, and ends with what came before durable",
    because: /an append after the end: succeeded/,
    journal: (journal) => ({
      ...journal,
      append: (records) =>
        Effect.catchIf(
          journal.append(records),
          ({ reason }) => reason === "closed",
          () => Effect.succeed(0)
        )
    })
  },
  {
    name: "answers before the disk does",
    rejectedBy: "lets appends wait for the disk, and then answers many with few syncs",
    because: /not so: no append ends while the disk holds its sync/,
    journal: (journal) => ({
      ...journal,
      append: (records) =>
        Effect.andThen(
          Effect.forkDetach(Effect.ignore(journal.append(records)), { startImmediately: true }),
          Effect.map(journal.bounds, ({ next }) => next)
        )
    })
  },
  {
    name: "syncs for each append",
    rejectedBy: "lets appends wait for the disk, and then answers many with few syncs",
    because: /50 appends take at most 5 syncs, saw 5\d/,
    journal: (journal) => {
      const one = Semaphore.makeUnsafe(1)
      return { ...journal, append: (records) => one.withPermit(journal.append(records)) }
    }
  },
  {
    name: "leaks the file of a replay",
    rejectedBy: "leaves no file open: at its end, after a replay that is interrupted at any step",
    because: /open files at step \d+: saw \d, expected 1/,
    files: (files) => ({
      ...files,
      openRead: (path) => Effect.map(files.openRead(path), (file) => ({ ...file, close: Effect.void }))
    })
  },
  {
    name: "forgets to sync",
    rejectedBy: "has what an append returned for after a power cut",
    because: /records: saw \[\], expected \["0 kept"\]/,
    files: inFiles((file) => ({ ...file, sync: Effect.void }))
  },
  {
    name: "forgets to sync the directory of a new segment",
    rejectedBy: "any history of appends and power cuts keeps what was durable, in whole batches",
    because: /^seed \d+, opening \d+: a record that is lost/,
    files: (files) => ({ ...files, syncDirectory: () => Effect.void })
  },
  {
    name: "takes a torn end for a record",
    rejectedBy: "cuts a torn end and says so, once",
    because: /records behind a torn end: saw \["0 kept","1 torn"\]/,
    journal: (journal) =>
      journal.cut === undefined ? journal : {
        ...journal,
        replay: (from) =>
          Stream.concat(
            journal.replay(from),
            Stream.succeed<JournalRecords>({ first: 1, records: [bytesOf("torn")] })
          )
      }
  },
  {
    name: "lets two have it open",
    rejectedBy: "is open once at a time, and says so to who comes second",
    because: /a second opening: succeeded/,
    files: lockNothing
  },
  {
    name: "stays locked when it has ended",
    rejectedBy: "is open once at a time, and says so to who comes second",
    because: /is open already: .*this process holds it/,
    files: lockForEver
  },
  {
    name: "stays locked when its opening is interrupted",
    rejectedBy: "leaves its place free when its opening is interrupted at any step",
    because: /is open already: .*this process holds it/,
    files: lockLeaking
  },
  {
    name: "says nothing of what it cut",
    rejectedBy: "cuts a torn end and says so, once",
    because: /bytes that were cut: saw undefined, expected 17/,
    journal: (journal) => ({ ...journal, cut: undefined })
  }
]

/** Each breaks `FileJournal` on a slow disk in memory. */
export const journalMutants: ReadonlyArray<Mutant<JournalPlace>> = broken.map(({ files, journal, ...rest }) => ({
  ...rest,
  layer: memoryJournalPlace({
    ...(files === undefined ? {} : { files }),
    ...(journal === undefined ? {} : { journal })
  })
}))
