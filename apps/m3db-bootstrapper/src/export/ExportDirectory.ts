/**
 * Writes every point of a namespace's filesets, block by block of shard by shard, from the highest complete volume of each. Memory is
 * that of a batch of streams, of one decoded series and of a piece of text.
 *
 *     fileset ─► batch of verified streams ─► one series decoded ─► lines, in pieces of 64 KiB ─► output
 */
import { CommandError, ExitCode } from "@peerstrap/command-line"
import { defaultStreamLimits } from "@peerstrap/m3db-bootstrap"
import { filePath, type FilesetKey, type ScannedNamespace } from "@peerstrap/m3db-files"
import { showId } from "@peerstrap/m3db-wire"
import { BlockCursor, DatapointsBuffer, DecodeError, decodeInto } from "@peerstrap/m3tsz"
import * as Effect from "effect/Effect"
import { openFilesetRows, type RowMaker } from "../digest/FilesetRows.ts"
import type { FileProblem } from "../inspect/DataDirectory.ts"
import { pointPieces } from "../points/PointText.ts"
import type { SeriesPlace, Writer } from "./ExportFormat.ts"
import { type ExportPlace, isAtOrAfter } from "./Resume.ts"

export interface ExportOptions {
  readonly directory: string
  readonly namespace: ScannedNamespace
  /** The first block that is written; undefined: from the beginning. */
  readonly from: ExportPlace | undefined
  /** ns; blocks that begin outside of [start, end) are left out. */
  readonly start: bigint | undefined
  readonly end: bigint | undefined
  readonly writer: Writer
  readonly write: (text: string) => Effect.Effect<void, CommandError>
  readonly onProblem: (problem: FileProblem) => void
  /** Before each block, and after the last one with undefined. */
  readonly onPlace: (next: ExportPlace | undefined, totals: ExportTotals) => Effect.Effect<void>
}

export interface ExportTotals {
  blocks: number
  series: number
  points: number
  /** NaN and infinities that the format does not have. */
  leftOutPoints: number
  /** Series with a name that the format cannot write. */
  leftOutSeries: number
  /** Damage: what it concerns is not in the output. */
  problems: number
}

/** Text handed to the output at once. */
const pieceChars = 65_536

interface SeriesBytes {
  readonly id: Uint8Array
  readonly tags: Uint8Array
  readonly pieces: ReadonlyArray<Uint8Array>
}

const asBytes: RowMaker<SeriesBytes> = { row: (id, tags, pieces) => ({ id, tags, pieces }) }

const unwritableRemedy = "export it as --format csv, which takes every name"

/** Decodes and writes with one cursor and one buffer for all series. */
class SeriesExport {
  private readonly cursor = new BlockCursor()
  private readonly points = new DatapointsBuffer()
  private readonly options: ExportOptions
  private readonly totals: ExportTotals
  private readonly damage: (problem: FileProblem) => void

  constructor(options: ExportOptions, totals: ExportTotals, damage: (problem: FileProblem) => void) {
    this.options = options
    this.totals = totals
    this.damage = damage
  }

  /** The text of one series in pieces; nothing for one that cannot be written, which is told. */
  *pieces(place: SeriesPlace, { id, pieces }: SeriesBytes, path: string): Generator<string> {
    const { points, totals } = this
    const { onProblem, writer } = this.options
    const wrong = decodeInto(this.cursor, points, pieces, { maxPoints: defaultStreamLimits.maxPointsPerBlock })
    if (wrong instanceof DecodeError) {
      const remedy = "fetch the block again from its replicas; protobuf streams cannot be exported"
      return this.damage({ path, offset: -1, what: `series ${showId(id)}: ${wrong.message}`, remedy })
    }
    const text = writer.series(place)
    if ("problem" in text) {
      totals.leftOutSeries++
      return onProblem({ path, offset: -1, what: `series ${showId(id)}: ${text.problem}`, remedy: unwritableRemedy })
    }
    totals.series++
    let leftOut = 0
    if (!writer.hasNonFinite) {
      for (let at = 0; at < points.count; at++) if (!Number.isFinite(points.values[at]!)) leftOut++
    }
    totals.points += points.count - leftOut
    totals.leftOutPoints += leftOut
    yield* pointPieces(points, text)
  }
}

const exportFileset = Effect.fnUntraced(function*(options: ExportOptions, key: FilesetKey, totals: ExportTotals) {
  let refused: FileProblem | undefined
  const damage = (problem: FileProblem): void => {
    totals.problems++
    options.onProblem(problem)
  }
  const rows = yield* openFilesetRows(key, asBytes, (problem, local) => {
    if (local) refused ??= problem
    damage(problem)
  })
  if (refused !== undefined) {
    const { path, remedy, what } = refused
    return yield* new CommandError({ exitCode: ExitCode.local, message: `${path}: ${what}`, remedy })
  }
  if (rows === undefined) return
  const path = filePath(key, "data")
  const exported = new SeriesExport(options, totals, damage)
  let held = ""
  for (let batch = yield* rows.next; batch !== undefined; batch = yield* rows.next) {
    for (const series of batch) {
      const place = {
        namespace: key.namespace,
        shard: key.shard,
        blockStart: key.blockStart,
        id: series.id,
        tags: series.tags
      }
      for (const piece of exported.pieces(place, series, path)) {
        held += piece
        if (held.length < pieceChars) continue
        yield* options.write(held)
        held = ""
      }
    }
  }
  yield* options.write(held)
})

/** The blocks that are written, in this order. */
export const placesOf = ({ end, from, namespace, start }: Omit<ExportOptions, "write">) =>
  namespace.shards.flatMap(({ filesets, shard }) =>
    filesets
      .filter(({ blockStart, latest }) =>
        latest && (start === undefined || blockStart >= start) && (end === undefined || blockStart < end) &&
        (from === undefined || isAtOrAfter({ shard, blockStart }, from))
      )
      .map(({ blockStart, legacy, volume }) => ({ shard, blockStart, legacy, volume }))
  )

export const exportDirectory = Effect.fnUntraced(function*(options: ExportOptions) {
  const { directory, namespace } = options
  const totals: ExportTotals = { blocks: 0, series: 0, points: 0, leftOutPoints: 0, leftOutSeries: 0, problems: 0 }
  if (options.from === undefined) yield* options.write(options.writer.header)
  for (const place of placesOf(options)) {
    yield* options.onPlace(place, totals)
    yield* Effect.scoped(
      exportFileset(options, { prefix: directory, namespace: namespace.namespace, ...place }, totals)
    )
    totals.blocks++
  }
  yield* options.onPlace(undefined, totals)
  return totals
})
