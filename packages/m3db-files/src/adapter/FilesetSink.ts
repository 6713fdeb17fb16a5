/** The block sink that writes M3DB filesets: one fileset a block, published by `commit`. */
import { type BlockBatch, type BlockKey, BlockSink, SinkError } from "@peerstrap/m3db-bootstrap"
import { FileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { FilesetError } from "../contract/errors.ts"
import { Limits } from "../contract/Limits.ts"
import { isNamespaceName, shardDirectory } from "../engine/FilesetName.ts"
import type { Files } from "./Directory.ts"
import { fault, fromFile } from "./Faults.ts"
import { FilesetWriter } from "./FilesetWriter.ts"

/** Where filesets go, and what becomes of those that are there. */
export interface FilesetSinkOptions {
  readonly prefix: string
  readonly namespace: string
  /** ns. */
  readonly blockSize: bigint
  /** Replace complete filesets of volume 0. Default false: they are refused with reason `exists`. */
  readonly overwrite?: boolean
  /** Blocks written to at once; each holds one file descriptor. More are refused. Default `Limits.maxOpenBlocks`. */
  readonly maxOpenBlocks?: number
}

const reasons: Partial<Record<FilesetError["reason"], SinkError["reason"]>> = {
  "no-space": "no-space",
  "read-only": "read-only",
  "permission": "permission",
  "exists": "exists",
  "newer-volume": "exists",
  "duplicate-id": "duplicate-id"
}

const toSinkError = (error: FilesetError): SinkError =>
  new SinkError({
    subject: error.path,
    reason: reasons[error.reason] ?? "io",
    message: error.message,
    remedy: error.remedy
  })

/**
 * One block. The lock keeps its writes, commit and abort in the order in which they were called. What fails once stays failed
 * until an abort: a commit after a lost batch would publish a block with a hole.
 */
interface OpenBlock {
  readonly lock: Semaphore.Semaphore
  writer: FilesetWriter | undefined
  failure: FilesetError | undefined
  users: number
}

class OpenBlocks {
  private readonly fs: Files
  private readonly options: FilesetSinkOptions
  private readonly blocks = new Map<string, OpenBlock>()
  private writers = 0

  constructor(fs: Files, options: FilesetSinkOptions) {
    this.fs = fs
    this.options = options
  }

  /** Runs `use` alone on the block, and forgets the block when nobody uses it and nothing is left of it. */
  private locked<A, E>(key: BlockKey, use: (block: OpenBlock) => Effect.Effect<A, E>): Effect.Effect<A, E> {
    return Effect.suspend(() => {
      const name = `${key.shard}/${key.blockStart}`
      const block = this.blocks.get(name) ??
        { lock: Semaphore.makeUnsafe(1), writer: undefined, failure: undefined, users: 0 }
      this.blocks.set(name, block)
      block.users++
      return Effect.ensuring(
        use(block),
        Effect.sync(() => {
          block.users--
          const idle = block.users === 0 && block.writer === undefined && block.failure === undefined
          if (idle) this.blocks.delete(name)
        })
      )
    })
  }

  /** As `locked`, for work that must not go on after a failure, its own included. */
  private unlessFailed<A>(
    key: BlockKey,
    use: (block: OpenBlock) => Effect.Effect<A, FilesetError>
  ): Effect.Effect<A, SinkError> {
    const { namespace, prefix } = this.options
    const interrupted = (): FilesetError =>
      fault(
        "closed",
        shardDirectory(prefix, namespace, key.shard),
        `work on block ${key.blockStart} was interrupted`,
        "abort the block and write it again"
      )
    const attempt = this.locked(key, (block) =>
      block.lock.withPermit(
        Effect.suspend(() => block.failure === undefined ? use(block) : Effect.fail(block.failure))
      ).pipe(
        Effect.tapError((error) => Effect.sync(() => block.failure ??= error)),
        Effect.onInterrupt(() => Effect.sync(() => block.failure ??= interrupted()))
      ))
    return Effect.mapError(attempt, toSinkError)
  }

  private open(key: BlockKey, block: OpenBlock): Effect.Effect<FilesetWriter, FilesetError> {
    if (block.writer !== undefined) return Effect.succeed(block.writer)
    const { blockSize, maxOpenBlocks = Limits.maxOpenBlocks, namespace, overwrite = false, prefix } = this.options
    if (this.writers >= maxOpenBlocks) {
      const path = shardDirectory(prefix, namespace, key.shard)
      const message = `${this.writers} blocks are open, block ${key.blockStart} would be one more`
      return Effect.fail(
        fault("too-many-open", path, message, "abort this block, commit others first, or raise maxOpenBlocks")
      )
    }
    this.writers++
    return Effect.uninterruptible(
      FilesetWriter.openUnscoped(this.fs, { prefix, namespace, blockSize, overwrite, ...key }).pipe(
        Effect.tap((writer) => Effect.sync(() => block.writer = writer)),
        Effect.tapError(() => Effect.sync(() => this.writers--))
      )
    )
  }

  private release(block: OpenBlock): void {
    if (block.writer === undefined) return
    block.writer = undefined
    this.writers--
  }

  write(batch: BlockBatch): Effect.Effect<void, SinkError> {
    return this.unlessFailed(
      batch.key,
      (block) => Effect.flatMap(this.open(batch.key, block), (writer) => writer.write(batch))
    )
  }

  commit(key: BlockKey): Effect.Effect<void, SinkError> {
    return this.unlessFailed(
      key,
      (block) =>
        Effect.flatMap(
          this.open(key, block),
          (writer) => Effect.ensuring(Effect.asVoid(writer.finish), Effect.sync(() => this.release(block)))
        )
    )
  }

  abort(key: BlockKey): Effect.Effect<void> {
    return this.locked(key, (block) =>
      block.lock.withPermit(Effect.uninterruptible(Effect.suspend(() => {
        const abort = block.writer?.abort ?? Effect.void
        this.release(block)
        block.failure = undefined
        return abort
      }))))
  }

  readonly abortAll: Effect.Effect<void> = Effect.suspend(() =>
    Effect.forEach([...this.blocks.values()], (block) => block.writer?.abort ?? Effect.void, { discard: true })
  )
}

/**
 * Two that write the same namespace would take each other's unfinished files away. The lock's files stand beside `data`, where a node looks for nothing:
 * below it every name is a namespace or a shard. Its own lock there is `.lock`, of another kind.
 */
const lockNamespace = (
  fs: Files,
  { namespace, prefix }: FilesetSinkOptions
): Effect.Effect<void, SinkError, Scope.Scope> => {
  if (!isNamespaceName(namespace)) {
    const message = `"${namespace}" is no name of a namespace`
    return Effect.fail(toSinkError(fault("invalid-argument", prefix, message, "correct the namespace")))
  }
  return Effect.mapError(fs.lock(`${prefix}/peerstrap-lock-${namespace}`), (error) =>
    error.reason === "in-use"
      ? new SinkError({
        subject: prefix,
        reason: "refused",
        message: `filesets of namespace ${namespace} are being written into ${prefix} by another run: ${error.message}`,
        remedy: "wait for the end of that run or stop it, or write into another directory"
      })
      : toSinkError(fromFile(error)))
}

/**
 * A `BlockSink` over filesets of volume 0 below `<prefix>/data/<namespace>`, the only one of this namespace there: another one's layer fails with reason
 * `refused` until the scope closes, in this process and others. Blocks that are open when the scope closes are
 * aborted. Its file descriptors: one for each open block, and two for each commit under way. A block of which a write or the
 * commit has failed (or was interrupted) fails all further calls until `abort`.
 */
export const layer = (options: FilesetSinkOptions): Layer.Layer<BlockSink, SinkError, FileSystem> =>
  Layer.effect(
    BlockSink,
    Effect.gen(function*() {
      const fs = yield* FileSystem
      yield* lockNamespace(fs, options)
      const blocks = yield* Effect.acquireRelease(
        Effect.sync(() => new OpenBlocks(fs, options)),
        (open) => open.abortAll
      )
      return BlockSink.of({
        write: (batch) => blocks.write(batch),
        commit: (key) => blocks.commit(key),
        abort: (key) => blocks.abort(key)
      })
    })
  )
