/**
 * A block sink in memory that can lose its power: the plain reference of the suite, a sink for tests of what stands before it,
 * and the body of the mutants. A store has two faces: what readers see, and what a power cut would leave.
 */
import { showId, toHex } from "@peerstrap/m3db-wire"
import * as Effect from "effect/Effect"
import { type BlockBatch, type BlockKey, type BlockSink, SinkError } from "../contract/BlockSink.ts"
import type { BlockSinkSubject, PublishedSeries } from "./BlockSinkSuite.ts"

/** One fault each. */
export const blockSinkFaults = [
  "publishes on abort",
  "commits before the data is durable",
  "swallows duplicate ids",
  "shows batches before the commit",
  "forgets blocks that were never written",
  "keeps series without bytes",
  "keeps aborted batches for the next attempt",
  "keeps only the first piece",
  "drops tags",
  "replaces published blocks",
  "keeps the last batch only",
  "keeps the caller's buffers",
  "mixes shards of one block start",
  "leaves files of aborted blocks",
  "forgets a failed commit",
  "loses a committed block with the power",
  "leaves a mark where an abort had nothing to drop",
  "publishes open blocks after a power cut"
] as const
export type BlockSinkFault = typeof blockSinkFaults[number]

interface Pending {
  readonly rows: Array<PublishedSeries>
}

const join = (pieces: ReadonlyArray<Uint8Array>): Uint8Array => {
  const out = new Uint8Array(pieces.reduce((total, piece) => total + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    out.set(piece, at)
    at += piece.length
  }
  return out
}

const refusal = (key: BlockKey, reason: SinkError["reason"], message: string): SinkError =>
  new SinkError({
    subject: `block ${key.shard}/${key.blockStart}`,
    reason,
    message,
    remedy: "commit each block once, each id once"
  })

class MemoryBlocks {
  private readonly fault: BlockSinkFault | undefined
  private readonly pending = new Map<string, Pending>()
  private visible = new Map<string, ReadonlyArray<PublishedSeries>>()
  private readonly durable = new Map<string, ReadonlyArray<PublishedSeries>>()
  private readonly leftovers = new Set<string>()

  constructor(fault: BlockSinkFault | undefined) {
    this.fault = fault
  }

  private name(key: BlockKey): string {
    return this.fault === "mixes shards of one block start" ? `${key.blockStart}` : `${key.shard}/${key.blockStart}`
  }

  published(key: BlockKey): ReadonlyArray<PublishedSeries> | undefined {
    return this.visible.get(this.name(key))
  }

  residue(key: BlockKey): boolean {
    return this.pending.has(this.name(key)) || this.leftovers.has(this.name(key))
  }

  cutPower(): void {
    this.visible = new Map(this.durable)
    if (this.fault === "publishes open blocks after a power cut") {
      for (const [name, { rows }] of this.pending) this.visible.set(name, rows)
    }
    this.pending.clear()
  }

  write(batch: BlockBatch): SinkError | undefined {
    const { fault } = this
    const name = this.name(batch.key)
    if (this.visible.has(name) && !this.pending.has(name) && fault !== "replaces published blocks") {
      if (fault !== "shows batches before the commit") return refusal(batch.key, "exists", "the block is published")
    }
    const rows = fault === "keeps the last batch only" ? [] : this.pending.get(name)?.rows ?? []
    this.pending.set(name, { rows })
    for (let i = 0; i < batch.count; i++) {
      const pieces = fault === "keeps only the first piece" ? batch.data[i]!.slice(0, 1) : batch.data[i]!
      const shared = fault === "keeps the caller's buffers"
      const bytes = shared && pieces.length === 1 ? pieces[0]! : join(pieces)
      if (bytes.length === 0 && fault !== "keeps series without bytes") continue
      const tags = fault === "drops tags" ? new Uint8Array(0) : batch.tags[i]!.slice()
      rows.push({ id: shared ? batch.ids[i]! : batch.ids[i]!.slice(), tags, bytes })
    }
    if (fault === "shows batches before the commit") this.visible.set(name, rows)
    return undefined
  }

  commit(key: BlockKey): SinkError | undefined {
    const { fault } = this
    const name = this.name(key)
    const pending = this.pending.get(name)
    if (pending === undefined && fault === "forgets blocks that were never written") return undefined
    if (this.durable.has(name) && fault !== "replaces published blocks") {
      return refusal(key, "exists", "the block is published")
    }
    const rows = pending?.rows ?? []
    const seen = new Set<string>()
    for (const row of rows) {
      const id = toHex(row.id)
      if (seen.has(id) && fault !== "swallows duplicate ids") {
        if (fault === "forgets a failed commit") this.pending.delete(name)
        return refusal(key, "duplicate-id", `the series ${showId(row.id)} was written twice`)
      }
      seen.add(id)
    }
    this.pending.delete(name)
    this.visible.set(name, rows)
    if (fault === "commits before the data is durable") this.durable.set(name, [])
    else if (fault !== "loses a committed block with the power") this.durable.set(name, rows)
    return undefined
  }

  abort(key: BlockKey): void {
    const { fault } = this
    const name = this.name(key)
    const pending = this.pending.get(name)
    if (pending === undefined) {
      if (fault === "leaves a mark where an abort had nothing to drop") this.leftovers.add(name)
      return
    }
    if (fault === "publishes on abort") this.visible.set(name, pending.rows)
    if (fault === "leaves files of aborted blocks") this.leftovers.add(name)
    if (fault === "keeps aborted batches for the next attempt") return
    this.pending.delete(name)
  }
}

const attempt = (step: () => SinkError | undefined): Effect.Effect<void, SinkError> =>
  Effect.suspend(() => {
    const error = step()
    return error === undefined ? Effect.void : Effect.fail(error)
  })

/** An empty sink with eyes on its store; with `fault` a mutant that the suite must reject. */
export const makeMemoryBlockSink = (fault?: BlockSinkFault): BlockSinkSubject => {
  const blocks = new MemoryBlocks(fault)
  const sink: BlockSink["Service"] = {
    write: (batch) => attempt(() => blocks.write(batch)),
    commit: (key) => attempt(() => blocks.commit(key)),
    abort: (key) => Effect.sync(() => blocks.abort(key))
  }
  return {
    sink,
    published: (key) => Effect.sync(() => blocks.published(key)),
    residue: (key) => Effect.sync(() => blocks.residue(key)),
    cutPower: Effect.sync(() => blocks.cutPower())
  }
}
