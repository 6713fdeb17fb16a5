/** Wrong merge rules that the kit must reject, each with what is wrong. A kit that lets one pass checks nothing. */
import type { Copy, Datapoints, MergeRule } from "../contract/Datapoints.ts"
import { mostReplicas } from "../engine/Merge.ts"
import { pointWords } from "../engine/Words.ts"
import { type Held, naiveMerge } from "./NaiveMerge.ts"

const rule = (name: string, merge: (copies: ReadonlyArray<Copy>) => Datapoints): MergeRule => ({ name, merge })

const byPeer = (a: Held, b: Held): number => (a.copy.peer < b.copy.peer ? -1 : 1)

const valueOf = ({ copy, index }: Held): number => copy.points.values[index]!

const most = (held: ReadonlyArray<Held>, equal: (a: Held, b: Held) => boolean): ReadonlyArray<Held> => {
  const votes = held.map((one) => held.filter((other) => equal(one, other)).length)
  const best = Math.max(...votes)
  return held.filter((_, i) => votes[i] === best)
}

const sameBits = (a: Held, b: Held): boolean => a.bits === b.bits

const edited = (edit: (points: Datapoints) => void) => (copies: ReadonlyArray<Copy>): Datapoints => {
  const points = mostReplicas.merge(copies)
  edit(points)
  return points
}

/** Rules that break what every rule must do. */
export const mergeMutants: ReadonlyArray<MergeRule> = [
  rule("first to arrive wins", naiveMerge((held) => held[0]!)),
  rule("last to arrive wins", naiveMerge((held) => held.at(-1)!)),
  rule("ties by order of arrival", naiveMerge((held) => most(held, sameBits)[0]!)),
  rule("annotations lost", edited((points) => points.annotations.clear())),
  rule("units lost", edited((points) => points.units.fill(1))),
  rule("−0 becomes 0", edited((points) => points.values.forEach((v, i) => points.values[i] = v === 0 ? 0 : v))),
  rule("last point lost", edited((points) => points.count = Math.max(0, points.count - 1))),
  rule("first copy only", (copies) => copies[0]!.points),
  rule(
    "annotation of another copy",
    (copies) => {
      const points = mostReplicas.merge(copies)
      for (const copy of copies) {
        copy.points.annotations.forEach((bytes, i) => {
          const at = points.timestamps.indexOf(copy.points.timestamps[i]!)
          if (!points.annotations.has(at)) points.annotations.set(at, bytes)
        })
      }
      return points
    }
  ),
  rule("times are moved in the copies", (copies) => {
    const merged = mostReplicas.merge(copies)
    for (const { points } of copies) if (points.count > 0) pointWords(points).times[0]! ^= 1
    return merged
  })
]

/** Rules that are sound in general but not `most-replicas`: the kit needs its reference to reject them. */
export const mostReplicasMutants: ReadonlyArray<MergeRule> = [
  rule(
    "values compared by ==",
    naiveMerge((held) => most(held.toSorted(byPeer), (a, b) => valueOf(a) === valueOf(b))[0]!)
  ),
  rule(
    "NaN is one value",
    naiveMerge((held) => most(held.toSorted(byPeer), (a, b) => Object.is(valueOf(a), valueOf(b)))[0]!)
  ),
  rule("ties to the greatest peer", naiveMerge((held) => most(held.toSorted(byPeer), sameBits).at(-1)!)),
  rule("smallest peer without a vote", naiveMerge((held) => held.toSorted(byPeer)[0]!)),
  rule(
    "peers compared as in a dictionary",
    naiveMerge((held) =>
      most(held.toSorted((a, b) => a.copy.peer.localeCompare(b.copy.peer, "en", { numeric: true })), sameBits)[0]!
    )
  ),
  rule(
    "fewest copies",
    naiveMerge((held) => {
      const sorted = held.toSorted(byPeer)
      return sorted.find((one) => sorted.filter((other) => sameBits(one, other)).length === 1) ?? sorted[0]!
    })
  )
]
