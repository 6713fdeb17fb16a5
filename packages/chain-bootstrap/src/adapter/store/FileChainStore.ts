/**
 * A chain store in a directory: `STORE` says whose chain it is, `blocks-….log` hold everything, `index.sqlite` finds it and can be made again from the
 * logs, `documents/` holds small texts. The bytes are told in `RecordCodec.ts` and `RecordPayloads.ts`.
 */
import { FileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { randomBytes } from "node:crypto"
import type { ChainRules } from "../../contract/ChainRules.ts"
import { ChainStore, type StoreDamage, StoreError, type StoreIdentity } from "../../contract/ChainStore.ts"
import { storeLimits } from "../../contract/StoreLimits.ts"
import type { DamageEntry } from "../../engine/store/IndexEntry.ts"
import { damageOf, type FileChainStore, FileStore, type OpenReport } from "./FileStore.ts"
import { groupCommit } from "./GroupCommit.ts"
import { groupWriter } from "./GroupWriter.ts"
import { fromFile, fromIndex, storeError } from "./StoreErrors.ts"
import { identifyStore } from "./StoreIdentityFile.ts"
import { type IndexIdentity, StoreIndex } from "./StoreIndex.ts"
import { listLogs, logName, StoreLog } from "./StoreLog.ts"
import { scanLogs, type ScanProgress } from "./StoreScan.ts"

export type { StoreDamage } from "../../contract/ChainStore.ts"
export type { FileChainStore, OpenReport } from "./FileStore.ts"
export type { ScanProgress } from "./StoreScan.ts"

type Files = (typeof FileSystem)["Service"]

/** Where the store lies, whose chain it is, and its bounds. */
export interface FileStoreOptions {
  readonly directory: string
  readonly rules: Pick<ChainRules, "idBytes" | "decodeHeader">
  /** What the store must hold; it is made when nothing is there. Undefined: whatever is there (tools). */
  readonly identity: StoreIdentity | undefined
  /**
   * `disk` (default): an SQLite file in the directory. `memory`: for file systems that are not the machine's own; it is made anew at each start.
   */
  readonly index?: "disk" | "memory"
  /** Called while the log is scanned. */
  readonly onScan?: (progress: ScanProgress) => void
  /** A log file is closed at this size. Default `storeLimits.fileBytes`. */
  readonly fileBytes?: number
  /** Binds records to this store; for tests. Default: random. */
  readonly salt?: number
}

const indexNames = ["index.sqlite", "index.sqlite-wal", "index.sqlite-shm", "index.sqlite-journal"]

const removeIndex = (files: Files, directory: string): Effect.Effect<void, StoreError> =>
  Effect.mapError(
    Effect.forEach(indexNames, (name) => files.remove(`${directory}/${name}`), { discard: true }),
    fromFile
  )

/** Whether the log still holds all that the index knows; else why not. */
const logIsShort = Effect.fnUntraced(function*(files: Files, directory: string, index: StoreIndex) {
  const { file, offset } = index.state
  const numbers = new Set(yield* listLogs(files, directory))
  const gone = new Set(index.damages().filter(({ length }) => length === 0).map((damage) => damage.file))
  for (let number = 1; number <= file; number++) {
    if (!numbers.has(number) && !gone.has(number)) return `${logName(number)} is missing`
  }
  if (file === 0) return undefined
  const { size } = yield* Effect.mapError(files.stat(`${directory}/${logName(file)}`), fromFile)
  return size < offset ? `${logName(file)} is shorter than the index knows` : undefined
})

interface OpenedIndex {
  readonly index: StoreIndex
  readonly rebuilt: string | undefined
}

const openOnDisk = Effect.fnUntraced(function*(files: Files, directory: string, identity: IndexIdentity) {
  const path = `${directory}/index.sqlite`
  const open = (check: "none" | "all"): Effect.Effect<StoreIndex, StoreError> =>
    Effect.try({ try: () => StoreIndex.open(path, identity, check), catch: (cause) => fromIndex(path, cause) })
  const anew = (rebuilt: string): Effect.Effect<OpenedIndex, StoreError> =>
    Effect.andThen(removeIndex(files, directory), Effect.map(open("none"), (index) => ({ index, rebuilt })))
  const size = yield* Effect.map(Effect.option(files.stat(path)), (info) => info._tag === "None" ? 0 : info.value.size)
  if (size === 0) return yield* anew("there is no index")
  const index = yield* Effect.catchIf(
    open(size <= storeLimits.indexCheckBytes ? "all" : "none"),
    ({ reason }) => reason === "damaged" || reason === "io",
    ({ message }) => Effect.succeed(message)
  )
  if (typeof index === "string") return yield* anew(index)
  const look = Effect.gen(function*() {
    const isSure = index.wasClosed || size <= storeLimits.indexCheckBytes
    const structure = isSure ? undefined : yield* Effect.try({
      try: () => index.structureProblem(),
      catch: (cause) => fromIndex(path, cause)
    })
    return structure ?? (yield* logIsShort(files, directory, index))
  })
  const problem = yield* Effect.catchIf(
    look,
    ({ reason }) => reason === "damaged",
    ({ message }) => Effect.succeed(message)
  )
  if (problem === undefined) return { index, rebuilt: undefined } satisfies OpenedIndex
  index.abandon()
  return yield* anew(problem)
})

const openIndex = (
  files: Files,
  options: FileStoreOptions,
  identity: IndexIdentity
): Effect.Effect<OpenedIndex, StoreError> =>
  options.index === "memory"
    ? Effect.sync(() => ({ index: StoreIndex.open(":memory:", identity, "none"), rebuilt: "it is kept in memory" }))
    : openOnDisk(files, options.directory, identity)

const lockStore = (files: Files, directory: string): Effect.Effect<void, StoreError, Scope.Scope> =>
  Effect.mapError(files.lock(`${directory}/lock`), (error) =>
    error.reason === "in-use"
      ? storeError("in-use", directory, `the store is in use: ${error.message}`)
      : fromFile(error))

const closeIndex = (index: StoreIndex): Effect.Effect<void> => Effect.ignore(Effect.try(() => index.close()))

/**
 * Opens the store of a directory, or makes it. The log is scanned from where the index ends; an index that is missing, damaged or ahead of the log is made
 * anew. Fails with `other-chain`, `in-use` and the reasons of files. Ends with the scope.
 */
export const open = Effect.fnUntraced(function*(options: FileStoreOptions) {
  const { directory, rules } = options
  const files = yield* FileSystem
  const isThere = yield* Effect.option(files.stat(directory))
  if (options.identity === undefined && isThere._tag === "None") {
    return yield* new StoreError({ reason: "not-found", path: directory, message: "there is no chain store here" })
  }
  yield* Effect.mapError(files.makeDirectory(`${directory}/documents`), fromFile)
  yield* Effect.mapError(files.syncDirectory(directory), fromFile)
  yield* lockStore(files, directory)
  const logs = (yield* listLogs(files, directory)).length > 0
  const salt = options.salt ?? randomBytes(4).readUInt32BE()
  const known = yield* identifyStore(files, directory, options.identity, { idBytes: rules.idBytes, salt, logs })
  const identity = { salt: known.salt, idBytes: known.idBytes, base: known.identity.base }
  const { index, rebuilt } = yield* Effect.acquireRelease(
    openIndex(files, options, identity),
    (opened) => closeIndex(opened.index)
  )
  const onProgress = options.onScan ?? (() => undefined)
  const scanOptions = { directory, salt: known.salt, idBytes: known.idBytes, onProgress }
  const { file, offset } = index.state
  const scan = yield* scanLogs({
    ...scanOptions,
    from: { file, offset },
    take: (entries, position) =>
      Effect.try({ try: () => index.take(entries, position), catch: (cause) => fromIndex(index.path, cause) })
  })
  yield* Effect.try({ try: () => index.markOpen(), catch: (cause) => fromIndex(index.path, cause) })
  const log = yield* StoreLog.make(
    {
      directory,
      salt: known.salt,
      idBytes: known.idBytes,
      fileBytes: options.fileBytes ?? storeLimits.fileBytes
    },
    scan.end,
    scan.last
  )
  const append = yield* groupCommit(groupWriter({ directory, identity: known.identity, index, log }))
  const toDamage = (damage: DamageEntry): StoreDamage => damageOf(directory, damage)
  const openReport: OpenReport = {
    rebuilt: rebuilt === undefined || scan.last === 0 ? undefined : rebuilt,
    bytesScanned: scan.bytes,
    torn: scan.torn === undefined ? undefined : toDamage({ ...scan.torn, what: "half-written, cut" }),
    damage: index.damages().map(toDamage),
    damages: index.state.damages
  }
  const parts = { files, directory, rules, identity: known.identity, index, log, openReport, append }
  return new FileStore(parts) as FileChainStore
})

/** Provides `ChainStore` from a directory. */
export const layer = (options: FileStoreOptions): Layer.Layer<ChainStore, StoreError, FileSystem> =>
  Layer.effect(ChainStore, open(options))
