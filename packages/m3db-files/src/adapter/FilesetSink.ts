/** The block sink that writes M3DB filesets: one fileset a block, published by `commit`. */
import { type BlockBatch, type BlockKey, BlockSink, SinkError } from "@peerstrap/m3db-bootstrap"
import { FileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Semaphore from "effect/Semaphore"
import type { FilesetError } from "../contract/errors.ts"
import { Limits } from "../contract/Limits.ts"
import { shardDirectory } from "../engine/FilesetName.ts"
import type { Files } from "./Directory.ts"
import { fault } from "./Faults.ts"
import { FilesetWriter } from "./FilesetWriter.ts"

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

/** One block. The lock keeps writes, commit and abort of a block in the order in which they were called. */
interface OpenBlock {
  readonly lock: Semaphore.Semaphore
  writer: FilesetWriter | undefined
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

  /** Runs `use` alone on the block, and forgets the block when nobody uses it and nothing is open. */
  private exclusive<A, E>(key: BlockKey, use: (block: OpenBlock) => Effect.Effect<A, E>): Effect.Effect<A, E> {
    return Effect.suspend(() => {
      const name = `${key.shard}/${key.blockStart}`
      const block = this.blocks.get(name) ?? { lock: Semaphore.makeUnsafe(1), writer: undefined, users: 0 }
      this.blocks.set(name, block)
      block.users++
      return Effect.ensuring(
        block.lock.withPermit(Effect.suspend(() => use(block))),
        Effect.sync(() => {
          block.users--
          if (block.users === 0 && block.writer === undefined) this.blocks.delete(name)
        })
      )
    })
  }

  private open(key: BlockKey, block: OpenBlock): Effect.Effect<FilesetWriter, FilesetError> {
    if (block.writer !== undefined) return Effect.succeed(block.writer)
    const { blockSize, maxOpenBlocks = Limits.maxOpenBlocks, namespace, overwrite = false, prefix } = this.options
    if (this.writers >= maxOpenBlocks) {
      const path = shardDirectory(prefix, namespace, key.shard)
      const message = `${this.writers} blocks are open, block ${key.blockStart} would be one more`
      return Effect.fail(fault("too-many-open", path, message, "commit blocks earlier, or raise maxOpenBlocks"))
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
    return Effect.mapError(
      this.exclusive(
        batch.key,
        (block) => Effect.flatMap(this.open(batch.key, block), (writer) => writer.write(batch))
      ),
      toSinkError
    )
  }

  commit(key: BlockKey): Effect.Effect<void, SinkError> {
    return Effect.mapError(
      this.exclusive(key, (block) =>
        Effect.ensuring(
          Effect.flatMap(this.open(key, block), (writer) => Effect.asVoid(writer.finish)),
          // A commit that fails has aborted: a writer that could not even begin to finish is aborted here.
          Effect.suspend(() => {
            const abort = block.writer?.abort ?? Effect.void
            this.release(block)
            return abort
          })
        )),
      toSinkError
    )
  }

  abort(key: BlockKey): Effect.Effect<void> {
    return this.exclusive(key, (block) =>
      Effect.uninterruptible(Effect.suspend(() => {
        const abort = block.writer?.abort ?? Effect.void
        this.release(block)
        return abort
      })))
  }

  readonly abortAll: Effect.Effect<void> = Effect.suspend(() =>
    Effect.forEach([...this.blocks.values()], (block) => block.writer?.abort ?? Effect.void, { discard: true })
  )
}

/**
 * A `BlockSink` over filesets of volume 0 below `<prefix>/data/<namespace>`. Blocks that are open when the scope closes are
 * aborted. Its file descriptors: one for each open block, and two for each commit under way.
 */
export const layer = (options: FilesetSinkOptions): Layer.Layer<BlockSink, never, FileSystem> =>
  Layer.effect(
    BlockSink,
    Effect.gen(function*() {
      const fs = yield* FileSystem
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
