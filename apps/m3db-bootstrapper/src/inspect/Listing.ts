/** The lists of `ls`: rows from a scan, totals a namespace, and a table for people. Pure. */
import type { ScannedFileset, ScannedNamespace } from "@peerstrap/m3db-files"
import { formatBytes, formatCount, formatNanos } from "@peerstrap/progress"

/**
 * `complete`: a node reads it · `superseded`: complete, but a higher volume is, too · `incomplete`: no whole checkpoint file, a node
 * ignores it · `damaged`: complete by its checkpoint, but digests or info file do not open.
 */
export type FilesetState = "complete" | "superseded" | "incomplete" | "damaged"

export const stateOf = ({ complete, latest, problem }: ScannedFileset): FilesetState =>
  !complete ? "incomplete" : problem !== undefined ? "damaged" : latest ? "complete" : "superseded"

export interface NamespaceTotals {
  readonly shards: number
  readonly filesets: number
  /** Block starts, over all shards. */
  readonly blocks: number
  readonly entries: number
  readonly bytes: number
  /** ns; of the complete filesets. */
  readonly firstBlock: bigint | undefined
  readonly lastBlock: bigint | undefined
  readonly states: Readonly<Record<FilesetState, number>>
}

export const totalsOf = ({ shards }: ScannedNamespace): NamespaceTotals => {
  const states = { complete: 0, superseded: 0, incomplete: 0, damaged: 0 }
  const starts = new Set<bigint>()
  let [entries, bytes] = [0, 0]
  const filesets = shards.flatMap((shard) => shard.filesets)
  for (const fileset of filesets) {
    states[stateOf(fileset)]++
    bytes += fileset.bytes
    if (fileset.complete) starts.add(fileset.blockStart)
    if (fileset.latest) entries += fileset.entries ?? 0
  }
  const ordered = [...starts].toSorted((a, b) => (a < b ? -1 : 1))
  return {
    shards: shards.length,
    filesets: filesets.length,
    blocks: ordered.length,
    entries,
    bytes,
    firstBlock: ordered[0],
    lastBlock: ordered.at(-1),
    states
  }
}

const header = ["NAMESPACE", "SHARD", "BLOCK", "VOLUME", "ENTRIES", "BYTES", "STATE"] as const
const rightAligned: ReadonlySet<number> = new Set([1, 3, 4, 5])

const rowsOf = ({ namespace, shards }: ScannedNamespace): Array<ReadonlyArray<string>> =>
  shards.flatMap(({ filesets, shard }) =>
    filesets.map((fileset) => [
      namespace,
      String(shard),
      formatNanos(fileset.blockStart),
      String(fileset.volume),
      fileset.entries === undefined ? "?" : formatCount(fileset.entries),
      formatBytes(fileset.bytes),
      stateOf(fileset)
    ])
  )

const summaryOf = (namespace: ScannedNamespace): string => {
  const { blocks, bytes, entries, filesets, firstBlock, lastBlock, shards, states } = totalsOf(namespace)
  const range = firstBlock === undefined ? "" : `, ${formatNanos(firstBlock)} to ${formatNanos(lastBlock!)}`
  const odd = (["superseded", "incomplete", "damaged"] as const)
    .filter((state) => states[state] > 0)
    .map((state) => `, ${formatCount(states[state])} ${state}`)
    .join("")
  return `${namespace.namespace}: ${formatCount(shards)} shards, ${formatCount(blocks)} blocks${range}, ${
    formatCount(filesets)
  } filesets${odd}, ${formatCount(entries)} entries, ${formatBytes(bytes)}`
}

/** Aligned columns, then one line a namespace. */
export const listingText = (namespaces: ReadonlyArray<ScannedNamespace>): string => {
  const rows = [header, ...namespaces.flatMap(rowsOf)]
  const widths = header.map((_, column) => rows.reduce((most, row) => Math.max(most, row[column]!.length), 0))
  const line = (row: ReadonlyArray<string>): string =>
    row.map((cell, at) => (rightAligned.has(at) ? cell.padStart(widths[at]!) : cell.padEnd(widths[at]!))).join("  ")
      .trimEnd()
  return `${[...rows.map(line), "", ...namespaces.map(summaryOf)].join("\n")}\n`
}

/** The same as plain values. */
export const listingJson = (namespaces: ReadonlyArray<ScannedNamespace>) =>
  namespaces.map((namespace) => ({
    namespace: namespace.namespace,
    totals: totalsOf(namespace),
    shards: namespace.shards.map(({ filesets, shard }) => ({
      shard,
      filesets: filesets.map((fileset) => ({
        blockStart: fileset.blockStart,
        blockSize: fileset.blockSize ?? null,
        volume: fileset.volume,
        entries: fileset.entries ?? null,
        bytes: fileset.bytes,
        complete: fileset.complete,
        state: stateOf(fileset),
        ...(fileset.problem === undefined ? {} : {
          problem: {
            path: fileset.problem.path,
            offset: fileset.problem.offset,
            what: fileset.problem.message,
            remedy: fileset.problem.remedy
          }
        })
      }))
    }))
  }))
