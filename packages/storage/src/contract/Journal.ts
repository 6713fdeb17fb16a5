/** An append-only journal of records: durable when an append returns, replayed from the start after a restart. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import type { FileError } from "./FileSystem.ts"

/** Why a journal refused. */
export const JournalErrorReason = Schema.Literals(["too-large", "damaged", "dropped", "broken", "closed", "in-use"])
/** Why a journal refused. */
export type JournalErrorReason = typeof JournalErrorReason.Type

/**
 * `too-large`: a record or batch above the maximum; nothing was written. `damaged`: bytes before the tail do not hold, the message says which
 * file and offset. `dropped`: a replay from before the first record. `broken`: a sync failed, nobody knows what is durable; open the journal
 * anew. `closed`: its scope has ended. `in-use`: another journal has its directory open; the message says which process.
 */
export class JournalError extends Schema.TaggedError<JournalError>()("JournalError", {
  reason: JournalErrorReason,
  message: Schema.String
}) {}

/** Records that follow each other. */
export interface JournalRecords {
  /** Number of the first of them; the journal's very first record has number 0. */
  readonly first: number
  /** Each a view of bytes that are the reader's own. */
  readonly records: ReadonlyArray<Uint8Array>
}

/** The end that was cut at opening: what an append that never returned had left there. */
export interface JournalCut {
  readonly path: string
  /** Where the bytes that are ignored begin, from the start of the file. */
  readonly offset: number
  readonly bytes: number
  /** What does not hold there. */
  readonly because: string
}

/** Service: an append-only journal of records. */
export class Journal extends Context.Service<Journal, {
  /**
   * Appends a batch, whole or not at all, and returns the number of its first record once it is durable. Batches that wait together share one
   * sync, in the order of the calls. The records' bytes must not change until then. An interrupted caller whose batch is being written waits for it; one
   * whose batch still waits takes it back. A batch whose append failed may be there after the next opening.
   */
  append(records: ReadonlyArray<Uint8Array>): Effect.Effect<number, JournalError | FileError>
  /** The records from number `from` on (default: the first), up to those that are durable when it begins. */
  replay(from?: number): Stream.Stream<JournalRecords, JournalError | FileError>
  /** Forgets records below `record`, as far as whole segments hold no others. */
  dropBefore(record: number): Effect.Effect<void, JournalError | FileError>
  /** Number of the first record that is kept, and of the next that will be appended. */
  readonly bounds: Effect.Effect<{ readonly first: number; readonly next: number }>
  /** What opening found at the end, when it was not whole. */
  readonly cut: JournalCut | undefined
}>()("@peerstrap/storage/Journal") {}
