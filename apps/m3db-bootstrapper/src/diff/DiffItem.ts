/** One series-block that is not the same everywhere, as JSON line and as text. Pure. */
import { showId } from "@peerstrap/m3db-wire"
import { formatNanos } from "@peerstrap/progress"
import { hex32, toHex } from "../inspect/IdText.ts"
import type { Comparison } from "./Comparison.ts"
import { Presence, type ReplicaTable } from "./ReplicaTable.ts"

/** What the data itself says, with `--deep`. Copies that are missing take no part. */
export interface DeepResult {
  /** `same-points`: equal times and value bits in all copies · `undecided`: a copy could not be fetched or read. */
  readonly verdict: "same-points" | "different-points" | "undecided"
  /** By replica. */
  readonly points: Readonly<Record<string, number>>
  /** Times at which copies differ. */
  readonly differing: number
  /** `timestamp` in ns; by replica the value as a decimal text and its bits, null where it has no point. */
  readonly first: {
    readonly timestamp: bigint
    readonly values: Readonly<Record<string, { readonly value: string; readonly bits: string } | null>>
  } | undefined
  /** By replica: why its copy takes no part. */
  readonly problems: Readonly<Record<string, string>>
}

export interface DiffItem {
  readonly comparison: Comparison
  readonly shard: number
  readonly id: Uint8Array
  readonly tags: Uint8Array
  /** ns. */
  readonly blockStart: bigint
  /** By replica; undefined where it is missing. */
  readonly replicas: Readonly<
    Record<string, { readonly size: number; readonly checksum: number | undefined } | undefined>
  >
  readonly deep: DeepResult | undefined
}

export const itemOf = (
  table: ReplicaTable,
  row: number,
  place: { readonly shard: number; readonly replicas: ReadonlyArray<string>; readonly comparison: Comparison },
  deep: DeepResult | undefined
): DiffItem => ({
  comparison: place.comparison,
  shard: place.shard,
  id: table.id(row),
  tags: table.tags(row),
  blockStart: table.blockStart(row),
  replicas: Object.fromEntries(place.replicas.map((name, replica) => {
    const presence = table.presence(row, replica)
    if (presence === Presence.absent) return [name, undefined]
    const checksum = presence === Presence.withChecksum ? table.checksum(row, replica) : undefined
    return [name, { size: table.size(row, replica), checksum }]
  })),
  deep
})

export const itemJson = (namespace: string, item: DiffItem) => ({
  kind: item.comparison,
  namespace,
  shard: item.shard,
  id: toHex(item.id),
  tags: toHex(item.tags),
  blockStart: item.blockStart,
  replicas: Object.fromEntries(
    Object.entries(item.replicas).map(([name, copy]) => [
      name,
      copy === undefined
        ? null
        : { size: copy.size, checksum: copy.checksum === undefined ? null : hex32(copy.checksum) }
    ])
  ),
  ...(item.deep === undefined ? {} : { deep: { ...item.deep, first: item.deep.first ?? null } })
})

const copyText = ([name, copy]: [string, DiffItem["replicas"][string]]): string =>
  copy === undefined
    ? `${name}: missing`
    : `${name}: ${copy.size} B ${copy.checksum === undefined ? "without checksum" : hex32(copy.checksum)}`

const deepText = ({ differing, first, points, problems, verdict }: DeepResult): string => {
  const counts = Object.entries(points).map(([name, count]) => `${name} ${count}`).join(", ")
  const wrong = Object.entries(problems).map(([name, problem]) => `; ${name}: ${problem}`).join("")
  if (verdict === "same-points") return `same points (${counts})${wrong}`
  if (verdict === "undecided") return `points cannot be compared${wrong}`
  const values = Object.entries(first!.values).map(([name, value]) =>
    `${name} ${value === null ? "none" : `${value.value} (0x${value.bits})`}`
  )
  return `different points at ${differing} times (${counts}), first at ${formatNanos(first!.timestamp)}: ${
    values.join(", ")
  }${wrong}`
}

/** One line, with its line feed. */
export const itemText = (item: DiffItem): string => {
  const { blockStart, comparison, deep, id, replicas, shard } = item
  const copies = Object.entries(replicas).map(copyText).join(", ")
  return `${comparison.padEnd(9)} shard ${shard} block ${formatNanos(blockStart)} ${showId(id)}: ${copies}${
    deep === undefined ? "" : `: ${deepText(deep)}`
  }\n`
}
