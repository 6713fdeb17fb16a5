/** Wrong merge rules that the kit rejects, each for the reason that stands with it. A kit that lets one pass checks nothing. */
import type { Mutant } from "@peerstrap/conformance"
import type { Copy, Datapoints } from "../contract/Datapoints.ts"
import { highestPeer, mostReplicas } from "../engine/Merge.ts"
import { pointWords } from "../engine/Words.ts"
import { type CheckedMergeRule, mergeRuleLayer } from "./MergeRuleKit.ts"
import { type Held, naiveMerge, naiveMostReplicas } from "./NaiveMerge.ts"

type Merge = (copies: ReadonlyArray<Copy>) => Datapoints

export type MergeMutant = Mutant<CheckedMergeRule>

/** All have the reference of `most-replicas`: what is sound in general but not that rule needs it to be found out. */
const mutant = (name: string, rejectedBy: string, because: RegExp, merge: Merge): MergeMutant => ({
  name,
  rejectedBy,
  because,
  layer: mergeRuleLayer({ name, merge }, naiveMostReplicas)
})

const sound = "every time of every copy once, each point as some copy holds it"
const anyOrder = "the order of the copies does not matter"
const reference = "each choice is that of the reference"

const byPeer = (a: Held, b: Held): number => (a.copy.peer < b.copy.peer ? -1 : 1)

const valueOf = ({ copy, index }: Held): number => copy.points.values[index]!

const most = (held: ReadonlyArray<Held>, equal: (a: Held, b: Held) => boolean): ReadonlyArray<Held> => {
  const votes = held.map((one) => held.filter((other) => equal(one, other)).length)
  const best = Math.max(...votes)
  return held.filter((_, i) => votes[i] === best)
}

const sameBits = (a: Held, b: Held): boolean => a.bits === b.bits

const edited = (edit: (points: Datapoints) => void): Merge => (copies) => {
  const points = mostReplicas.merge(copies)
  edit(points)
  return points
}

/** Rules that break what every rule does. */
const lawless: ReadonlyArray<MergeMutant> = [
  mutant("lets the first to arrive win", anyOrder, /other order: .* expected "/, naiveMerge((held) => held[0]!)),
  mutant("lets the last to arrive win", anyOrder, /other order: .* expected "/, naiveMerge((held) => held.at(-1)!)),
  mutant("settles ties by order of arrival", anyOrder, /other order/, naiveMerge((held) => most(held, sameBits)[0]!)),
  mutant("loses annotations", sound, /no copy holds this point/, edited((points) => points.annotations.clear())),
  mutant("loses units", sound, /no copy holds this point/, edited((points) => points.units.fill(1))),
  mutant(
    "makes 0 of −0",
    sound,
    /no copy holds this point .*: \d+ 0{16} /,
    edited((points) => points.values.forEach((v, i) => points.values[i] = v === 0 ? 0 : v))
  ),
  mutant(
    "loses the last point",
    sound,
    /(\d+) points for \d+ times/,
    edited((points) => points.count = Math.max(0, points.count - 1))
  ),
  mutant("takes the first copy only", sound, /points for \d+ times/, (copies) => copies[0]!.points),
  mutant("takes the annotation of another copy", sound, /no copy holds this point/, (copies) => {
    const points = mostReplicas.merge(copies)
    for (const copy of copies) {
      copy.points.annotations.forEach((bytes, i) => {
        const at = points.timestamps.indexOf(copy.points.timestamps[i]!)
        if (!points.annotations.has(at)) points.annotations.set(at, bytes)
      })
    }
    return points
  }),
  mutant("moves times in the copies", "copies are not changed", /copy \d was changed/, (copies) => {
    const merged = mostReplicas.merge(copies)
    for (const { points } of copies) if (points.count > 0) pointWords(points).times[0]! ^= 1
    return merged
  }),
  mutant("gives the same arrays each time", "results are not reused", /changed an earlier result/, reusing()),
  mutant("alternates", "the same copies give the same points again", /again: /, alternating()),
  mutant(
    "drops a copy that is alone",
    "one copy stays as it is",
    /one copy: 0 points, expected \d+/,
    (copies) => copies.length === 1 ? naiveMostReplicas([]) : naiveMostReplicas(copies)
  ),
  mutant("trusts no unanimity", "equal copies stay as they are", /equal copies: /, (copies) => {
    const points = mostReplicas.merge(copies)
    if (copies.length > 5) points.units.fill(4)
    return points
  }),
  mutant("counts how often it was merged", "a result merged with itself stays", /with itself: /, (copies) => {
    const points = mostReplicas.merge(copies)
    if (copies.length === 2) points.annotations.set(0, Uint8Array.of((points.annotations.get(0)?.[0] ?? 0) + 1))
    return points
  }),
  mutant(
    "loses a point for every copy without points",
    "a copy without points changes nothing",
    /with empty copies: \d+ points, expected \d+/,
    (copies) => {
      const points = mostReplicas.merge(copies)
      const empty = copies.filter(({ points: { count } }) => count === 0).length
      points.count = Math.max(0, points.count - empty)
      return points
    }
  ),
  mutant(
    "takes the length of the arrays for the count",
    "what stands beyond the count is not read",
    /with longer arrays/,
    (copies) =>
      naiveMostReplicas(copies.map(({ peer, points }) => ({
        peer,
        points: { ...points, count: points.timestamps.length }
      })))
  ),
  mutant(
    "stops after 4,096 points",
    "a block with very many points is merged whole",
    /4096 points for 500\d times/,
    edited((points) => points.count = Math.min(points.count, 4_096))
  )
]

/** Rules that keep all laws but are not `most-replicas`. */
const otherRules: ReadonlyArray<MergeMutant> = [
  mutant(
    "compares values by ==",
    reference,
    /reference: /,
    naiveMerge((held) => most(held.toSorted(byPeer), (a, b) => valueOf(a) === valueOf(b))[0]!)
  ),
  mutant(
    "takes all NaN for one value",
    reference,
    /reference: .* 7ff80000/,
    naiveMerge((held) => most(held.toSorted(byPeer), (a, b) => Object.is(valueOf(a), valueOf(b)))[0]!)
  ),
  mutant(
    "gives ties to the greatest peer",
    reference,
    /reference: /,
    naiveMerge((held) => most(held.toSorted(byPeer), sameBits).at(-1)!)
  ),
  mutant(
    "takes the smallest peer without a vote",
    reference,
    /reference: /,
    naiveMerge((held) => held.toSorted(byPeer)[0]!)
  ),
  mutant(
    "compares peers as in a dictionary",
    reference,
    /reference: /,
    naiveMerge((held) =>
      most(held.toSorted((a, b) => a.copy.peer.localeCompare(b.copy.peer, "en", { numeric: true })), sameBits)[0]!
    )
  ),
  mutant(
    "takes what fewest hold",
    reference,
    /reference: /,
    naiveMerge((held) => {
      const sorted = held.toSorted(byPeer)
      return sorted.find((one) => sorted.filter((other) => sameBits(one, other)).length === 1) ?? sorted[0]!
    })
  )
]

export const mergeMutants: ReadonlyArray<MergeMutant> = [...lawless, ...otherRules]

function reusing(): Merge {
  const own = { ...mostReplicas.merge([]), values: new Float64Array(20_000) }
  return (copies) => {
    const points = mostReplicas.merge(copies)
    own.values.set(points.values.subarray(0, points.count))
    return { ...points, values: own.values }
  }
}

function alternating(): Merge {
  let calls = 0
  return (copies) => (calls++ % 2 === 0 ? mostReplicas : highestPeer).merge(copies)
}
