/** What the listings say of one series and block. Pure. */
import { Presence, type ReplicaTable } from "./ReplicaTable.ts"

/**
 * `same`: all list it with the same size and checksum · `different`: two known copies differ · `missing`: some replica does not list it
 * (those that do may agree) · `unknown`: a replica gives no checksum, so that only the data can tell.
 */
export type Comparison = "same" | "different" | "missing" | "unknown"

export const comparisons = ["same", "different", "missing", "unknown"] as const

/** The first of these that holds: different, missing, unknown, same. */
export const compareRow = (table: ReplicaTable, row: number): Comparison => {
  let first = -1
  let missing = false
  let unknown = false
  for (let replica = 0; replica < table.replicas; replica++) {
    const presence = table.presence(row, replica)
    if (presence === Presence.absent) missing = true
    else if (presence === Presence.withoutChecksum) unknown = true
    else if (first < 0) first = replica
    else if (
      table.checksum(row, replica) !== table.checksum(row, first) || table.size(row, replica) !== table.size(row, first)
    ) return "different"
  }
  return missing ? "missing" : unknown ? "unknown" : "same"
}

/** Some replica does not list it, whatever else is said of it. */
export const isMissingSomewhere = (table: ReplicaTable, row: number): boolean => {
  for (let replica = 0; replica < table.replicas; replica++) {
    if (table.presence(row, replica) === Presence.absent) return true
  }
  return false
}

/** Two copies or more are there, and the listings do not show that these are the same. */
export const needsData = (table: ReplicaTable, row: number): boolean => {
  let first = -1
  let differs = false
  for (let replica = 0; replica < table.replicas; replica++) {
    if (table.presence(row, replica) === Presence.absent) continue
    if (first < 0) first = replica
    else {differs ||= table.checksum(row, replica) !== table.checksum(row, first) ||
        table.size(row, replica) !== table.size(row, first) ||
        table.presence(row, replica) === Presence.withoutChecksum ||
        table.presence(row, first) === Presence.withoutChecksum}
  }
  return differs
}

/** Rows of every shard together. */
export type Counts = Record<Comparison, number>

export const noCounts = (): Counts => ({ same: 0, different: 0, missing: 0, unknown: 0 })

/** Counts every row, and gives those that are not the same, in order of id and block start. */
export const compareTable = (table: ReplicaTable, counts: Counts): ReadonlyArray<number> => {
  const rows: Array<number> = []
  for (let row = 0; row < table.rows; row++) {
    const comparison = compareRow(table, row)
    counts[comparison]++
    if (comparison !== "same") rows.push(row)
  }
  return rows.toSorted((a, b) => table.compare(a, b))
}
