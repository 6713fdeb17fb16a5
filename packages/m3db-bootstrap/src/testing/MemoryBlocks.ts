/**
 * A store of blocks in memory that can lose its power. It has two faces: what readers see, and what a power cut would leave. Mutants are
 * made by changing one step of it, so all of it is open.
 */
import { showId, toHex } from "@peerstrap/m3db-wire"
import * as Effect from "effect/Effect"
import { type BlockBatch, type BlockKey, SinkError } from "../contract/BlockSink.ts"
import type { PublishedSeries } from "./SinkStore.ts"

const refusal = (key: BlockKey, reason: SinkError["reason"], message: string): SinkError =>
  new SinkError({
    subject: `block ${key.shard}/${key.blockStart}`,
    reason,
    message,
    remedy: "commit each block once, each id once"
  })

export const joinPieces = (pieces: ReadonlyArray<Uint8Array>): Uint8Array => {
  const out = new Uint8Array(pieces.reduce((total, piece) => total + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    out.set(piece, at)
    at += piece.length
  }
  return out
}

/** Rows of a batch before which a slow store pauses: all of a small batch. */
const pausingRows = 8

export class MemoryBlocks {
  readonly pending = new Map<string, Array<PublishedSeries>>()
  readonly visible = new Map<string, ReadonlyArray<PublishedSeries>>()
  readonly durable = new Map<string, ReadonlyArray<PublishedSeries>>()
  /** Blocks that have left something behind, which only mutants do. */
  readonly leftovers = new Set<string>()
  /** One for each open block. */
  handles = 0
  /** Turns of the scheduler that each step of the store takes, as a disk would. */
  readonly turns: number

  constructor(turns: number) {
    this.turns = turns
  }

  /** A place where others run, and where an interruption takes effect. */
  readonly pause: Effect.Effect<void> = Effect.suspend(() =>
    this.turns === 0 ? Effect.void : Effect.repeat(Effect.yieldNow, { times: this.turns - 1 })
  )

  name(key: BlockKey): string {
    return `${key.shard}/${key.blockStart}`
  }

  open(key: BlockKey): Array<PublishedSeries> {
    const name = this.name(key)
    const rows = this.pending.get(name)
    if (rows !== undefined) return rows
    const made: Array<PublishedSeries> = []
    this.pending.set(name, made)
    this.handles++
    return made
  }

  forget(key: BlockKey): void {
    if (this.pending.delete(this.name(key))) this.handles--
  }

  row(batch: BlockBatch, at: number): PublishedSeries {
    return { id: batch.ids[at]!.slice(), tags: batch.tags[at]!.slice(), bytes: joinPieces(batch.data[at]!) }
  }

  /** Nothing of a batch counts until all of it was copied. */
  readonly write = Effect.fnUntraced(function*(this: MemoryBlocks, batch: BlockBatch) {
    const { count, key } = batch
    const isOpen = this.pending.has(this.name(key))
    if (!isOpen && this.visible.has(this.name(key))) return yield* refusal(key, "exists", "the block is published")
    const rows = this.open(key)
    const copies: Array<PublishedSeries> = []
    for (let at = 0; at < count; at++) {
      if (at < pausingRows) yield* this.pause
      const row = this.row(batch, at)
      if (row.bytes.length > 0) copies.push(row)
    }
    for (const row of copies) rows.push(row)
  })

  problemOf(key: BlockKey): SinkError | undefined {
    const seen = new Set<string>()
    for (const { id } of this.pending.get(this.name(key)) ?? []) {
      const name = toHex(id)
      if (seen.has(name)) return refusal(key, "duplicate-id", `the series ${showId(id)} was written twice`)
      seen.add(name)
    }
    return this.durable.has(this.name(key)) ? refusal(key, "exists", "the block is published") : undefined
  }

  readonly commit = Effect.fnUntraced(function*(this: MemoryBlocks, key: BlockKey) {
    const problem = this.problemOf(key)
    if (problem !== undefined) return yield* problem
    const rows = this.open(key)
    yield* this.pause
    this.durable.set(this.name(key), rows)
    this.visible.set(this.name(key), rows)
    this.forget(key)
  })

  abort(key: BlockKey): void {
    this.forget(key)
  }

  /** What a sink does that is closed. */
  abortAll(): void {
    this.handles -= this.pending.size
    this.pending.clear()
  }

  cutPower(): void {
    this.abortAll()
    this.visible.clear()
    for (const [name, rows] of this.durable) this.visible.set(name, rows)
  }
}
