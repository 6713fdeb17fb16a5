/**
 * The known peers' document: JSON text with a version. Reading is tolerant: a record that cannot be read is left out and counted, because losing a
 * few peers must never keep a node from starting.
 */
import { ConnectionLimits } from "../../contract/ConnectionLimits.ts"

export interface SavedPoint {
  readonly point: string
  readonly id?: string
  readonly score?: number
  readonly failures?: number
  readonly restUntil?: number
  readonly seen?: number
}

/** `key`: `id …` or `point …`. `until` null: for good. */
export interface SavedBan {
  readonly key: string
  readonly until: number | null
  readonly reason: string
}

export interface SavedGreylisting {
  readonly key: string
  readonly until: number
  readonly times: number
  readonly reason: string
}

export interface SavedCounter {
  readonly key: string
  readonly count: number
  readonly windowStart: number
  readonly lost: boolean
}

export interface SavedPeers {
  readonly points: ReadonlyArray<SavedPoint>
  readonly bans: ReadonlyArray<SavedBan>
  readonly greylist: ReadonlyArray<SavedGreylisting>
  readonly counters: ReadonlyArray<SavedCounter>
}

const version = 1

/** The document. Times are absolute milliseconds. */
export const writeSavedPeers = (saved: SavedPeers): string => JSON.stringify({ version, ...saved })

type Fields = Readonly<Record<string, unknown>>

const isText = (value: unknown, most: number): value is string =>
  typeof value === "string" && value.length > 0 && value.length <= most
const isTime = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value)
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0
const isKey = (value: unknown): value is string =>
  isText(value, ConnectionLimits.hostCharacters + 16) && /^(id|point) \S/.test(value)
const isReason = (value: unknown): value is string =>
  typeof value === "string" && value.length <= ConnectionLimits.reasonCharacters

const readPoint = (from: Fields): SavedPoint | undefined => {
  const { failures, id, point, restUntil, score, seen } = from
  if (!isText(point, ConnectionLimits.hostCharacters + 16)) return undefined
  return {
    point,
    ...(isText(id, ConnectionLimits.idCharacters) && { id }),
    ...(isCount(score) && { score }),
    ...(isCount(failures) && { failures: Math.min(failures, ConnectionLimits.failures) }),
    ...(isTime(restUntil) && { restUntil }),
    ...(isTime(seen) && { seen })
  }
}

const readBan = ({ key, reason, until }: Fields): SavedBan | undefined =>
  isKey(key) && isReason(reason) && (until === null || isTime(until)) ? { key, until, reason } : undefined

const readGreylisting = ({ key, reason, times, until }: Fields): SavedGreylisting | undefined =>
  isKey(key) && isReason(reason) && isTime(until) && isCount(times) ? { key, until, times, reason } : undefined

const readCounter = ({ count, key, lost, windowStart }: Fields): SavedCounter | undefined =>
  isKey(key) && isCount(count) && isTime(windowStart) && typeof lost === "boolean"
    ? { key, count, windowStart, lost }
    : undefined

export interface ReadPeers {
  readonly saved: SavedPeers
  readonly problem: string | undefined
}

const nothing: SavedPeers = { points: [], bans: [], greylist: [], counters: [] }

const failed = (problem: string): ReadPeers => ({ saved: nothing, problem: `known peers: ${problem}` })

/** Reads a document. What it cannot read is missing in `saved` and told in `problem`. */
export const readSavedPeers = (text: string): ReadPeers => {
  if (text.length > ConnectionLimits.savedCharacters) {
    return failed(`${text.length} characters, more than ${ConnectionLimits.savedCharacters}; nothing was taken`)
  }
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    return failed("not JSON; nothing was taken")
  }
  if (typeof document !== "object" || document === null) return failed("not a JSON object; nothing was taken")
  const fields = document as Fields
  if (fields["version"] !== version) {
    return failed(`version ${JSON.stringify(fields["version"] ?? null)} instead of ${version}; nothing was taken`)
  }
  const unread: Array<string> = []
  const list = <T>(name: keyof SavedPeers, read: (from: Fields) => T | undefined): Array<T> => {
    const given = fields[name]
    if (!Array.isArray(given)) {
      unread.push(`${name} is no list`)
      return []
    }
    const records = given.map((one: unknown) =>
      typeof one === "object" && one !== null ? read(one as Fields) : undefined
    )
    const good = records.filter((one) => one !== undefined)
    if (good.length < records.length) unread.push(`${records.length - good.length} of ${records.length} ${name}`)
    return good
  }
  const saved = {
    points: list("points", readPoint),
    bans: list("bans", readBan),
    greylist: list("greylist", readGreylisting),
    counters: list("counters", readCounter)
  }
  return { saved, problem: unread.length === 0 ? undefined : `known peers: left out ${unread.join(", ")}` }
}
