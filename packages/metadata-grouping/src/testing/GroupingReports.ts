/** Reports and pages as the checks of the contract make them: surrounded by other bytes, which are overwritten afterwards. */
import type { Grouping, ReportColumns } from "../contract/Grouping.ts"

export const encoder = new TextEncoder()

export interface Entry {
  readonly id: string
  readonly tags?: string
  readonly startHi?: number
  readonly startLo?: number
  readonly size?: number
  readonly checksum?: number
}

/** Reports through a fresh buffer with bytes before, between and after id and tags, overwritten afterwards. */
export const report = (grouping: Grouping, peer: number, entry: Entry): number => {
  const id = encoder.encode(entry.id)
  const tags = encoder.encode(entry.tags ?? "")
  const buffer = new Uint8Array(id.length + tags.length + 7).fill(0xee)
  buffer.set(id, 3)
  buffer.set(tags, 5 + id.length)
  const { checksum = 7, size = 100, startHi = 1, startLo = 2 } = entry
  const group = grouping
    .report(peer, buffer, 3, id.length, 5 + id.length, tags.length, startHi, startLo, size, checksum)
  buffer.fill(0xdd)
  return group
}

/** The entries as one page, with bytes before, between and after; the caller may overwrite `buffer`. */
export const pageOf = (entries: ReadonlyArray<Entry>): ReportColumns => {
  const parts = entries.map((entry) => ({ id: encoder.encode(entry.id), tags: encoder.encode(entry.tags ?? "") }))
  const page = {
    buffer: new Uint8Array(3 + parts.reduce((sum, { id, tags }) => sum + id.length + tags.length + 5, 0)).fill(0xee),
    count: entries.length,
    idOffset: new Int32Array(entries.length),
    idLength: Int32Array.from(parts, ({ id }) => id.length),
    tagsOffset: new Int32Array(entries.length),
    tagsLength: Int32Array.from(parts, ({ tags }) => tags.length),
    startHi: Int32Array.from(entries, ({ startHi = 1 }) => startHi),
    startLo: Int32Array.from(entries, ({ startLo = 2 }) => startLo),
    size: Float64Array.from(entries, ({ size = 100 }) => size),
    checksum: Float64Array.from(entries, ({ checksum = 7 }) => checksum)
  }
  let at = 3
  parts.forEach(({ id, tags }, row) => {
    page.buffer.set(id, page.idOffset[row] = at)
    page.buffer.set(tags, page.tagsOffset[row] = at + id.length + 2)
    at += id.length + tags.length + 5
  })
  return page
}

export const pageOfIds = (ids: string): ReportColumns => pageOf(Array.from(ids, (id) => ({ id })))

export const drained = (grouping: Grouping): Array<number> => {
  const out: Array<number> = []
  grouping.drainReady(out)
  return out
}

/** Forty bytes of which one differs. */
export const idAt = (position: number): string => `${"o".repeat(position)}x${"o".repeat(39 - position)}`

export const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
