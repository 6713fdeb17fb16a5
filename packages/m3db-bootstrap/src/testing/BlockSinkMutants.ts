/** Sinks that are wrong in one way each; the kit rejects every one, for the reason that stands with it. */
import { type Mutant, turns } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Semaphore from "effect/Semaphore"
import { type BlockKey, type BlockSink, SinkError } from "../contract/BlockSink.ts"
import type { MemoryBlocks } from "./MemoryBlocks.ts"
import { changedSinkLayer, type SinkChange } from "./MemoryBlockSink.ts"
import type { PublishedSeries, SinkStore } from "./SinkStore.ts"

export type BlockSinkMutant = Mutant<BlockSink | SinkStore>

const mutant = (
  name: string,
  rejectedBy: string,
  because: BlockSinkMutant["because"],
  change: SinkChange
): BlockSinkMutant => ({ name, rejectedBy, because, layer: changedSinkLayer(change) })

const everyBatch = "publishes every batch of a block, pieces joined, series without bytes left out"
const beforeCommit = "shows nothing before the commit"
const empty = "makes an empty block of a commit without a write, and of one without series"
const aborted = "leaves nothing of an aborted block"
const anew = "begins anew after an abort"
const doubledIds = "refuses a block with a doubled id, and leaves nothing of it"
const staysFailed = "stays failed after a failed commit until an abort, and publishes nothing meanwhile"
const noReplacing = "refuses to replace a published block"
const atOnce = "writes batches of one block that arrive at once"
const powerCut = "keeps a committed block through a power cut"
const noPart = "publishes no part of a batch of which the write was interrupted"
const allOrNothing = "publishes all or nothing when a commit is interrupted at any step"
const closed = "drops open blocks when it is closed, and closes what they held"

/** Changes what is kept of a batch, row by row. */
const rows = (
  change: (row: PublishedSeries, at: number, count: number) => PublishedSeries | undefined
): SinkChange => ({
  blocks: (blocks) => {
    const plain = blocks.row.bind(blocks)
    const left: PublishedSeries = { id: new Uint8Array(0), tags: new Uint8Array(0), bytes: new Uint8Array(0) }
    blocks.row = (batch, at) => change(plain(batch, at), at, batch.count) ?? left
  }
})

const show = (blocks: MemoryBlocks, key: BlockKey): void => {
  blocks.visible.set(blocks.name(key), blocks.open(key))
}

const markOrForget = (blocks: MemoryBlocks, key: BlockKey): void => {
  if (blocks.pending.has(blocks.name(key))) blocks.forget(key)
  else blocks.leftovers.add(blocks.name(key))
}

const isClosed = (blocks: MemoryBlocks, key: BlockKey): boolean => !blocks.pending.has(blocks.name(key))

const contents: ReadonlyArray<BlockSinkMutant> = [
  mutant(
    "drops the last series of a batch",
    everyBatch,
    /saw \[(?:(?!'last')[^\]])*\], expected .*'last'/,
    rows((row, at, count) => at === count - 1 && count > 1 ? undefined : row)
  ),
  mutant("drops tags", everyBatch, /saw .*'foo' '' 1609459200=1/, rows((row) => ({ ...row, tags: new Uint8Array(0) }))),
  mutant("keeps only the first piece", everyBatch, /saw .*'foo' 0x\w+ 0x\w+.*expected .*'foo' 0x\w+ 1609459200=1/, {
    blocks: (blocks) => {
      blocks.row = ({ data, ids, tags }, at) => ({
        id: ids[at]!.slice(),
        tags: tags[at]!.slice(),
        bytes: data[at]!.find(({ length }) => length > 0)?.slice() ?? new Uint8Array(0)
      })
    }
  }),
  mutant("keeps series without bytes", everyBatch, /saw .*'without data'/, {
    sink: (_, blocks) => ({
      write: (batch) =>
        Effect.sync(() => {
          const open = blocks.open(batch.key)
          for (let at = 0; at < batch.count; at++) open.push(blocks.row(batch, at))
        })
    })
  }),
  mutant("keeps the last batch only", everyBatch, /saw \[(?:(?!'foo')[^\]])*\], expected .*'foo'/, {
    sink: ({ abort, write }) => ({ write: (batch) => Effect.andThen(abort(batch.key), write(batch)) })
  }),
  mutant(
    "keeps the caller's buffers",
    "takes copies of all that it needs before a write completes",
    /saw .*'bar' '' (?!1609459200=3).*, expected .*'bar' '' 1609459200=3/,
    {
      blocks: (blocks) => {
        const plain = blocks.row.bind(blocks)
        blocks.row = (batch, at) => {
          const pieces = batch.data[at]!.filter(({ length }) => length > 0)
          return pieces.length === 1 ? { ...plain(batch, at), bytes: pieces[0]! } : plain(batch, at)
        }
      }
    }
  ),
  mutant(
    "takes a thousand series of a batch at most",
    "loses nothing of a batch of many series, one of them large and in many pieces",
    /series published: saw 1001, expected 1200/,
    rows((row, at) => at >= 1_000 && row.bytes.length < 1_000 ? undefined : row)
  ),
  mutant("mixes shards of one block start", "keeps blocks apart, by start and by shard", /the block is published/, {
    blocks: (blocks) => {
      blocks.name = ({ blockStart }) => String(blockStart)
    }
  }),
  mutant(
    "loses the seventh series of a block",
    "publishes what lists in a map would hold, whatever the order of the calls",
    /published of block \d+\/\d+: saw .*program \d+: .*write/,
    {
      sink: ({ commit }, blocks) => ({
        commit: (key) =>
          Effect.tap(commit(key), () =>
            Effect.sync(() => {
              const all = blocks.visible.get(blocks.name(key)) ?? []
              if (all.length < 20) blocks.visible.set(blocks.name(key), all.toSpliced(6, 1))
            }))
      })
    }
  )
]

const publication: ReadonlyArray<BlockSinkMutant> = [
  mutant("refuses a batch without series", "takes the calls of a run", /no series/, {
    sink: ({ write }) => ({
      write: (batch) => batch.count === 0 ? Effect.die(new Error("a batch with no series")) : write(batch)
    })
  }),
  mutant("publishes before the commit", beforeCommit, /saw \[.*expected "nothing"/, {
    sink: ({ write }, blocks) => ({
      write: (batch) => Effect.tap(write(batch), () => Effect.sync(() => show(blocks, batch.key)))
    })
  }),
  mutant("forgets blocks that were never written", empty, /saw "nothing", expected \[\]/, {
    sink: ({ commit }, blocks) => ({
      commit: (key) => blocks.pending.has(blocks.name(key)) ? commit(key) : Effect.void
    })
  }),
  mutant("publishes on abort", aborted, /saw \[.*expected "nothing"/, {
    sink: ({ abort }, blocks) => ({ abort: (key) => Effect.andThen(Effect.sync(() => show(blocks, key)), abort(key)) })
  }),
  mutant("leaves residue after an abort", aborted, /left something in the store/, {
    sink: ({ abort }, blocks) => ({
      abort: (key) =>
        Effect.andThen(
          Effect.sync(() => blocks.pending.has(blocks.name(key)) && blocks.leftovers.add(blocks.name(key))),
          abort(key)
        )
    })
  }),
  mutant(
    "leaves a mark where an abort had nothing to drop",
    "leaves nothing of an abort of a block that was never written",
    /left something in the store/,
    { sink: (_, blocks) => ({ abort: (key) => Effect.sync(() => markOrForget(blocks, key)) }) }
  ),
  mutant("keeps aborted batches for the next attempt", anew, /saw .*'foo'/, {
    sink: () => ({ abort: () => Effect.void })
  }),
  mutant("swallows doubled ids", doubledIds, /foo twice: succeeded, expected it to fail/, {
    blocks: (blocks) => {
      blocks.problemOf = () => undefined
    }
  }),
  mutant("refuses without a word on what to do", doubledIds, /has a subject and a remedy/, {
    sink: ({ commit }) => ({
      commit: (key) =>
        Effect.mapError(
          commit(key),
          ({ message, reason, subject }) => new SinkError({ subject, reason, message, remedy: "" })
        )
    })
  }),
  mutant("forgets a failed commit", staysFailed, /saw \[.*expected "nothing"/, {
    sink: ({ commit }, blocks) => ({
      commit: (key) => Effect.tapError(commit(key), () => Effect.sync(() => blocks.forget(key)))
    })
  }),
  mutant("replaces published blocks", noReplacing, /the second time: succeeded/, {
    sink: ({ commit, write }, blocks) => {
      const forgotten = (key: BlockKey) =>
        Effect.sync(() => {
          if (blocks.pending.has(blocks.name(key))) return
          blocks.visible.delete(blocks.name(key))
          blocks.durable.delete(blocks.name(key))
        })
      return { commit, write: (batch) => Effect.andThen(forgotten(batch.key), write(batch)) }
    }
  }),
  mutant("commits twice, the second time nothing", "refuses a second commit, or takes it as done", /saw \[\]/, {
    sink: ({ commit }, blocks) => ({
      commit: (key) =>
        Effect.andThen(
          Effect.sync(() => void (isClosed(blocks, key) && blocks.durable.delete(blocks.name(key)))),
          commit(key)
        )
    })
  }),
  mutant("waits for itself when two write at once", atOnce, "hangs", {
    sink: ({ write }) => {
      let writing = 0
      return {
        write: (batch) =>
          Effect.suspend(() => ++writing > 1 ? Effect.never : write(batch)).pipe(
            Effect.ensuring(Effect.sync(() => void writing--))
          )
      }
    }
  })
]

const durability: ReadonlyArray<BlockSinkMutant> = [
  mutant("forgets fsync", powerCut, /saw "nothing", expected \[/, {
    sink: ({ commit }, blocks) => ({
      commit: (key) => Effect.tap(commit(key), () => Effect.sync(() => void blocks.durable.delete(blocks.name(key))))
    })
  }),
  mutant("commits before the bytes are durable", powerCut, /saw \[\], expected \[/, {
    sink: ({ commit }, blocks) => ({
      commit: (key) => Effect.tap(commit(key), () => Effect.sync(() => void blocks.durable.set(blocks.name(key), [])))
    })
  }),
  mutant(
    "publishes open blocks after a power cut",
    "shows nothing of an uncommitted block after a power cut",
    /saw \[.*expected "nothing"/,
    {
      sink: ({ write }, blocks) => ({
        write: (batch) =>
          Effect.tap(
            write(batch),
            () => Effect.sync(() => void blocks.durable.set(blocks.name(batch.key), blocks.open(batch.key)))
          )
      })
    }
  ),
  mutant("stumbles over what a power cut left", "begins a block anew after a power cut", /the block has a lock/, {
    sink: ({ abort, commit, write }, blocks) => {
      const own = new Set<string>()
      const unlock = (key: BlockKey) => Effect.sync(() => void blocks.leftovers.delete(blocks.name(key)))
      return {
        write: (batch) => {
          const name = blocks.name(batch.key)
          if (blocks.leftovers.has(name) && !own.has(name)) return Effect.die(new Error("the block has a lock"))
          own.add(name)
          blocks.leftovers.add(name)
          return write(batch)
        },
        commit: (key) => Effect.tap(commit(key), () => unlock(key)),
        abort: (key) => Effect.andThen(abort(key), unlock(key))
      }
    }
  })
]

const interruption: ReadonlyArray<BlockSinkMutant> = [
  mutant(
    "keeps its lock when it is interrupted",
    "goes on after calls that were interrupted at each step",
    "hangs",
    {
      sink: ({ write }) => {
        const lock = Semaphore.makeUnsafe(1)
        const locked = (call: Effect.Effect<void, SinkError>) =>
          Effect.andThen(Semaphore.take(lock, 1), Effect.tap(call, () => Semaphore.release(lock, 1)))
        return { write: (batch) => locked(write(batch)) }
      }
    }
  ),
  mutant("keeps half of a batch of which the write was interrupted", noPart, /whole batches only; it has .*/, {
    sink: (_, blocks) => ({
      write: Effect.fnUntraced(function*(batch) {
        const open = blocks.open(batch.key)
        for (let at = 0; at < batch.count; at++) {
          yield* blocks.pause
          const row = blocks.row(batch, at)
          if (row.bytes.length > 0) open.push(row)
        }
      })
    })
  }),
  mutant(
    "goes on with an interrupted write in the background",
    "reads no buffer once a write was interrupted",
    /'x+'/,
    {
      sink: ({ write }) => ({ write: (batch) => Effect.flatMap(Effect.forkDetach(write(batch)), Fiber.join) })
    }
  ),
  mutant(
    "opens a block for good when its write is interrupted",
    "starts a block anew after a write that was interrupted at any step",
    /left something in the store/,
    {
      sink: ({ abort, write }, blocks) => {
        const stuck = new Set<string>()
        const name = (key: BlockKey) => blocks.name(key)
        return {
          write: (batch) => Effect.onInterrupt(write(batch), () => Effect.sync(() => void stuck.add(name(batch.key)))),
          abort: (key) => Effect.suspend(() => stuck.has(name(key)) ? Effect.void : abort(key))
        }
      }
    }
  ),
  mutant("publishes in two steps", allOrNothing, /saw \[\], expected \[/, {
    sink: ({ commit }, blocks) => ({
      commit: (key) =>
        Effect.suspend(() => {
          if (blocks.problemOf(key) === undefined) blocks.visible.set(blocks.name(key), [])
          return Effect.andThen(blocks.pause, commit(key))
        })
    })
  }),
  mutant("goes on with an interrupted commit after the abort", allOrNothing, /of block/, {
    sink: ({ commit }) => ({
      commit: (key) => Effect.flatMap(Effect.forkDetach(Effect.andThen(turns(5), commit(key))), Fiber.join)
    })
  })
]

const leaks: ReadonlyArray<BlockSinkMutant> = [
  mutant(
    "leaks a handle at each abort",
    "holds nothing open once its blocks are committed or aborted",
    /open handles after commit and abort: saw 1, expected 0/,
    {
      sink: ({ abort }, blocks) => ({
        abort: (key) => Effect.tap(abort(key), () => Effect.sync(() => blocks.handles++))
      })
    }
  ),
  mutant("leaves open blocks behind when it is closed", closed, /left something in the store/, {
    blocks: (blocks) => {
      blocks.abortAll = () => undefined
    }
  }),
  mutant("leaks handles when it is closed", closed, /open handles after the sink was closed: saw 1, expected 0/, {
    blocks: (blocks) => {
      blocks.abortAll = () => blocks.pending.clear()
    }
  })
]

export const blockSinkMutants: ReadonlyArray<BlockSinkMutant> = [
  ...contents,
  ...publication,
  ...durability,
  ...interruption,
  ...leaks
]
