/**
 * Groups what N peers report about the same (id, start). A group is *ready* once every peer has either reported it or
 * finished its listing. Peers are small integers 0…N−1, groups are small integers in order of first appearance and stay
 * valid until `clear`. Plain and synchronous.
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
   * Records that `peer` holds a block. Returns the group's index.
   * The same peer again: the newer report replaces the older, unless the group was ready already; then it is ignored (M3 does
   * the same) and counted in `duplicates` / `late`.
   * @param id bytes of the series id at `buffer[idOffset, idOffset + idLength)`, copied on first sight
   * @param tags encoded tags at `buffer[tagsOffset, …)`, `tagsLength` 0 when absent; first non-empty ones win, a different
   *   later value is counted in `tagConflicts`
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

  /** The peer will report nothing more. Idempotent. */
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

  readonly duplicates: number
  readonly late: number
  readonly tagConflicts: number

  /** Forgets everything and gives the memory back. */
  clear(): void
}
