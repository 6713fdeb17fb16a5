/**
 * Keys and values in one SQLite file, over `node:sqlite`: one table without row ids, write-ahead log, a sync each commit. Batches that wait
 * together are one transaction. SQLite works in this thread: nothing else runs while it reads, commits or syncs.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { dirname } from "node:path"
import type { DatabaseSync, StatementSync } from "node:sqlite"
import {
  KeyValue,
  type KeyValueChange,
  type KeyValueEntry,
  KeyValueError,
  type KeyValueErrorReason,
  type KeyValuePage,
  type KeyValueScan
} from "../contract/KeyValue.ts"
import { Limits } from "../contract/Limits.ts"
import { compareKeys, keyAfterPrefix } from "../engine/KeyOrder.ts"
import { batchBytesOf, refuseChanges, refuseKeys, refuseScan } from "../engine/KeyValueRules.ts"
import { makeDirectoryAt } from "./DurableDirectory.ts"
import { makeGroupCommit } from "./GroupCommit.ts"

/** Where the store lies. */
export interface SqliteKeyValueOptions {
  /** The file; its directory is made. SQLite keeps `PATH-wal` beside it. One process at a time may have it open. */
  readonly path: string
}

/** "PSKV": tells a store from other SQLite files. */
const applicationId = 0x5053_4b56
const schemaVersion = 1

const reasonByCode = new Map<number, KeyValueErrorReason>([
  [5, "busy"],
  [6, "busy"],
  [11, "damaged"],
  [13, "no-space"],
  [26, "damaged"]
])

const advice: Partial<Record<KeyValueErrorReason, string>> = {
  busy: "; another process has it open",
  damaged: "; restore it or begin with an empty file",
  "no-space": "; free some space"
}

const errorOf = (path: string, cause: unknown): KeyValueError => {
  if (cause instanceof KeyValueError) return cause
  const code = typeof cause === "object" && cause !== null && "errcode" in cause ? Number(cause.errcode) & 255 : 0
  const reason = reasonByCode.get(code) ?? "io"
  const words = cause instanceof Error ? cause.message : String(cause)
  return new KeyValueError({ reason, message: `${path}: ${words}${advice[reason] ?? ""}` })
}

const numberOf = (database: DatabaseSync, sql: string): number =>
  Number(Object.values(database.prepare(sql).get() ?? {})[0])

const setUp = (database: DatabaseSync, path: string): void => {
  // Exclusive: a second process is told at once, and no shared memory is needed.
  database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
  const identity = numberOf(database, "PRAGMA application_id")
  const version = numberOf(database, "PRAGMA user_version")
  if (identity === 0 && numberOf(database, "SELECT count(*) FROM sqlite_schema") === 0) {
    database.exec(
      `BEGIN IMMEDIATE; CREATE TABLE entries (key BLOB PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
       PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${schemaVersion}; COMMIT`
    )
  } else if (identity !== applicationId || version !== schemaVersion) {
    const what = identity === applicationId ? `a store of version ${version}` : "no store of keys and values"
    throw new KeyValueError({ reason: "damaged", message: `${path}: this is ${what}; name another file` })
  } else database.exec("BEGIN IMMEDIATE; COMMIT")
}

class Store {
  private readonly database: DatabaseSync
  private readonly getOne: StatementSync
  private readonly put: StatementSync
  private readonly remove: StatementSync
  private readonly scanFrom: StatementSync
  private readonly scanBetween: StatementSync

  constructor(database: DatabaseSync) {
    this.database = database
    this.getOne = database.prepare("SELECT value FROM entries WHERE key = ?")
    this.put = database.prepare(
      "INSERT INTO entries VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
    )
    this.remove = database.prepare("DELETE FROM entries WHERE key = ?")
    this.scanFrom = database.prepare("SELECT key, value FROM entries WHERE key >= ? ORDER BY key")
    this.scanBetween = database.prepare("SELECT key, value FROM entries WHERE key >= ? AND key < ? ORDER BY key")
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.getOne.get(key)?.["value"] as Uint8Array | undefined
  }

  write(batches: ReadonlyArray<ReadonlyArray<KeyValueChange>>): void {
    this.database.exec("BEGIN IMMEDIATE")
    try {
      for (const { key, value } of batches.flat()) {
        if (value === undefined) this.remove.run(key)
        else this.put.run(key, value)
      }
      this.database.exec("COMMIT")
    } catch (cause) {
      if (this.database.isTransaction) this.database.exec("ROLLBACK")
      throw cause
    }
  }

  scan({ after, limit, prefix = new Uint8Array(0) }: KeyValueScan): KeyValuePage {
    const end = keyAfterPrefix(prefix)
    const isBehind = after !== undefined && compareKeys(after, prefix) >= 0
    const low = isBehind ? after : prefix
    const rows = end === undefined ? this.scanFrom.iterate(low) : this.scanBetween.iterate(low, end)
    const entries: Array<KeyValueEntry> = []
    let bytes = 0
    for (const row of rows) {
      const entry = row as unknown as KeyValueEntry
      if (isBehind && compareKeys(entry.key, after) === 0) continue
      bytes += entry.key.length + entry.value.length
      if (entries.length === limit || (entries.length > 0 && bytes > Limits.scanBytes)) {
        return { entries, isLast: false }
      }
      entries.push({ key: entry.key, value: entry.value })
    }
    return { entries, isLast: true }
  }
}

const openDatabase = ({ path }: SqliteKeyValueOptions) =>
  Effect.acquireRelease(
    Effect.tryPromise({
      try: async () => {
        await makeDirectoryAt(dirname(path))
        // Loaded here alone, so that nobody else pays for it.
        const { DatabaseSync } = await import("node:sqlite")
        const database = new DatabaseSync(path)
        try {
          setUp(database, path)
        } catch (cause) {
          database.close()
          throw cause
        }
        return database
      },
      catch: (cause) => errorOf(path, cause)
    }),
    (database) => Effect.sync(() => database.close())
  )

/** Opens a store; it ends with its scope, once writes under way are durable. */
export const open = Effect.fnUntraced(function*(options: SqliteKeyValueOptions) {
  const { path } = options
  const database = yield* openDatabase(options)
  const store = new Store(database)
  const attempt = <A>(step: () => A): Effect.Effect<A, KeyValueError> =>
    Effect.try({ try: step, catch: (cause) => errorOf(path, cause) })
  const closed = (): KeyValueError => new KeyValueError({ reason: "closed", message: `${path}: the store is closed` })
  const read = <A>(refusal: KeyValueError | undefined, step: () => A): Effect.Effect<A, KeyValueError> =>
    refusal !== undefined ? Effect.fail(refusal) : database.isOpen ? attempt(step) : Effect.fail(closed())
  const group = yield* makeGroupCommit<ReadonlyArray<KeyValueChange>, void, KeyValueError>({
    maxBytes: Limits.batchBytes,
    commit: (batches) => Effect.as(attempt(() => store.write(batches)), []),
    closed
  })
  return KeyValue.of({
    get: (keys) => Effect.suspend(() => read(refuseKeys(keys), () => keys.map((key) => store.get(key)))),
    write: (changes) =>
      Effect.suspend(() => {
        const refusal = refuseChanges(changes)
        return refusal === undefined ? group.submit(changes, batchBytesOf(changes)) : Effect.fail(refusal)
      }),
    scan: (request) => Effect.suspend(() => read(refuseScan(request), () => store.scan(request)))
  })
})

/** Provides the store in one file. */
export const layer = (options: SqliteKeyValueOptions): Layer.Layer<KeyValue, KeyValueError> =>
  Layer.effect(KeyValue, open(options))
