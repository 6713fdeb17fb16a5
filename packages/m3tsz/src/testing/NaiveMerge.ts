/** Merge rules written as their definition says, with a map a time: slow, obvious, the reference of the kit. */
import type { Copy, Datapoints } from "../contract/Datapoints.ts"
import { DatapointsBuffer } from "../engine/DatapointsBuffer.ts"
import { high, low, pointWords } from "../engine/Words.ts"

/** A point where a copy holds it. */
export interface Held {
  readonly copy: Copy
  readonly index: number
  /** float64 bits as 16 hex digits. */
  readonly bits: string
}

/** Picks one of the points that copies hold at one time; `held` is in the order of the copies given. */
export type Pick = (held: ReadonlyArray<Held>) => Held

const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, "0")

/** Groups by time and lets `pick` decide each. */
export const naiveMerge = (pick: Pick) => (copies: ReadonlyArray<Copy>): Datapoints => {
  const times = new Map<bigint, Array<Held>>()
  for (const copy of copies) {
    const { values } = pointWords(copy.points)
    for (let index = 0; index < copy.points.count; index++) {
      const time = copy.points.timestamps[index]!
      const held = { copy, index, bits: hex(values[2 * index + high]!) + hex(values[2 * index + low]!) }
      times.set(time, [...(times.get(time) ?? []), held])
    }
  }
  const out = new DatapointsBuffer(times.size)
  for (const [, held] of [...times].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const winner = pick(held)
    out.push(pointWords(winner.copy.points), winner.index)
  }
  return out.toDatapoints()
}

const byPeer = (a: Held, b: Held): number => (a.copy.peer < b.copy.peer ? -1 : 1)

/** The value that most replicas hold; a tie goes to the highest peer id. */
export const naiveMostReplicas = naiveMerge((held) => {
  const votes = (bits: string): number => held.filter((other) => other.bits === bits).length
  const most = Math.max(...held.map(({ bits }) => votes(bits)))
  return held.filter(({ bits }) => votes(bits) === most).toSorted(byPeer)[0]!
})

/** The value of the highest peer id. */
export const naiveHighestPeer = naiveMerge((held) => held.toSorted(byPeer).at(-1)!)
