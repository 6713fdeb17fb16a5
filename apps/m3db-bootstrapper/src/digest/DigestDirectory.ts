/**
 * Digest lines of a directory. The filesets of a shard are each sorted by id, so that a merge over them gives the order of the lines
 * with a batch of each in memory, however large the shard is.
 *
 *     fileset of block 1 ──┐
 *     fileset of block 2 ──┼── merge by (id, block start) ──► lines, in pieces of 64 KiB
 *     fileset of block 3 ──┘
 */
import { CommandError, ExitCode } from "@peerstrap/command-line"
import { defaultStreamLimits } from "@peerstrap/m3db-bootstrap"
import type { ScannedNamespace } from "@peerstrap/m3db-files"
import * as Effect from "effect/Effect"
import { type FileProblem } from "../inspect/DataDirectory.ts"
import { digestLine, type DigestRow, StreamDigest } from "./DigestRow.ts"
import { type FilesetRows, openFilesetRows } from "./FilesetRows.ts"
import { MergeHeap, type SortedRows } from "./MergeHeap.ts"

/** Text handed to the output at once. */
const pieceChars = 65_536

/** Filesets of one shard merged at once: each holds two to three file descriptors and a batch of rows (up to about 1 MiB). */
export const maxMergedFilesets = 1024

export interface DigestDirectoryOptions {
  readonly directory: string
  readonly namespaces: ReadonlyArray<ScannedNamespace>
  /** ns; blocks that begin outside of [from, to) are left out. */
  readonly from?: bigint | undefined
  readonly to?: bigint | undefined
  readonly write: (text: string) => Effect.Effect<void>
  readonly onProblem: (problem: FileProblem) => void
  /** Before each shard. */
  readonly onShard: (namespace: string, shard: number) => Effect.Effect<void>
}

export interface DigestTotals {
  seriesBlocks: number
  datapoints: number
  /** That were read to their end or as far as damage allowed. */
  filesets: number
  problems: number
}

interface Source extends SortedRows {
  readonly rowsOf: FilesetRows<DigestRow>
}

/** Takes batches until one has rows; false at the end of the fileset. */
const refill = Effect.fnUntraced(function*(source: Source) {
  for (;;) {
    const rows = yield* source.rowsOf.next
    if (rows === undefined) return false
    if (rows.length === 0) continue
    source.rows = rows
    source.position = 0
    return true
  }
})

/** Writes lines until the first source of the heap needs its next batch; the text that is left. */
const drain = (
  heap: MergeHeap<Source>,
  line: (source: Source) => string,
  textBefore: string
): { readonly text: string; readonly empty: Source | undefined } => {
  let text = textBefore
  while (text.length < pieceChars) {
    const source = heap.first
    if (source === undefined) break
    text += line(source)
    source.position++
    heap.settleFirst()
    if (source.position >= source.rows.length) return { text, empty: source }
  }
  return { text, empty: undefined }
}

const digestShard = Effect.fnUntraced(function*(
  options: DigestDirectoryOptions,
  namespace: string,
  { filesets, shard }: ScannedNamespace["shards"][number],
  digest: StreamDigest,
  totals: DigestTotals
) {
  const { directory, from, to, write } = options
  const wanted = filesets.filter(({ blockStart, latest }) =>
    latest && (from === undefined || blockStart >= from) && (to === undefined || blockStart < to)
  )
  if (wanted.length > maxMergedFilesets) {
    return yield* new CommandError({
      exitCode: ExitCode.local,
      message:
        `namespace ${namespace}, shard ${shard} has ${wanted.length} blocks, at most ${maxMergedFilesets} are merged at once`,
      remedy: "digest the range in parts with --from and --to"
    })
  }
  let refused: FileProblem | undefined
  const onProblem = (problem: FileProblem, local: boolean): void => {
    totals.problems++
    if (local) refused ??= problem
    options.onProblem(problem)
  }
  const heap = new MergeHeap<Source>()
  for (const { blockStart, legacy, volume } of wanted) {
    const key = { prefix: directory, namespace, shard, blockStart, volume, legacy }
    const rowsOf = yield* openFilesetRows(key, digest, onProblem)
    if (refused !== undefined) {
      const { path, remedy, what } = refused
      return yield* new CommandError({ exitCode: ExitCode.local, message: `${path}: ${what}`, remedy })
    }
    if (rowsOf === undefined) continue
    totals.filesets++
    const source: Source = { blockStart, rows: [], position: 0, rowsOf }
    if (yield* refill(source)) heap.push(source)
  }
  const line = ({ blockStart, position, rows }: Source): string => {
    const row = rows[position]!
    totals.seriesBlocks++
    totals.datapoints += row.datapoints
    return digestLine(namespace, { shard, blockStart }, row)
  }
  let text = ""
  while (heap.first !== undefined) {
    const drained = drain(heap, line, text)
    text = drained.text
    if (text.length >= pieceChars) {
      yield* write(text)
      text = ""
    }
    if (drained.empty !== undefined && (yield* refill(drained.empty))) heap.push(drained.empty)
  }
  yield* write(text)
})

/** Writes the lines sorted by namespace, shard, id, block start, from the highest complete volume of each block. */
export const digestDirectory = Effect.fnUntraced(function*(options: DigestDirectoryOptions) {
  const totals: DigestTotals = { seriesBlocks: 0, datapoints: 0, filesets: 0, problems: 0 }
  const digest = new StreamDigest(defaultStreamLimits.maxPointsPerBlock)
  for (const { namespace, shards } of options.namespaces) {
    for (const shard of shards) {
      yield* options.onShard(namespace, shard.shard)
      yield* Effect.scoped(digestShard(options, namespace, shard, digest, totals))
    }
  }
  return totals
})
