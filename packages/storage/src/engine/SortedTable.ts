/** Keys and values in memory, in the order of the keys' bytes. Holds copies and gives copies. */
import type { KeyValueChange, KeyValueEntry, KeyValuePage, KeyValueScan } from "../contract/KeyValue.ts"
import { Limits } from "../contract/Limits.ts"
import { keyAfterPrefix } from "./KeyOrder.ts"

// One character a byte: strings compare as the bytes do, and are keys of a Map.
const nameOf = (key: Uint8Array): string => Buffer.from(key.buffer, key.byteOffset, key.length).toString("latin1")
const keyOf = (name: string): Uint8Array => Uint8Array.from(Buffer.from(name, "latin1"))

/** What an entry costs beside its bytes. */
const entryOverheadBytes = 64
/** Up to so many new or lost keys are put in their places one by one. */
const fewNames = 32

export class SortedTable {
  private readonly values = new Map<string, Uint8Array>()
  private names: Array<string> = []
  /** Keys that `names` does not have yet, and has still: put right when somebody scans. */
  private readonly made = new Set<string>()
  private readonly lost = new Set<string>()
  /** Keys and values, with 64 bytes each entry. */
  bytes = 0

  get size(): number {
    return this.values.size
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.values.get(nameOf(key))?.slice()
  }

  /** `bytes` as it were after the changes, at most: a key that is named twice counts twice. */
  bytesAfter(changes: ReadonlyArray<KeyValueChange>): number {
    return changes.reduce((total, { key, value }) => {
      const name = nameOf(key)
      return total + (value === undefined ? 0 : this.costOf(name, value)) - this.costOf(name, this.values.get(name))
    }, this.bytes)
  }

  apply(changes: ReadonlyArray<KeyValueChange>): void {
    for (const { key, value } of changes) {
      const name = nameOf(key)
      const before = this.values.get(name)
      this.bytes -= this.costOf(name, before)
      if (value === undefined) {
        this.values.delete(name)
        if (before !== undefined && !this.made.delete(name)) this.lost.add(name)
      } else {
        this.bytes += this.costOf(name, value)
        this.values.set(name, value.slice())
        if (before === undefined && !this.lost.delete(name)) this.made.add(name)
      }
    }
  }

  scan({ after, limit, prefix = new Uint8Array(0) }: KeyValueScan): KeyValuePage {
    this.putNamesRight()
    const end = keyAfterPrefix(prefix)
    const low = this.indexOf(nameOf(prefix))
    const high = end === undefined || prefix.length === 0 ? this.names.length : this.indexOf(nameOf(end))
    const start = after === undefined ? low : Math.max(low, this.indexOf(`${nameOf(after)}\0`))
    const entries: Array<KeyValueEntry> = []
    let bytes = 0
    for (let i = start; i < high; i++) {
      const name = this.names[i]!
      const value = this.values.get(name)!
      bytes += name.length + value.length
      if (entries.length === limit || (entries.length > 0 && bytes > Limits.scanBytes)) {
        return { entries, isLast: false }
      }
      entries.push({ key: keyOf(name), value: value.slice() })
    }
    return { entries, isLast: true }
  }

  private costOf(name: string, value: Uint8Array | undefined): number {
    return value === undefined ? 0 : name.length + value.length + entryOverheadBytes
  }

  /** Index of the first name that is not below `name`. */
  private indexOf(name: string): number {
    let low = 0
    let high = this.names.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.names[middle]! < name) low = middle + 1
      else high = middle
    }
    return low
  }

  private putNamesRight(): void {
    const { lost, made } = this
    if (lost.size > fewNames) this.names = this.names.filter((name) => !lost.has(name))
    else for (const name of lost) this.names.splice(this.indexOf(name), 1)
    lost.clear()
    if (made.size > fewNames) this.names = [...this.names, ...made].toSorted()
    else for (const name of made) this.names.splice(this.indexOf(name), 0, name)
    made.clear()
  }
}
