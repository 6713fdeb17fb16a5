/**
 * Keys and values in memory whose changes are a journal's records. When the journal is large beside what lives, all that lives is appended anew and what
 * was before is dropped.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { decodeChange, encodeChange } from "../codec/KeyValueRecord.ts"
import type { FileError } from "../contract/FileSystem.ts"
import { Journal, type JournalError } from "../contract/Journal.ts"
import { KeyValue, type KeyValueChange, KeyValueError, type KeyValueErrorReason } from "../contract/KeyValue.ts"
import { Limits } from "../contract/Limits.ts"
import { batchBytesOf, refuseChanges, refuseKeys, refuseScan } from "../engine/KeyValueRules.ts"
import { SortedTable } from "../engine/SortedTable.ts"
import { makeGroupCommit } from "./GroupCommit.ts"

/** Bounds of the store, in bytes. */
export interface JournalKeyValueOptions {
  /** Keys and values, with 64 bytes each entry; default `Limits.memoryStoreBytes`. A batch beyond it fails with `no-space`. */
  readonly capacityBytes?: number
  /** Bytes of the journal from which on it may be written anew; default `Limits.compactionBytes`. Frees whole segments only. */
  readonly compactionBytes?: number
}

type Changes = ReadonlyArray<KeyValueChange>

const reasonOf = (error: JournalError | FileError): KeyValueErrorReason => {
  if (error._tag === "FileError") return error.reason === "no-space" ? "no-space" : "io"
  if (error.reason === "in-use") return "busy"
  return error.reason === "closed" || error.reason === "damaged" ? error.reason : "io"
}

const fromJournal = (error: JournalError | FileError): KeyValueError =>
  new KeyValueError({ reason: reasonOf(error), message: error.message })

interface State {
  readonly table: SortedTable
  /** What the journal holds since it was last written anew, as batches count. */
  journalBytes: number
  /** `journalBytes` below which it is not tried again. */
  tryFrom: number
}

const replayInto = (journal: Journal["Service"], state: State): Effect.Effect<void, KeyValueError> =>
  Stream.runForEach(
    Stream.mapError(journal.replay(), fromJournal),
    ({ first, records }) => {
      const changes: Array<KeyValueChange> = []
      for (const [i, record] of records.entries()) {
        const change = decodeChange(record)
        if (typeof change === "string") {
          const message = `record ${
            first + i
          } is no change of a store: ${change}; this journal belongs to something else`
          return Effect.fail(new KeyValueError({ reason: "damaged", message }))
        }
        changes.push(change)
      }
      state.table.apply(changes)
      state.journalBytes += batchBytesOf(changes)
      return Effect.void
    }
  )

/** Nothing else is written meanwhile. A crash in between leaves all that was there, and values that are the same twice. */
const compact = Effect.fnUntraced(function*(journal: Journal["Service"], { table }: State) {
  const { next } = yield* journal.bounds
  let after: Uint8Array | undefined
  for (;;) {
    const page = table.scan({ limit: Limits.scanEntries, ...(after === undefined ? {} : { after }) })
    // A page and its overhead are more than a frame holds: two halves are not.
    const middle = Math.ceil(page.entries.length / 2)
    for (const entries of [page.entries.slice(0, middle), page.entries.slice(middle)]) {
      yield* journal.append(entries.map(encodeChange))
    }
    after = page.entries.at(-1)?.key
    if (page.isLast) break
  }
  yield* journal.dropBefore(next)
})

const compactWhenLarge = (journal: Journal["Service"], state: State): Effect.Effect<void> => {
  if (state.journalBytes < state.tryFrom || state.journalBytes < 2 * state.table.bytes) return Effect.void
  return Effect.matchEffect(compact(journal, state), {
    onSuccess: () => Effect.sync(() => (state.journalBytes = state.table.bytes)),
    onFailure: (error) => {
      state.tryFrom += state.journalBytes
      return Effect.logWarning(`a store's journal could not be written anew, it grows on: ${error.message}`)
    }
  })
}

const closed = (): KeyValueError => new KeyValueError({ reason: "closed", message: "the store is closed" })

/** Reads the journal, which must hold changes of a store and nothing else. */
export const open = Effect.fnUntraced(function*(options: JournalKeyValueOptions = {}) {
  const { capacityBytes = Limits.memoryStoreBytes, compactionBytes = Limits.compactionBytes } = options
  const journal = yield* Journal
  const state: State = { table: new SortedTable(), journalBytes: 0, tryFrom: compactionBytes }
  const { table } = state
  yield* replayInto(journal, state)
  let isClosed = false
  yield* Effect.addFinalizer(() => Effect.sync(() => (isClosed = true)))

  /** Answers for each batch why it was not taken, if so. */
  const commit = Effect.fnUntraced(function*(batches: ReadonlyArray<Changes>) {
    let bytes = table.bytes
    const refusals = batches.map((batch) => {
      const wanted = bytes + table.bytesAfter(batch) - table.bytes
      if (wanted > capacityBytes && wanted > bytes) {
        return new KeyValueError({
          reason: "no-space",
          message: `${wanted} bytes wanted, ${capacityBytes} are the most`
        })
      }
      bytes = wanted
      return undefined
    })
    const taken = batches.filter((_, i) => refusals[i] === undefined).flat()
    yield* Effect.mapError(journal.append(taken.map(encodeChange)), fromJournal)
    table.apply(taken)
    state.journalBytes += batchBytesOf(taken)
    yield* compactWhenLarge(journal, state)
    return refusals
  })

  const group = yield* makeGroupCommit({ maxBytes: Limits.batchBytes, commit, closed })
  const read = <A>(refusal: KeyValueError | undefined, answer: () => A): Effect.Effect<A, KeyValueError> =>
    refusal !== undefined ? Effect.fail(refusal) : isClosed ? Effect.fail(closed()) : Effect.sync(answer)
  return KeyValue.of({
    get: (keys) => Effect.suspend(() => read(refuseKeys(keys), () => keys.map((key) => table.get(key)))),
    write: (changes) =>
      Effect.suspend(() => {
        const refusal = refuseChanges(changes)
        if (refusal !== undefined) return Effect.fail(refusal)
        return Effect.flatMap(
          group.submit(changes, batchBytesOf(changes)),
          (refused) => refused === undefined ? Effect.void : Effect.fail(refused)
        )
      }),
    scan: (request) => Effect.suspend(() => read(refuseScan(request), () => table.scan(request)))
  })
})

/** Provides a store over a journal of its own. */
export const layer = (options: JournalKeyValueOptions = {}): Layer.Layer<KeyValue, KeyValueError, Journal> =>
  Layer.effect(KeyValue, open(options))
