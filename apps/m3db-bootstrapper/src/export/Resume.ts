/** Where an export stands: at a block of a shard. `3/1795204800000000000` or `3/2026-11-20T20:00:00Z`. Pure. */
import { type FlagType, parseTime, Type } from "@peerstrap/command-line"

export interface ExportPlace {
  readonly shard: number
  /** ns. */
  readonly blockStart: bigint
}

const parsePlace = (text: string): ExportPlace | undefined => {
  const found = /^(\d{1,5})\/(.+)$/.exec(text)
  const blockStart = found === null ? undefined : parseTime(found[2]!)
  return blockStart === undefined ? undefined : { shard: Number(found![1]), blockStart }
}

/** The kind of value that `--from` of `export` takes. */
export const exportPlace: FlagType<ExportPlace> = {
  ...Type.text("SHARD/BLOCK", "a shard, a slash and a block start", "3/2026-11-21T10:00:00Z"),
  parse: parsePlace
}

export const placeText = ({ blockStart, shard }: ExportPlace): string => `${shard}/${blockStart}`

/** Whether the export goes through `place` after `from`, or at it. */
export const isAtOrAfter = (place: ExportPlace, from: ExportPlace): boolean =>
  place.shard > from.shard || (place.shard === from.shard && place.blockStart >= from.blockStart)
