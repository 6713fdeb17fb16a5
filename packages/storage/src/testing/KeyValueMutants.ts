/** Stores that are wrong in one way each; the kit must reject every one. */
import type { Mutant } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import type { FileSystem } from "../contract/FileSystem.ts"
import type { KeyValue, KeyValueEntry, KeyValueError, KeyValuePage, KeyValueScan } from "../contract/KeyValue.ts"
import { journalKeyValuePlace, type KeyValuePlace } from "./KeyValuePlace.ts"

type Files = (typeof FileSystem)["Service"]
type Service = (typeof KeyValue)["Service"]

interface Broken {
  readonly name: string
  readonly rejectedBy: string
  readonly because: RegExp | "hangs"
  readonly store?: (store: Service) => Service
  readonly files?: (files: Files) => Files
}

const inWrite = (change: (write: Service["write"]) => Service["write"]) => (store: Service): Service => ({
  ...store,
  write: change(store.write)
})

const inScan = (change: (scan: Service["scan"]) => Service["scan"]) => (store: Service): Service => ({
  ...store,
  scan: change(store.scan)
})

const isClosed = ({ reason }: KeyValueError): boolean => reason === "closed"

/** As many entries as asked for, however large they are. */
const wholePage = Effect.fnUntraced(function*(scan: Service["scan"], request: KeyValueScan) {
  const entries: Array<KeyValueEntry> = []
  for (;;) {
    const after = entries.at(-1)?.key ?? request.after
    const limit = request.limit - entries.length
    const page: KeyValuePage = yield* scan({ ...request, limit, ...(after === undefined ? {} : { after }) })
    entries.push(...page.entries)
    if (page.isLast || entries.length === request.limit) return { entries, isLast: page.isLast }
  }
})

const broken: ReadonlyArray<Broken> = [
  {
    name: "takes an empty value for none",
    rejectedBy: "gives back what was written, in the order of the keys asked for",
    because: /values: saw \["3",undefined,undefined,"1","3"\]/,
    store: (store) => ({
      ...store,
      get: (keys) =>
        Effect.map(store.get(keys), (values) => values.map((value) => value?.length === 0 ? undefined : value))
    })
  },
  {
    name: "lets the first change of a key count",
    rejectedBy: "makes the changes of a batch in order: the last of one key counts",
    because: /values: saw \["1",undefined,"1",undefined\]/,
    store: inWrite((write) => (changes) => write(changes.toReversed()))
  },
  {
    name: "never forgets a key",
    rejectedBy: "makes the changes of a batch in order: the last of one key counts",
    because: /values: saw \["1","2","1",/,
    store: inWrite((write) => (changes) => write(changes.filter(({ value }) => value !== undefined)))
  },
  {
    name: "gives the key again after which it shall go on",
    rejectedBy: "scans in the order of the keys' bytes, by prefix, from a key on, as many as asked",
    because: /by prefix a, after abc: saw .*"abc="/,
    store: inScan((scan) => (request) =>
      scan(request.after === undefined ? request : { ...request, after: request.after.subarray(0, -1) })
    )
  },
  {
    name: "says that a page is the last when it is full",
    rejectedBy: "scans in the order of the keys' bytes, by prefix, from a key on, as many as asked",
    because: /by prefix ab, two: saw .*"isLast":true/,
    store: inScan((scan) => (request) => Effect.map(scan(request), (page) => ({ ...page, isLast: true })))
  },
  {
    name: "ignores the prefix",
    rejectedBy: "scans in the order of the keys' bytes, by prefix, from a key on, as many as asked",
    because: /by prefix ab: saw .*"B="/,
    store: inScan((scan) => (request) => scan({ ...request, prefix: new Uint8Array(0) }))
  },
  {
    name: "gives all callers the same bytes",
    rejectedBy: "neither keeps nor gives away bytes that others may change",
    because: /value: saw \["\\u0000/,
    store: (store) => {
      let known: ReadonlyArray<Uint8Array | undefined> | undefined
      return {
        ...store,
        get: (keys) =>
          Effect.map(known === undefined ? store.get(keys) : Effect.succeed(known), (values) => known = values)
      }
    }
  },
  {
    name: "lets every second batch overtake",
    rejectedBy: "makes concurrent batches in the order of the calls",
    because: /values: saw \["28"/,
    store: inWrite((write) => {
      let calls = 0
      return (changes) =>
        Effect.suspend(() => calls++ % 2 === 0 ? Effect.andThen(Effect.yieldNow, write(changes)) : write(changes))
    })
  },
  {
    name: "writes a batch up to what is too large",
    rejectedBy: "takes keys and values of the maximum, and nothing of a batch with a larger one",
    because: /what a refused batch left: saw \["1"/,
    store: inWrite((write) => (changes) =>
      Effect.tapError(
        write(changes),
        ({ reason }) => reason === "too-large" ? Effect.ignore(write(changes.slice(0, 1))) : Effect.void
      )
    )
  },
  {
    name: "cuts off what is too large",
    rejectedBy: "takes keys and values of the maximum, and nothing of a batch with a larger one",
    because: /a value above the maximum: succeeded/,
    store: inWrite((write) => (changes) =>
      write(changes.map(({ key, value }) => ({ key, value: value?.subarray(0, 1_048_576) })))
    )
  },
  {
    name: "gives pages of any size",
    rejectedBy: "bounds the bytes of a page, and goes on behind it",
    because: /a page has at most 4194304 bytes, saw 6\d+/,
    store: inScan((scan) => (request) => wholePage(scan, request))
  },
  {
    name: "writes a batch change by change",
    rejectedBy: "a write that is interrupted, at each step, is whole or not there",
    because: /different values at step \d+: saw [23], expected 1/,
    store: inWrite((write) => (changes) =>
      Effect.andThen(write([]), Effect.forEach(changes, (change) => write([change]), { discard: true }))
    )
  },
  {
    name: "takes writes after its end",
    rejectedBy: "refuses what comes after its end, and ends with what came before done",
    because: /a write after the end: succeeded/,
    store: inWrite((write) => (changes) => Effect.catchIf(write(changes), isClosed, () => Effect.void))
  },
  {
    name: "loses the last of many changes",
    rejectedBy: "any history leaves what it says",
    because: /^seed \d+: entries by prefix/,
    store: inWrite((write) => (changes) => write(changes.length === 5 ? changes.slice(0, 4) : changes))
  },
  {
    name: "begins empty at each opening",
    rejectedBy: "keeps everything from one opening to the next",
    because: /^seed 2, at its opening: /,
    files: (files) => ({ ...files, list: () => Effect.succeed([]) })
  },
  {
    name: "forgets to sync",
    rejectedBy: "any history of writes and power cuts keeps what was durable, in whole batches",
    because: /^seed \d+: entries after a power cut/,
    files: (files) => ({
      ...files,
      create: (path, options) => Effect.map(files.create(path, options), (file) => ({ ...file, sync: Effect.void }))
    })
  },
  {
    name: "leaks the files that it reads at its opening",
    rejectedBy: "leaves no file open at its end, nor when its opening is interrupted at any step",
    because: /open files (at the end|after opening step \d+): saw \d+, expected 0/,
    files: (files) => ({
      ...files,
      openRead: (path) => Effect.map(files.openRead(path), (file) => ({ ...file, close: Effect.void }))
    })
  }
]

/** Each breaks `JournalKeyValue` on a slow disk in memory. */
export const keyValueMutants: ReadonlyArray<Mutant<KeyValuePlace>> = broken.map(({ files, store, ...rest }) => ({
  ...rest,
  layer: journalKeyValuePlace(store, files)
}))
