/** A block sink in memory with eyes on its store: the plain reference of the suite, and a sink for tests of what stands before it. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type BlockKey, BlockSink } from "../contract/BlockSink.ts"
import { MemoryBlocks } from "./MemoryBlocks.ts"
import { type PublishedSeries, SinkStore, type SinkStoreShape } from "./SinkStore.ts"

/** The sink, and what its store holds. */
export interface MemoryBlockSink extends Required<SinkStoreShape> {
  readonly published: (key: BlockKey) => Effect.Effect<ReadonlyArray<PublishedSeries> | undefined>
  readonly sink: BlockSink["Service"]
}

type Sink = BlockSink["Service"]

/** How one mutant differs: in its store, in the sink over it, or in what of it others see. */
export interface SinkChange {
  readonly blocks?: (blocks: MemoryBlocks) => void
  readonly sink?: (sink: Sink, blocks: MemoryBlocks) => Partial<Sink>
}

const sinkOver = (blocks: MemoryBlocks, { sink }: SinkChange): Sink => {
  const plain: Sink = {
    write: (batch) => blocks.write(batch),
    commit: (key) => blocks.commit(key),
    abort: (key) => Effect.sync(() => blocks.abort(key))
  }
  return sink === undefined ? plain : { ...plain, ...sink(plain, blocks) }
}

const changed = (turns: number, change: SinkChange): MemoryBlockSink => {
  const blocks = new MemoryBlocks(turns)
  change.blocks?.(blocks)
  return {
    sink: sinkOver(blocks, change),
    published: (key) => Effect.sync(() => blocks.visible.get(blocks.name(key))),
    residue: (key) => Effect.sync(() => blocks.pending.has(blocks.name(key)) || blocks.leftovers.has(blocks.name(key))),
    cutPower: Effect.sync(() => blocks.cutPower()),
    reopen: Effect.as(
      Effect.addFinalizer(() => Effect.sync(() => blocks.abortAll())),
      sinkOver(blocks, change)
    ),
    handles: Effect.sync(() => blocks.handles)
  }
}

/** An empty sink with eyes on its store. `turns` of the scheduler pass at each of its steps, as with a disk; default none. */
export const makeMemoryBlockSink = (turns = 0): MemoryBlockSink => changed(turns, {})

const contextOf = ({ sink, ...store }: MemoryBlockSink): Context.Context<BlockSink | SinkStore> =>
  Context.add(Context.make(BlockSink, sink), SinkStore, store)

/** Sink and eyes as the kit wants them. */
export const memoryBlockSinkLayer = (turns = 0): Layer.Layer<BlockSink | SinkStore> =>
  Layer.effectContext(Effect.sync(() => contextOf(makeMemoryBlockSink(turns))))

export const changedSinkLayer = (change: SinkChange): Layer.Layer<BlockSink | SinkStore> =>
  Layer.effectContext(Effect.sync(() => contextOf(changed(2, change))))
