/** Brings the index up to what the log files say: from where it ends, or from the beginning. Damage is noted and passed, never cut. */
import { type File, FileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import type { StoreError } from "../../contract/ChainStore.ts"
import { storeLimits } from "../../contract/StoreLimits.ts"
import { type DamageEntry, type IndexEntry, LogReading } from "../../engine/store/IndexEntry.ts"
import { headBytes, readRecord, recordKinds } from "../../engine/store/RecordCodec.ts"
import { readBeginPayload } from "../../engine/store/RecordPayloads.ts"
import { fromFile, storeError } from "./StoreErrors.ts"
import { listLogs, type LogEnd, logName } from "./StoreLog.ts"

/** How far the logs have been read, in bytes. */
export interface ScanProgress {
  readonly bytesDone: number
  readonly bytesTotal: number
}

export interface ScanOptions {
  readonly directory: string
  readonly salt: number
  readonly idBytes: number
  /** Where to begin. */
  readonly from: LogEnd
  /** Entries of a stretch of the log, in order, and where it ends. */
  readonly take: (entries: ReadonlyArray<IndexEntry>, position: LogEnd) => Effect.Effect<void, StoreError>
  readonly onProgress: (progress: ScanProgress) => void
}

export interface ScanResult {
  readonly end: LogEnd
  /** Highest number of a log file. */
  readonly last: number
  readonly bytes: number
  /** What was left of a write that never ended. */
  readonly torn: DamageEntry | undefined
}

interface LogFile {
  readonly number: number
  readonly file: File
  readonly size: number
  /** What the file's first record says about the one before. */
  readonly begin: { readonly previousFile: number; readonly previousEnd: number } | undefined
}

const beginBytes = headBytes + 12

const openLog = Effect.fnUntraced(function*(options: ScanOptions, number: number) {
  const files = yield* FileSystem
  const path = `${options.directory}/${logName(number)}`
  const file = yield* Effect.acquireRelease(files.openRead(path), (file) => Effect.ignore(file.close))
  const record = readRecord(yield* file.read(0, beginBytes), { salt: options.salt, file: number, offset: 0 })
  const begin = record?.kind === recordKinds.begin ? readBeginPayload(record.payload) : undefined
  return { number, file, size: yield* file.size, begin } satisfies LogFile
}, Effect.mapError(fromFile))

const scanFile = Effect.fnUntraced(function*(
  options: ScanOptions,
  log: LogFile,
  from: number,
  end: number,
  isLast: boolean,
  onBytes: (bytes: number) => void
) {
  const { number: file } = log
  const reading = new LogReading({ salt: options.salt, file, end }, from, options.idBytes)
  while (!reading.scan.done) {
    const before = reading.scan.position
    const wanted = Math.min(reading.scan.wanted, end - before)
    const bytes = yield* Effect.mapError(log.file.read(before, wanted), fromFile)
    if (bytes.length < wanted) {
      return yield* storeError("io", log.file.path, `${bytes.length} of ${wanted} bytes read at offset ${before}`)
    }
    reading.window(bytes)
    onBytes(reading.scan.position - before)
    if (reading.scan.done && !isLast) reading.closeTail()
    yield* options.take(reading.entries, { file, offset: reading.settled })
    reading.entries = []
  }
  return reading
})

const missing = (file: number): IndexEntry => ({
  kind: "damage",
  damage: { file, offset: 0, length: 0, kind: 0, what: "the whole file is missing" }
})

/** Scans all files from a position on. */
export const scanLogs = Effect.fnUntraced(function*(options: ScanOptions) {
  const files = yield* FileSystem
  const numbers = (yield* listLogs(files, options.directory)).filter((number) => number >= options.from.file)
  const last = numbers.at(-1) ?? options.from.file
  const sizes = yield* Effect.forEach(
    numbers,
    (number) => Effect.mapError(files.stat(`${options.directory}/${logName(number)}`), fromFile)
  )
  const bytesTotal = sizes.reduce((sum, { size }) => sum + size, 0) - options.from.offset
  let bytesDone = 0
  let position = options.from
  let torn: DamageEntry | undefined
  const onBytes = (bytes: number): void => options.onProgress({ bytesDone: bytesDone += bytes, bytesTotal })
  for (const [i, number] of numbers.entries()) {
    const gap = Array.from(
      { length: number - Math.max(position.file + 1, 1) },
      (_, at) => missing(position.file + 1 + at)
    )
    if (gap.length > 0 && number > position.file) yield* options.take(gap, { file: number, offset: 0 })
    const next = numbers[i + 1]
    const from = number === options.from.file ? options.from.offset : 0
    const scanned = yield* Effect.scoped(Effect.gen(function*() {
      const log = yield* openLog(options, number)
      const following = next === undefined ? undefined : (yield* openLog(options, next)).begin
      const said = following?.previousFile === number ? following.previousEnd : log.size
      const end = Math.max(from, Math.min(said, log.size))
      const reading = yield* scanFile(options, log, from, end, next === undefined, onBytes)
      if (said > log.size) {
        const what = "the file ends too early"
        const damage = { file: number, offset: log.size, length: said - log.size, kind: 0, what }
        yield* options.take([{ kind: "damage", damage }], { file: number, offset: reading.settled })
      }
      return reading
    }))
    position = { file: number, offset: scanned.settled }
    torn = scanned.tail
  }
  return { end: position, last, bytes: bytesDone, torn } satisfies ScanResult
})

/** A scan that keeps nothing: the damage of all log files. */
export const checkLogFiles = (
  options: Omit<ScanOptions, "from" | "take">
): Effect.Effect<ReadonlyArray<DamageEntry>, StoreError, FileSystem> => {
  const found: Array<DamageEntry> = []
  const take = (entries: ReadonlyArray<IndexEntry>): Effect.Effect<void> =>
    Effect.sync(() => {
      for (const entry of entries) {
        if (entry.kind === "damage" && found.length < storeLimits.damages) found.push(entry.damage)
      }
    })
  return Effect.map(
    scanLogs({ ...options, from: { file: 0, offset: 0 }, take }),
    ({ torn }) => torn === undefined ? found : [...found, { ...torn, what: "half-written end" }]
  )
}
