/**
 * The columns of the groups: per group its series, start and counts, per (group, peer) presence, checksum and size with a
 * stride of `peerCount`. All columns grow together, by doubling, one after the other.
 */
import type { MemoryBound } from "./MemoryBound.ts"

/** Values of `presence`. */
export const absent = 0
export const withoutChecksum = 1
export const withChecksum = 2

export class GroupColumns {
  private readonly memory: MemoryBound
  readonly peerCount: number
  capacity = 0
  series = new Int32Array(0)
  startHi = new Int32Array(0)
  startLo = new Int32Array(0)
  /** Unfinished peers that have not reported the group; 0 means ready. */
  missing = new Uint8Array(0)
  reporters = new Uint8Array(0)
  /** Groups in the order in which they became ready. */
  readyOrder = new Int32Array(0)
  presence = new Uint8Array(0)
  checksum = new Uint32Array(0)
  sizeBytes = new Uint32Array(0)

  constructor(memory: MemoryBound, peerCount: number) {
    this.memory = memory
    this.peerCount = peerCount
  }

  /** Bytes of one group in all columns. */
  get rowBytes(): number {
    return 4 * 4 + 2 + this.peerCount * (1 + 4 + 4)
  }

  /** Grows to `capacity` groups; `false` when the memory bound refuses. */
  grow(capacity: number): boolean {
    if (!this.memory.tryTake((capacity - this.capacity) * this.rowBytes)) return false
    const cells = capacity * this.peerCount
    this.series = copied(this.series, new Int32Array(capacity))
    this.startHi = copied(this.startHi, new Int32Array(capacity))
    this.startLo = copied(this.startLo, new Int32Array(capacity))
    this.missing = copied(this.missing, new Uint8Array(capacity))
    this.reporters = copied(this.reporters, new Uint8Array(capacity))
    this.readyOrder = copied(this.readyOrder, new Int32Array(capacity))
    this.presence = copied(this.presence, new Uint8Array(cells))
    this.checksum = copied(this.checksum, new Uint32Array(cells))
    this.sizeBytes = copied(this.sizeBytes, new Uint32Array(cells))
    this.capacity = capacity
    return true
  }

  clear(): void {
    this.capacity = 0
    this.series = new Int32Array(0)
    this.startHi = new Int32Array(0)
    this.startLo = new Int32Array(0)
    this.missing = new Uint8Array(0)
    this.reporters = new Uint8Array(0)
    this.readyOrder = new Int32Array(0)
    this.presence = new Uint8Array(0)
    this.checksum = new Uint32Array(0)
    this.sizeBytes = new Uint32Array(0)
  }
}

const copied = <A extends Int32Array | Uint32Array | Uint8Array>(from: A, to: A): A => {
  to.set(from)
  return to
}
