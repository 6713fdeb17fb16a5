/**
 * Groups what N peers report about the same (id, start). A group is *ready* once every peer that is waited for has reported it.
 * Peers are small integers 0…N−1, groups are small integers in order of first appearance and stay valid until `clear`. Plain and
 * synchronous.
 *
 *   peer:  waited for ──unwait──► not waited for, still heard ──finish──► finished, ignored
 *              └───────────────────────finish──────────────────────────────────▲
 *
 * (specs: peer streaming 3.5, 3.16; duplicates: 5.2)
 */

/** `checksum` of a report whose block has none (several in-memory streams), so that only fetching can tell. */
export const noChecksum = -1

/**
 * Rows of a page as columns, one report each: byte ranges of `buffer`, starts as signed 32-bit halves, sizes in bytes, checksums
 * unsigned 32-bit or `noChecksum`. What `report` says about its parameters holds for them.
 */
export interface ReportColumns {
  readonly buffer: Uint8Array
  readonly count: number
  readonly idOffset: Int32Array
  readonly idLength: Int32Array
  readonly tagsOffset: Int32Array
  readonly tagsLength: Int32Array
  readonly startHi: Int32Array
  readonly startLo: Int32Array
  readonly size: Float64Array
  readonly checksum: Float64Array
}

/**
 * What the caller of `reportPage` decides and hears about rows. Called only for rows
 * that make a group or come after it was ready. It must not call the grouping's methods that change it, nor `find`.
 */
export interface RowWatch {
  /**
   * Whether a row may make a new group. A row that may not is left out without a count. `seriesKnown` tells that the id has
   * groups at other starts, so that what was checked about the id need not be checked again.
   */
  readonly admits: (row: number, seriesKnown: boolean) => boolean
  /** The row made a new group. */
  readonly made: (row: number, group: number) => void
  /** The row was recorded for a group that was ready already (`additions`). */
  readonly added: (row: number, group: number) => void
}

/** Collects reports of peers, a page or a report at a time, and says which groups are ready. */
export interface Grouping {
  readonly peerCount: number
  /** Groups ever made since the last `clear`. */
  readonly groupCount: number
  /** Bytes held by this instance's columns; the caller accounts for them. Grows in steps. */
  readonly bytes: number

  /**
   * Records that `peer` holds a block. Returns the group's index, or −1 when nothing was recorded for want of room
   * (counted in `refused`: the listing is then incomplete) or because a finished peer named a group that does not exist.
   * The same peer again: the newer report replaces the older (`duplicates`), unless the group is ready; then it is ignored (`late`; M3
   * does the same). The first report of an unwaited peer for a ready group is recorded (`additions`): `has`, `checksum`, `size` and
   * `reporters` show it, the group is not drained again.
   *
   * - The id's bytes are `buffer[idOffset, idOffset + idLength)`, copied on first sight.
   * - Encoded tags are `buffer[tagsOffset, …)`, `tagsLength` 0 when absent; first non-empty ones win, a different later value is
   *   counted in `tagConflicts`. Tags belong to the series: they hold for all its block starts.
   * - `startHi`, `startLo`: block start in ns as signed high and low 32-bit halves.
   * - `size`: bytes of the block as the peer says, 0 when unknown.
   * - `checksum`: unsigned 32-bit, or `noChecksum`.
   */
  report(
    peer: number,
    buffer: Uint8Array,
    idOffset: number,
    idLength: number,
    tagsOffset: number,
    tagsLength: number,
    startHi: number,
    startLo: number,
    size: number,
    checksum: number
  ): number

  /**
   * Reports every row of a page in order, exactly as `report` would. Returns the number of rows that said something new: recorded,
   * and not in place of an earlier report. `refused` tells when rows found no room.
   */
  reportPage(peer: number, page: ReportColumns, watch?: RowWatch): number

  /**
   * Groups wait no longer for this peer, but what it still reports counts: new groups wait for the others only (for nobody when no
   * other is waited for), and ready ones take its first report. No effect on a finished peer. Idempotent. O(groups).
   */
  unwait(peer: number): void

  /** The peer will report nothing more; what it still reports is ignored and counted in `late`. Idempotent. O(groups). */
  finish(peer: number): void

  /** Moves the indices of groups that became ready into `out` (appended), in the order in which they became ready. */
  drainReady(out: Array<number>): void

  /** Whether `peer` reported this group. */
  has(group: number, peer: number): boolean
  /** Unsigned 32-bit, or `noChecksum` (also when the peer did not report it). */
  checksum(group: number, peer: number): number
  size(group: number, peer: number): number
  /** Number of peers that reported the group. */
  reporters(group: number): number
  startHi(group: number): number
  startLo(group: number): number
  /** A view into the arena, valid until the next `report` or `clear`. */
  id(group: number): Uint8Array
  /** Bytes of the id. */
  idLength(group: number): number
  /** Copies the id to `target[at, at + idLength)`: for whoever writes many ids and wants no object for each. */
  copyId(group: number, target: DataView, at: number): void
  /** A view into the arena, empty when no peer sent tags; valid until the next `report` or `clear`. */
  tags(group: number): Uint8Array
  /** The group of an (id, start), or −1. */
  find(buffer: Uint8Array, idOffset: number, idLength: number, startHi: number, startLo: number): number

  /** Reports that replaced an earlier one of the same peer. */
  readonly duplicates: number
  /** Reports ignored because the group was ready or the peer had finished. */
  readonly late: number
  /** Reports of unwaited peers that were recorded for a group that was ready already. */
  readonly additions: number
  /** Reports whose tags differ from those that the series has. */
  readonly tagConflicts: number
  /** Reports not recorded because the maximum of groups or bytes is reached. */
  readonly refused: number

  /** Forgets everything, counters, finished and unwaited peers too, and gives the memory back. */
  clear(): void
}
