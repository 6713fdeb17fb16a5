/** What a seeded replica holds, as plain values and as the text that scenarios and command lines use. */
import { type Shape, shapes } from "@peerstrap/m3tsz/testing"
import { type EveryRule, parseEvery } from "./Picks.ts"

/** `mixed` goes through the others series by series; a single series of shape `mixed` changes its kind within a block. */
export type SeededShape = Shape

/** Everything that decides a seeded data set. The same spec gives the same bytes everywhere. */
export interface SeededSpec {
  readonly seed: number
  readonly namespace: string
  readonly numShards: number
  /** The cluster's `hashing.seed`. */
  readonly hashSeed: number
  readonly series: number
  readonly blocks: number
  /** ns, a multiple of the block size. */
  readonly start: bigint
  /** ns. */
  readonly blockSize: bigint
  /** Points of a series in a block. */
  readonly points: number
  /** Tags of each series, sorted by name; −1: 0 to 19 of them. */
  readonly tags: number
  readonly shape: SeededShape
  /** The last so many blocks are still in memory: first phase of the listing, head and tail. */
  readonly active: number
  /** Every K-th series has annotations, 0: none. */
  readonly annotate: number
  /** Every K-th id is odd: not UTF-8, very long, with control characters. 0: none. */
  readonly odd: number
  /** Ids begin with it. */
  readonly prefix: string
  /** Shards owned; undefined: all. */
  readonly shards: ReadonlyArray<number> | undefined
}

/** How one replica's data differ from the spec's. */
export interface SeededVariation {
  /** These series are not there. */
  readonly lackSeries?: EveryRule | undefined
  /** These points of every block are not there, by their position in it. */
  readonly lackPoints?: EveryRule | undefined
  /** These series have every value plus 1. */
  readonly otherValues?: EveryRule | undefined
  /** Blocks of these series that are still in memory are held as two streams. */
  readonly unmerged?: EveryRule | undefined
}

const nanosPerSecond = 1_000_000_000n

/** A thousand series of one block each; the spec that others vary. */
export const defaultSpec: SeededSpec = {
  seed: 1,
  namespace: "ns",
  numShards: 64,
  hashSeed: 0,
  series: 1_000,
  blocks: 1,
  start: 1_600_000_000n * nanosPerSecond - 1_600_000_000n * nanosPerSecond % (7_200n * nanosPerSecond),
  blockSize: 7_200n * nanosPerSecond,
  points: 60,
  tags: 3,
  shape: "mixed",
  active: 0,
  annotate: 0,
  odd: 0,
  prefix: "series",
  shards: undefined
}

/** Why a spec's text does not parse. */
export interface SpecProblem {
  readonly problem: string
}

const durationUnits: Readonly<Record<string, bigint>> = {
  h: 3_600n * nanosPerSecond,
  m: 60n * nanosPerSecond,
  s: nanosPerSecond
}

/** `2h`, `90m`, `30s`, or plain ns. */
const parseDuration = (text: string): bigint | undefined => {
  const match = /^(\d{1,18})([hms]?)$/.exec(text)
  if (match === null) return undefined
  const value = BigInt(match[1]!) * (match[2] === "" ? 1n : durationUnits[match[2]!]!)
  return value > 0n ? value : undefined
}

/** `0-3,7` to the numbers. */
const parseShards = (text: string): ReadonlyArray<number> | undefined => {
  const shards: Array<number> = []
  for (const part of text.split(";")) {
    const match = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(part)
    if (match === null) return undefined
    for (let shard = Number(match[1]); shard <= Number(match[2] ?? match[1]); shard++) shards.push(shard)
  }
  return shards
}

type Reader = (text: string) => number | string | bigint | ReadonlyArray<number> | undefined

const whole = (least: number, most: number): Reader => (text) => {
  const value = /^-?\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  return value >= least && value <= most ? value : undefined
}

const readers: { readonly [K in keyof SeededSpec]: { readonly usage: string; readonly read: Reader } } = {
  seed: { usage: "a whole number", read: whole(0, 4_294_967_295) },
  namespace: { usage: "a name", read: (text) => text === "" ? undefined : text },
  numShards: { usage: "1 to 4096", read: whole(1, 4_096) },
  hashSeed: { usage: "a whole number", read: whole(0, 4_294_967_295) },
  series: { usage: "0 to 10,000,000", read: whole(0, 10_000_000) },
  blocks: { usage: "1 to 10,000", read: whole(1, 10_000) },
  start: {
    usage: "ns, aligned down to the block size",
    read: (text) => /^\d{1,19}$/.test(text) ? BigInt(text) : undefined
  },
  blockSize: { usage: "such as 2h, 90m, 30s", read: parseDuration },
  points: { usage: "0 to 1,000,000", read: whole(0, 1_000_000) },
  tags: { usage: "-1 to 19", read: whole(-1, 19) },
  shape: { usage: shapes.join("|"), read: (text) => shapes.find((shape) => shape === text) },
  active: { usage: "a number of blocks", read: whole(0, 10_000) },
  annotate: { usage: "every K-th series", read: whole(0, 10_000_000) },
  odd: { usage: "every K-th series", read: whole(0, 10_000_000) },
  prefix: { usage: "a name", read: (text) => text },
  shards: { usage: "such as 0-3;7", read: parseShards }
}

const isSpecKey = (key: string): key is keyof SeededSpec => Object.hasOwn(readers, key)

/** A spec from some of its values; the start is aligned down to the block size. */
export const seededSpec = (given: Partial<SeededSpec> = {}): SeededSpec => {
  const spec = { ...defaultSpec, ...given }
  return { ...spec, start: spec.start - spec.start % spec.blockSize }
}

const readPairs = (text: string, take: (key: string, value: string) => string | undefined): SpecProblem | undefined => {
  for (const pair of text.split(",").map((one) => one.trim()).filter((one) => one !== "")) {
    const at = pair.indexOf("=")
    const problem = at < 1 ? `"${pair}": want KEY=VALUE` : take(pair.slice(0, at), pair.slice(at + 1))
    if (problem !== undefined) return { problem }
  }
  return undefined
}

/** Reads `series=5000,points=60,blocks=2,seed=7`. A problem names the keys that exist. */
export const parseSeededSpec = (text: string): SeededSpec | SpecProblem => {
  const given: Record<string, unknown> = {}
  const problem = readPairs(text, (key, value) => {
    if (!isSpecKey(key)) return `no spec key "${key}"; there are: ${Object.keys(readers).join(", ")}`
    const { read, usage } = readers[key]
    given[key] = read(value)
    return given[key] === undefined ? `${key}=${value}: want ${usage}` : undefined
  })
  return problem ?? seededSpec(given as Partial<SeededSpec>)
}

const variationKeys = {
  "lack-series": "lackSeries",
  "lack-points": "lackPoints",
  "other-values": "otherValues",
  unmerged: "unmerged"
} as const

/** Reads `lack-series=5,lack-points=2/1`. */
export const parseVariation = (text: string): SeededVariation | SpecProblem => {
  const given: { -readonly [K in keyof SeededVariation]: SeededVariation[K] } = {}
  const problem = readPairs(text, (key, value) => {
    if (!Object.hasOwn(variationKeys, key)) {
      return `no variation "${key}"; there are: ${Object.keys(variationKeys).join(", ")}`
    }
    const rule = parseEvery(value)
    if (rule === undefined) return `${key}=${value}: want K or K/R`
    given[variationKeys[key as keyof typeof variationKeys]] = rule
    return undefined
  })
  return problem ?? given
}
