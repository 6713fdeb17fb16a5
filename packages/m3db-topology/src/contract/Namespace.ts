/** What a namespace of the cluster demands, as far as catching up needs it. (specs: peer streaming 4.5; bootstrappers 7) */

/** Durations in nanoseconds. */
export interface Namespace {
  readonly name: string
  /** Block starts are multiples of it since 1970. */
  readonly blockSizeNanos: bigint
  readonly retentionNanos: bigint
  readonly bufferPastNanos: bigint
  readonly bufferFutureNanos: bigint
  readonly futureRetentionNanos: bigint
  readonly indexEnabled: boolean
  /** The data's block size when the registry does not say. */
  readonly indexBlockSizeNanos: bigint
  readonly bootstrapEnabled: boolean
  readonly flushEnabled: boolean
  readonly snapshotEnabled: boolean
  readonly writesToCommitLog: boolean
  readonly coldWritesEnabled: boolean
  /** Values are protobuf, not M3TSZ: blocks can be copied as bytes, never merged. */
  readonly hasSchema: boolean
}
