/** A map with a most number of records: a new one pushes out the oldest that is spent, else the oldest that may go, else it is refused. */

export interface BoundedRecordsOptions<V> {
  readonly capacity: number
  /** Nothing would be lost. */
  readonly spent: (value: V, nowMillis: number) => boolean
  /** Must not be pushed out. */
  readonly kept?: (value: V) => boolean
}

export class BoundedRecords<V> {
  private readonly records = new Map<string, V>()
  private readonly options: BoundedRecordsOptions<V>

  constructor(options: BoundedRecordsOptions<V>) {
    this.options = options
  }

  get size(): number {
    return this.records.size
  }

  get(key: string): V | undefined {
    return this.records.get(key)
  }

  set(key: string, value: V, nowMillis: number): boolean {
    if (!this.records.has(key) && this.records.size >= this.options.capacity && !this.makeRoom(nowMillis)) return false
    this.records.set(key, value)
    return true
  }

  delete(key: string): boolean {
    return this.records.delete(key)
  }

  entries(): IterableIterator<[string, V]> {
    return this.records.entries()
  }

  private makeRoom(nowMillis: number): boolean {
    let victim: string | undefined
    for (const [key, value] of this.records) {
      if (this.options.spent(value, nowMillis)) return this.records.delete(key)
      if (victim === undefined && this.options.kept?.(value) !== true) victim = key
    }
    return victim !== undefined && this.records.delete(victim)
  }
}

/** Keys of records that concern an identity or a point; the two never meet. */
export const idKey = (id: string): string => `id ${id}`
export const pointKey = (point: string): string => `point ${point}`
/** The key of a peer: its identity, or its point while that is unknown (A27). */
export const peerKey = (id: string | undefined, point: string): string => id === undefined ? pointKey(point) : idKey(id)
