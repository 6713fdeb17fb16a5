/**
 * Groups what N peers report about the same (id, start). A group is *ready* once every peer has either reported it or
 * finished its listing. Peers are small integers 0…N−1, groups are small integers in order of first appearance and stay
 * valid until `clear`. Plain and synchronous.
 * (specs: peer streaming 3.5, 3.16; duplicates: 5.2)
 */

/** `checksum` of a report whose block has none (several in-memory streams), so that only fetching can tell. */
export const noChecksum = -1

export interface Grouping {
  readonly peerCount: number
  /** Groups ever made since the last `clear`. */
  readonly groupCount: number
  /** Bytes held by this instance's columns; the caller accounts for them. Grows in steps. */
  readonly bytes: number

  /**
   * Records that `peer` holds a block. Returns the group's index, or −1 when nothing was recorded for want of room
   * (counted in `refused`: the listing is then incomplete) or because a finished peer named a group that does not exist.
   * The same peer again: the newer report replaces the older, unless the group was ready already; then it is ignored (M3 does
   * the same) and counted in `duplicates` / `late`.
   * @param id bytes of the series id at `buffer[idOffset, idOffset + idLength)`, copied on first sight
   * @param tags encoded tags at `buffer[tagsOffset, …)`, `tagsLength` 0 when absent; first non-empty ones win, a different
   *   later value is counted in `tagConflicts`. Tags belong to the series: they hold for all its block starts
   * @param startHi, startLo block start in ns as signed high and low 32-bit halves
   * @param size bytes of the block as the peer says, 0 when unknown
   * @param checksum unsigned 32-bit, or `noChecksum`
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
  /** A view into the arena, empty when no peer sent tags; valid until the next `report` or `clear`. */
  tags(group: number): Uint8Array
  /** The group of an (id, start), or −1. */
  find(buffer: Uint8Array, idOffset: number, idLength: number, startHi: number, startLo: number): number

  /** Reports that replaced an earlier one of the same peer. */
  readonly duplicates: number
  /** Reports ignored because the group was ready or the peer had finished. */
  readonly late: number
  /** Reports whose tags differ from those that the series has. */
  readonly tagConflicts: number
  /** Reports not recorded because the maximum of groups or bytes is reached. */
  readonly refused: number

  /** Forgets everything, counters and finished peers too, and gives the memory back. */
  clear(): void
}
