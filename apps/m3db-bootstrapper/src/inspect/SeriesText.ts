/** The blocks of one series as text, CSV or JSON, in pieces. Pure. */
import { showId } from "@peerstrap/m3db-wire"
import { formatCount, formatNanos } from "@peerstrap/progress"
import { csvCell, pointCells, pointColumns, pointJson, pointLine, pointPieces } from "../points/PointText.ts"
import { tagsLine } from "./FilesetText.ts"
import { hex32, idText, tagsJson } from "./IdText.ts"
import type { FoundBlock } from "./InspectSeries.ts"

export const inspectFormats = ["text", "csv", "json"] as const
export type InspectFormat = typeof inspectFormats[number]

function* textOf({ found, key, points }: FoundBlock): Generator<string> {
  yield `series ${showId(found.id)}${tagsLine(found.tags)}\n  namespace ${key.namespace}, shard ${key.shard}, block ${
    formatNanos(key.blockStart)
  }, volume ${key.volume}: ${formatCount(points.count)} points in ${found.bytes.length} B, adler-32 ${
    hex32(found.checksum)
  }\n`
  yield* pointPieces(points, (all, at) => `    ${pointLine(all, at)}\n`)
}

function* jsonOf({ found, key, points }: FoundBlock): Generator<string> {
  const head = {
    namespace: key.namespace,
    shard: key.shard,
    blockStart: String(key.blockStart),
    volume: key.volume,
    id: idText(found.id),
    tags: tagsJson(found.tags),
    bytes: found.bytes.length,
    adler32: hex32(found.checksum)
  }
  yield `${JSON.stringify(head).slice(0, -1)},"points":[`
  yield* pointPieces(points, (all, at) => `${at === 0 ? "" : ","}${pointJson(all, at)}`)
  yield "]}\n"
}

/** Stands before the first block. */
export const seriesHeader = (format: InspectFormat): string =>
  format === "csv" ? `namespace,block_start,${pointColumns}\n` : ""

/** With json one line a block. */
export const blockPieces = (format: InspectFormat, block: FoundBlock): Generator<string> => {
  if (format === "text") return textOf(block)
  if (format === "json") return jsonOf(block)
  const begin = `${csvCell(block.key.namespace)},${block.key.blockStart},`
  return pointPieces(block.points, (all, at) => `${begin}${pointCells(all, at)}\n`)
}
