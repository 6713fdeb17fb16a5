/**
 * The rows of one fileset in id order, a batch at a time: digests, or whatever else is made of each series. A series whose bytes are damaged is told and left out; damage of the
 * index ends the fileset, because nothing says where its other series are.
 */
import {
  type EntryBatch,
  filePath,
  type FilesetError,
  type FilesetKey,
  FilesetReader,
  Limits
} from "@peerstrap/m3db-files"
import { showId } from "@peerstrap/m3db-wire"
import { adler32 } from "@peerstrap/m3tsz"
import { type File, FileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"
import { type FileProblem, problemOf } from "../inspect/DataDirectory.ts"
import { hex32 } from "../inspect/IdText.ts"

const refetch = "fetch the block again from its replicas: bootstrap into an empty directory, then replace this fileset"

/** Files that shrink or fail while they are read are a local matter; their rows are left out and told. */
const readRange = (file: File, position: number, length: number) =>
  Effect.catch(file.read(position, length), ({ message }) => Effect.succeed(message))

/** What becomes of one series whose bytes hold their checksum; a text when nothing does, which says why. */
export interface RowMaker<A> {
  /** `pieces` are one stream; all bytes are views that may be kept. */
  row(id: Uint8Array, tags: Uint8Array, pieces: ReadonlyArray<Uint8Array>): A | string
}

interface Reading<A> {
  readonly file: File
  readonly maker: RowMaker<A>
  readonly onProblem: (problem: FileProblem) => void
}

type Slots<A> = Array<A | undefined>

/** Rows made at once: what a merge over many filesets holds of each beside a batch of index entries. */
const maxRows = 512

/** Rows of neighbours in the data file, which one read has brought; `order[first, last)` are their places in the batch. */
const rowsOfNeighbours = <A extends object>(
  { file, maker, onProblem }: Reading<A>,
  batch: EntryBatch,
  order: ReadonlyArray<number>,
  range: { readonly first: number; readonly last: number; readonly start: number; readonly base: number },
  read: Uint8Array | string,
  into: Slots<A>
): void => {
  for (let i = range.first; i < range.last; i++) {
    const row = order[i]!
    const id = batch.ids[row]!
    const offset = batch.offsets[row]!
    const tell = (what: string): void =>
      onProblem({ path: file.path, offset, what: `series ${showId(id)}: ${what}`, remedy: refetch })
    if (typeof read === "string") {
      tell(`cannot be read: ${read}`)
      continue
    }
    const at = offset - range.start
    const bytes = read.subarray(at, at + batch.sizes[row]!)
    const actual = adler32(bytes)
    if (actual !== batch.checksums[row]) {
      tell(`checksum is ${hex32(batch.checksums[row]!)}, the bytes have ${hex32(actual)}`)
      continue
    }
    const made = maker.row(id, batch.tags[row]!, [bytes])
    if (typeof made === "string") tell(made)
    else into[row - range.base] = made
  }
}

/** Reads neighbours together, in the order of the data file, and makes a row of each as soon as it is there: rows [base, end) of the batch. */
const makeRows = Effect.fnUntraced(function*<A extends object>(
  reading: Reading<A>,
  batch: EntryBatch,
  base: number,
  end: number
) {
  const { offsets, sizes } = batch
  const count = end - base
  const order = Array.from({ length: count }, (_, i) => base + i).toSorted((a, b) => offsets[a]! - offsets[b]!)
  const slots: Slots<A> = Array.from({ length: count })
  for (let first = 0; first < count;) {
    const start = offsets[order[first]!]!
    let stop = start + sizes[order[first]!]!
    let last = first + 1
    while (last < count && offsets[order[last]!] === stop && stop - start < Limits.readChunkBytes) {
      stop += sizes[order[last++]!]!
    }
    const read = yield* readRange(reading.file, start, stop - start)
    rowsOfNeighbours(reading, batch, order, { first, last, start, base }, read, slots)
    first = last
  }
  return slots.filter((row): row is A => row !== undefined)
})

export interface FilesetRows<A> {
  /** The next rows; undefined at the end, also where damage ended it. */
  readonly next: Effect.Effect<ReadonlyArray<A> | undefined>
}

/** Opens a fileset until the scope closes; undefined when it cannot be opened, which is told. */
export const openFilesetRows = Effect.fnUntraced(function*<A extends object>(
  key: FilesetKey,
  maker: RowMaker<A>,
  onProblem: (problem: FileProblem, local: boolean) => void
) {
  const fs = yield* FileSystem
  const tell = (error: FilesetError): undefined =>
    void onProblem(problemOf(error), error.reason === "permission" || error.reason === "too-many-open")
  const open = Effect.gen(function*() {
    const reader = yield* FilesetReader.open(key)
    const path = filePath(key, "data")
    const file = yield* Effect.acquireRelease(fs.openRead(path), (handle) => Effect.ignore(handle.close))
    const pull = yield* Stream.toPull(reader.entries)
    const reading = { file, maker, onProblem: (problem: FileProblem) => onProblem(problem, false) }
    const entries: Array<EntryBatch> = []
    let base = 0
    const next = Effect.gen(function*() {
      while (entries.length === 0) entries.push(...(yield* pull))
      const batch = entries[0]!
      const end = Math.min(batch.count, base + maxRows)
      const rows = yield* makeRows(reading, batch, base, end)
      base = end === batch.count ? 0 : end
      if (base === 0) entries.shift()
      return rows
    }).pipe(
      Pull.catchDone(() => Effect.undefined),
      Effect.catch((error: FilesetError) => Effect.sync(() => tell(error)))
    )
    return { next } satisfies FilesetRows<A> as FilesetRows<A>
  })
  return yield* Effect.catchTags(open, {
    FilesetError: (error) => Effect.sync(() => tell(error)),
    FileError: ({ message, path, reason }) =>
      Effect.sync(() =>
        void onProblem({ path, offset: -1, what: message, remedy: refetch }, reason === "too-many-open")
      )
  })
})
