/** Keys and values in the order of the keys' bytes: atomic durable batches, scans by prefix. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** Why a key-value store refused. */
export const KeyValueErrorReason = Schema.Literals(["too-large", "no-space", "busy", "damaged", "closed", "io"])
/** Why a key-value store refused. */
export type KeyValueErrorReason = typeof KeyValueErrorReason.Type

/**
 * `too-large`: a key without bytes, or a key, value, batch, `get` or `limit` beyond what `Limits` allows; nothing was written. `busy`: another process
 * has it open. `damaged`: this is no store, or one that does not hold. `closed`: its scope has ended. `io`: the system reports a failed operation.
 */
export class KeyValueError extends Schema.TaggedError<KeyValueError>()("KeyValueError", {
  reason: KeyValueErrorReason,
  message: Schema.String
}) {}

/** A key gets a value, or loses it (`undefined`). */
export interface KeyValueChange {
  /** 1 to `Limits.keyBytes` (1,024) bytes. */
  readonly key: Uint8Array
  /** 0 to `Limits.valueBytes` (1 MiB) bytes. */
  readonly value: Uint8Array | undefined
}

/** A key with its value, as bytes. */
export interface KeyValueEntry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** Which entries are wanted. */
export interface KeyValueScan {
  /** Keys that begin so; default: all. */
  readonly prefix?: Uint8Array
  /** Keys after this one: the last key of the page before. */
  readonly after?: Uint8Array
  /** Entries wanted at most, 1 to `Limits.scanEntries` (4,096). */
  readonly limit: number
}

/** Entries of a scan, a bounded number at a time. */
export interface KeyValuePage {
  /** In ascending order of the keys' bytes; keys and values together have at most `Limits.scanBytes` (4 MiB). */
  readonly entries: ReadonlyArray<KeyValueEntry>
  /** Nothing follows. A page may be shorter than asked and not be the last. */
  readonly isLast: boolean
}

/** Service: keys and values, ordered by the keys' bytes. What is beyond `Limits` of this package is refused with `too-large`. */
export class KeyValue extends Context.Service<KeyValue, {
  /**
   * The value of each key in the order of the keys, `undefined` where there is none; at most `Limits.getKeys` (65,536) keys. What it returns is the
   * caller's.
   */
  get(keys: ReadonlyArray<Uint8Array>): Effect.Effect<ReadonlyArray<Uint8Array | undefined>, KeyValueError>
  /**
   * Makes all changes or none, at most `Limits.batchChanges` (65,536) of them, whose keys and values with 8 bytes each change have at most
   * `Limits.batchBytes` (4 MiB); durable and visible once it returns, in the order of the calls. Of changes to one key the last counts. The bytes must not
   * change until then. An interrupted caller waits for a batch that is being written, and takes back one that still waits.
   */
  write(changes: ReadonlyArray<KeyValueChange>): Effect.Effect<void, KeyValueError>
  /** One page of entries, of one moment. */
  scan(request: KeyValueScan): Effect.Effect<KeyValuePage, KeyValueError>
}>()("@peerstrap/storage/KeyValue") {}
