/** Turns the waits of all parts of a run into an answer to "why does it not go on?". */
import { progressLimits } from "../contract/Limits.ts"
import type { Wait } from "../contract/Wait.ts"
import { formatDuration } from "./Format.ts"

/** Waits with the same reason and remedy, as one. */
export interface MergedWait extends Wait {
  /** All subjects, oldest wait first; `subject` names the first few. */
  readonly subjects: ReadonlyArray<string>
}

const compareText = (a: string, b: string): number => a < b ? -1 : a > b ? 1 : 0

/** Oldest first, then by subject. */
export const sortWaits = (waits: ReadonlyArray<Wait>): ReadonlyArray<Wait> =>
  waits.toSorted((a, b) => a.sinceMillis - b.sinceMillis || compareText(a.subject, b.subject))

const nameSubjects = (subjects: ReadonlyArray<string>): string => {
  const shown = subjects.slice(0, progressLimits.shownSubjects)
  const more = subjects.length - shown.length
  return more === 0 ? shown.join(", ") : `${shown.join(", ")} and ${more} more`
}

/** Merges waits that differ in their subject only. What most subjects wait for comes first, then the oldest. */
export const mergeWaits = (waits: ReadonlyArray<Wait>): ReadonlyArray<MergedWait> => {
  const groups = new Map<string, Array<Wait>>()
  for (const wait of sortWaits(waits)) {
    const key = JSON.stringify([
      wait.waitingFor,
      wait.cause,
      wait.level ?? null,
      wait.remedy,
      wait.peers.toSorted(compareText)
    ])
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [wait])
    else group.push(wait)
  }
  const merged: Array<MergedWait> = []
  for (const group of groups.values()) {
    const first = group[0]
    if (first === undefined) continue
    const subjects = [...new Set(group.map((wait) => wait.subject))]
    merged.push({ ...first, subject: nameSubjects(subjects), subjects })
  }
  return merged.toSorted((a, b) => b.subjects.length - a.subjects.length || a.sinceMillis - b.sinceMillis)
}

/** One line: `shard 3 waits for metadata from peer C: connection refused (7 tries, next in 2.0 s)`. */
export const formatWait = (wait: Wait): string => `${wait.subject} waits for ${wait.waitingFor}: ${wait.cause}`

/** Plain text for a person: each wait with its cause, the level it needs, and what to do. */
export const formatWhy = (waits: ReadonlyArray<Wait>, nowMillis: number): string => {
  const merged = mergeWaits(waits)
  if (merged.length === 0) return "Nothing is waiting.\n"
  return merged.map((wait) => {
    const lines = [
      `${wait.subject} waits for ${wait.waitingFor} (for ${formatDuration(Math.max(0, nowMillis - wait.sinceMillis))})`,
      `  because: ${wait.cause}`
    ]
    if (wait.level !== undefined) lines.push(`  level needed: ${wait.level}`)
    if (wait.peers.length > 0) lines.push(`  peers: ${wait.peers.join(", ")}`)
    lines.push(`  what to do: ${wait.remedy}`)
    return `${lines.join("\n")}\n`
  }).join("\n")
}

/** The waits of a run as JSON, the longest first. */
export interface WhyJson {
  readonly nowMillis: number
  readonly waits: ReadonlyArray<MergedWait & { readonly forMillis: number }>
}

/** The same as plain JSON values. */
export const whyJson = (waits: ReadonlyArray<Wait>, nowMillis: number): WhyJson => ({
  nowMillis,
  waits: mergeWaits(waits).map((wait) => ({ ...wait, forMillis: Math.max(0, nowMillis - wait.sinceMillis) }))
})
