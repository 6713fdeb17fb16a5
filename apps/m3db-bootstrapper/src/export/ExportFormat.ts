/** What an export writes of each series: line protocol or CSV. Pure. */
import type { Datapoints } from "@peerstrap/m3tsz"
import { idText, tagTexts } from "../inspect/IdText.ts"
import { csvCell, pointCells, pointColumns } from "../points/PointText.ts"
import { type LineProtocolOptions, pointLiner, seriesPrefix, type Unwritable } from "./LineProtocol.ts"

export const exportFormats = ["line-protocol", "csv"] as const
export type ExportFormat = typeof exportFormats[number]

export interface SeriesPlace {
  readonly namespace: string
  readonly shard: number
  /** ns. */
  readonly blockStart: bigint
  readonly id: Uint8Array
  /** Encoded. */
  readonly tags: Uint8Array
}

export interface Writer {
  /** Stands before everything else; empty when there is nothing. */
  readonly header: string
  /** False: values that are no finite numbers have no line. */
  readonly hasNonFinite: boolean
  /** A text for each point of the series, or why it cannot be written. */
  readonly series: (place: SeriesPlace) => ((points: Datapoints, at: number) => string) | Unwritable
}

const csvWriter: Writer = {
  header: `namespace,shard,block_start,id,tags,${pointColumns}\n`,
  hasNonFinite: true,
  series: ({ blockStart, id, namespace, shard, tags }) => {
    const texts = tagTexts(tags)
    if (typeof texts === "string") return { problem: texts }
    const tagCell = texts.length === 0 ? "" : csvCell(JSON.stringify(Object.fromEntries(texts)))
    const begin = `${csvCell(namespace)},${shard},${blockStart},${csvCell(idText(id))},${tagCell},`
    return (points, at) => `${begin}${pointCells(points, at)}\n`
  }
}

const lineProtocolWriter = (options: LineProtocolOptions): Writer => ({
  header: "",
  hasNonFinite: false,
  series: ({ id, tags }) => {
    const prefix = seriesPrefix(id, tags, options)
    return typeof prefix === "string" ? pointLiner(prefix, options.field) : prefix
  }
})

export const writerOf = (format: ExportFormat, options: LineProtocolOptions): Writer =>
  format === "csv" ? csvWriter : lineProtocolWriter(options)
