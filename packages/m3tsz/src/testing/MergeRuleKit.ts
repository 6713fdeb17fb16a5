/**
 * What every merge rule does, as checks of the conformance core: laws over seeded copies, and, with a reference (a naive form of the same
 * rule), each of its choices. A rule is a plain function: there is nothing in it to cancel, to leak or to simulate. What fails says the points that differ
 * and the seed that made them.
 */
import { type Check, fail } from "@peerstrap/conformance"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Copy, Datapoints, MergeRule } from "../contract/Datapoints.ts"
import { highestPeer, mostReplicas } from "../engine/Merge.ts"
import { high, low, wordsOf } from "../engine/Words.ts"
import { describePoints } from "./Comparison.ts"
import { naiveHighestPeer, naiveMostReplicas } from "./NaiveMerge.ts"
import { Random } from "./Random.ts"

/** The rule that is checked. */
export class CheckedMergeRule extends Context.Service<CheckedMergeRule, {
  readonly rule: MergeRule
  /** A naive form of the same rule; capability `reference`. */
  readonly reference?: (copies: ReadonlyArray<Copy>) => Datapoints
}>()("@peerstrap/m3tsz/testing/CheckedMergeRule") {}

/** A rule as the kit wants it. */
export const mergeRuleLayer = (
  rule: MergeRule,
  reference?: (copies: ReadonlyArray<Copy>) => Datapoints
): Layer.Layer<CheckedMergeRule> =>
  Layer.succeed(CheckedMergeRule, reference === undefined ? { rule } : { rule, reference })

/** What a rule may be without. */
export const mergeRuleCapabilities = {
  "reference": "a naive form of the same rule is at hand, to compare each choice with"
} as const

/** What a rule can show to the kit, by name. */
export type MergeRuleCapability = keyof typeof mergeRuleCapabilities

/** The naive forms of this package's rules, by name. */
export const mergeReferences: ReadonlyMap<string, (copies: ReadonlyArray<Copy>) => Datapoints> = new Map([
  [mostReplicas.name, naiveMostReplicas],
  [highestPeer.name, naiveHighestPeer]
])

/** Few values, so that copies agree often; pairs that == confuses: +0 and −0, two NaNs, and −0's neighbours. */
const valueBits: ReadonlyArray<readonly [number, number]> = [
  [0, 0],
  [0x80000000, 0],
  [0x7ff80000, 0],
  [0x7ff80000, 1],
  [0x3ff00000, 0],
  [0x40000000, 0],
  [0x40000000, 1]
]

const peers = ["b", "a", "B", "10", "9", "é", "z"]
const start = 1_599_998_400_000_000_000n

const emptyPoints = (count: number): Datapoints => ({
  count,
  timestamps: new BigInt64Array(count),
  values: new Float64Array(count),
  units: new Uint8Array(count),
  annotations: new Map()
})

const randomPoints = (random: Random): Datapoints => {
  const slots = Array.from({ length: 12 }, (_, i) => i).filter(() => random.below(3) > 0)
  const points = emptyPoints(random.below(8) === 0 ? 0 : slots.length)
  const words = wordsOf(points.values)
  for (let i = 0; i < points.count; i++) {
    const bits = valueBits[random.below(random.below(2) === 0 ? 2 : valueBits.length)]!
    points.timestamps[i] = start + BigInt(slots[i]!) * 10_000_000_000n
    words[2 * i + high] = bits[0]
    words[2 * i + low] = bits[1]
    points.units[i] = random.between(1, 4)
    if (random.below(3) === 0) points.annotations.set(i, Uint8Array.of(random.below(256), i))
  }
  return points
}

/** The same copy in arrays that are longer than its count. */
const lengthened = ({ peer, points }: Copy): Copy => {
  const longer = emptyPoints(points.count + 3)
  longer.timestamps.fill(start, points.count)
  longer.values.fill(99, points.count)
  longer.timestamps.set(points.timestamps.subarray(0, points.count))
  // Bytes, not numbers: a NaN keeps its payload.
  const bytes = new Uint8Array(points.values.buffer, points.values.byteOffset, points.count * 8)
  new Uint8Array(longer.values.buffer).set(bytes)
  longer.units.set(points.units.subarray(0, points.count))
  return { peer, points: { ...longer, count: points.count, annotations: points.annotations } }
}

const manyPoints = (random: Random): Datapoints => {
  const points = emptyPoints(5_000 + random.below(5))
  for (let i = 0; i < points.count; i++) {
    points.timestamps[i] = start + BigInt(i) * 1_000_000_000n
    points.values[i] = random.below(3)
    points.units[i] = 1
  }
  return points
}

const shuffled = <A>(items: ReadonlyArray<A>, random: Random): Array<A> => {
  const out = items.slice()
  for (let i = out.length - 1; i > 0; i--) {
    const j = random.below(i + 1)
    const moved = out[i]!
    out[i] = out[j]!
    out[j] = moved
  }
  return out
}

/** A seeded set of copies with distinct peers, some of them empty. */
export const generateCopies = (seed: number): Array<Copy> => {
  const random = new Random(seed)
  return shuffled(peers, random).slice(0, random.between(1, 5)).map((peer) => ({ peer, points: randomPoints(random) }))
}

const same = (what: string, actual: Datapoints, expected: Datapoints): void => {
  const [a, b] = [describePoints(actual), describePoints(expected)]
  if (a.length !== b.length || a.some((line, i) => line !== b[i])) {
    const at = Math.max(0, a.findIndex((line, i) => line !== b[i]))
    throw new Error(`${what}: ${a.length} points, expected ${b.length}; at ${at} "${a[at]}", expected "${b[at]}"`)
  }
}

const sound = (copies: ReadonlyArray<Copy>, merged: Datapoints): void => {
  const held = new Set(copies.flatMap(({ points }) => describePoints(points)))
  const times = new Set(copies.flatMap(({ points }) => Array.from(points.timestamps.subarray(0, points.count))))
  const lines = describePoints(merged)
  if (lines.length !== times.size) throw new Error(`${lines.length} points for ${times.size} times`)
  lines.forEach((line, i) => {
    if (!held.has(line)) throw new Error(`no copy holds this point (time, bits, unit, annotation): ${line}`)
    if (i > 0 && merged.timestamps[i - 1]! >= merged.timestamps[i]!) throw new Error(`times do not ascend at ${i}`)
  })
}

type Law = (rule: MergeRule, copies: ReadonlyArray<Copy>, random: Random) => void

const laws: ReadonlyArray<readonly [name: string, law: Law]> = [
  [
    "every time of every copy once, each point as some copy holds it",
    (rule, copies) => sound(copies, rule.merge(copies))
  ],
  ["the order of the copies does not matter", (rule, copies, random) => {
    const expected = rule.merge(copies)
    for (let i = 0; i < 4; i++) same("other order", rule.merge(shuffled(copies, random)), expected)
  }],
  ["the same copies give the same points again", (rule, copies) => {
    same("again", rule.merge(copies), rule.merge(copies))
  }],
  ["one copy stays as it is", (rule, copies) => {
    for (const copy of copies) same("one copy", rule.merge([copy]), copy.points)
  }],
  ["equal copies stay as they are", (rule, copies) => {
    const points = copies[0]!.points
    same("equal copies", rule.merge(peers.map((peer) => ({ peer, points }))), points)
  }],
  ["a result merged with itself stays", (rule, copies) => {
    const points = rule.merge(copies)
    same("with itself", rule.merge([{ peer: "x", points }, { peer: "y", points }]), points)
  }],
  ["a copy without points changes nothing", (rule, copies) => {
    const more = [...copies, { peer: "0", points: emptyPoints(0) }, { peer: "zz", points: emptyPoints(0) }]
    same("with empty copies", rule.merge(more), rule.merge(copies))
  }],
  ["what stands beyond the count is not read", (rule, copies) => {
    same("with longer arrays", rule.merge(copies.map(lengthened)), rule.merge(copies))
  }],
  ["copies are not changed", (rule, copies) => {
    const before = copies.map(({ points }) => describePoints(points).join("\n"))
    rule.merge(copies)
    copies.forEach(({ points }, i) => {
      if (describePoints(points).join("\n") !== before[i]) throw new Error(`copy ${i} was changed`)
    })
  }],
  ["results are not reused", (rule, copies) => {
    const first = rule.merge(copies)
    const described = describePoints(first).join("\n")
    rule.merge(generateCopies(1))
    if (describePoints(first).join("\n") !== described) throw new Error("a later merge changed an earlier result")
  }],
  ["a block with very many points is merged whole", (rule, copies, random) => {
    const large = copies.map(({ peer }) => ({ peer, points: manyPoints(random) }))
    sound(large, rule.merge(large))
  }]
]

/** Seeded sets of copies a check. */
const cases = 60
/** Of large blocks, which take longer. */
const largeCases = 2

/** Throws with the seed of the copies that broke the law. */
const holds = ([name, law]: readonly [string, Law], rule: MergeRule): void => {
  const count = name.includes("very many") ? largeCases : cases
  for (let seed = 1; seed <= count; seed++) {
    try {
      law(rule, generateCopies(seed), new Random(seed))
    } catch (cause) {
      throw new Error(`${rule.name}: ${String(cause)}; generateCopies(${seed})`, { cause })
    }
  }
}

const asReference: Check<CheckedMergeRule, MergeRuleCapability> = {
  name: "each choice is that of the reference",
  needs: ["reference"],
  run: CheckedMergeRule.use(({ reference, rule }) =>
    reference === undefined
      ? fail("there is no reference, though the capability is declared true")
      : Effect.sync(() =>
        holds(["reference", (candidate, copies) => same("reference", candidate.merge(copies), reference(copies))], rule)
      )
  )
}

export const mergeRuleChecks: ReadonlyArray<Check<CheckedMergeRule, MergeRuleCapability>> = [
  ...laws.map((law) => ({
    name: law[0],
    run: CheckedMergeRule.use(({ rule }) => Effect.sync(() => holds(law, rule)))
  })),
  asReference
]
