/**
 * Copies of one block into one. Inside a replica M3's own rule holds (`mergeSegments`); between replicas a `MergeRule`
 * decides, and none of ours depends on who answered first.
 *
 *      copies, by peer id      a ──●──●─────●──        at each time: the copies that hold it → `choose` → one point
 *                              b ──●─────●──●──
 *                              c ──●──●──●──●──
 * (specs: peer streaming 3.11, 6.8, K13, K22)
 */
import type { Copy, Datapoints, MergeRule } from "../contract/Datapoints.ts"
import { MergeError } from "../contract/Errors.ts"
import { DatapointsBuffer } from "./DatapointsBuffer.ts"
import { compareWords, high, low, type PointWords, pointWords } from "./Words.ts"

/** The inputs that hold the current time: `inputs[at[0..count)]`, each at its position, in input order. */
interface Heads {
  readonly inputs: ReadonlyArray<PointWords>
  readonly positions: Int32Array
  readonly at: Int32Array
  count: number
}

/** Merges ascending inputs; `choose` names one of `heads.at`. Repeats inside an input are skipped after the first. */
const mergeInputs = (inputs: ReadonlyArray<PointWords>, choose: (heads: Heads) => number): Datapoints => {
  const longest = inputs.reduce((most, input) => Math.max(most, input.points.count), 0)
  const out = new DatapointsBuffer(longest)
  const positions = new Int32Array(inputs.length)
  const heads: Heads = { inputs, positions, at: new Int32Array(inputs.length), count: 0 }
  for (;;) {
    let timeHigh = 0
    let timeLow = 0
    heads.count = 0
    for (let i = 0; i < inputs.length; i++) {
      const { points, times } = inputs[i]!
      const at = positions[i]!
      if (at === points.count) continue
      const itsHigh = times[2 * at + high]!
      const itsLow = times[2 * at + low]!
      const order = heads.count === 0 ? -1 : compareWords(itsHigh, itsLow, timeHigh, timeLow)
      if (order > 0) continue
      if (order < 0) {
        timeHigh = itsHigh
        timeLow = itsLow
        heads.count = 0
      }
      heads.at[heads.count++] = i
    }
    if (heads.count === 0) return out.toDatapoints()
    const winner = heads.count === 1 ? heads.at[0]! : choose(heads)
    out.push(inputs[winner]!, positions[winner]!)
    for (let k = 0; k < heads.count; k++) {
      const i = heads.at[k]!
      positions[i] = skipTime(inputs[i]!, positions[i]!, timeHigh, timeLow)
    }
  }
}

const skipTime = ({ points, times }: PointWords, from: number, timeHigh: number, timeLow: number): number => {
  let at = from
  do at++
  while (at < points.count && times[2 * at + low] === timeLow && times[2 * at + high] === timeHigh)
  return at
}

const lastInput = (heads: Heads): number => heads.at[heads.count - 1]!

/** Index of the first point whose time is before (`strictly`: or equals) that of its predecessor; −1 when in order. */
const firstOutOfOrder = ({ points, times }: PointWords, strictly: boolean): number => {
  for (let i = 1; i < points.count; i++) {
    const order = compareWords(
      times[2 * i + high]!,
      times[2 * i + low]!,
      times[2 * i - 2 + high]!,
      times[2 * i - 2 + low]!
    )
    if (order < 0 || (strictly && order === 0)) return i
  }
  return -1
}

/**
 * Merges the segments of one replica into strictly ascending points: the later segment in the list wins a shared time; of
 * a time repeated inside a segment the first point stays. The winner keeps its unit and annotation. A segment that goes
 * back in time is an error, as in M3. (M3's order of three or more inputs depends on which ends first; ours is the list's.)
 */
export const mergeSegments = (segments: ReadonlyArray<Datapoints>): Datapoints | MergeError => {
  const inputs = segments.map(pointWords)
  for (let i = 0; i < inputs.length; i++) {
    const at = firstOutOfOrder(inputs[i]!, false)
    if (at >= 0) return outOfOrder(i, at)
  }
  return mergeInputs(inputs, lastInput)
}

const outOfOrder = (input: number, at: number): MergeError =>
  new MergeError("out-of-order", input, at, `input ${input}, point ${at}: its time is not after the one before it`)

const byPeer = (copies: ReadonlyArray<Copy>): ReadonlyArray<PointWords> =>
  copies.toSorted((a, b) => (a.peer < b.peer ? -1 : a.peer > b.peer ? 1 : 0)).map((copy) => pointWords(copy.points))

/** Inputs are in peer order, so the first holder of a value is its smallest peer, and so is the first of tied values. */
const mostHeld = ({ at, count, inputs, positions }: Heads): number => {
  let winner = at[0]!
  let most = 0
  for (let k = 0; k < count; k++) {
    const { values } = inputs[at[k]!]!
    const position = 2 * positions[at[k]!]!
    let holders = 0
    for (let j = 0; j < count; j++) {
      const other = inputs[at[j]!]!.values
      const otherPosition = 2 * positions[at[j]!]!
      if (values[position] === other[otherPosition] && values[position + 1] === other[otherPosition + 1]) holders++
    }
    if (holders > most) {
      most = holders
      winner = at[k]!
    }
  }
  return winner
}

/**
 * Per time the value bits that most copies hold; a tie goes to the smallest peer id among the tied values. Unit and
 * annotation come from the smallest peer that holds the winning value.
 */
export const mostReplicas: MergeRule = {
  name: "most-replicas",
  merge: (copies) => mergeInputs(byPeer(copies), mostHeld)
}

/** Per time the point of the greatest peer id. */
export const highestPeer: MergeRule = {
  name: "highest-peer",
  merge: (copies) => mergeInputs(byPeer(copies), lastInput)
}

/** Every rule of this package by its name. */
export const mergeRules: ReadonlyMap<string, MergeRule> = new Map(
  [mostReplicas, highestPeer].map((rule) => [rule.name, rule])
)

/** Applies a rule after checking what it relies on: strictly ascending times, one copy a peer. */
export const mergeCopies = (rule: MergeRule, copies: ReadonlyArray<Copy>): Datapoints | MergeError => {
  const peers = new Set<string>()
  for (let i = 0; i < copies.length; i++) {
    const copy = copies[i]!
    if (peers.has(copy.peer)) {
      return new MergeError("duplicate-peer", i, 0, `peer ${copy.peer} has two copies; merge its segments first`)
    }
    peers.add(copy.peer)
    const at = firstOutOfOrder(pointWords(copy.points), true)
    if (at >= 0) return outOfOrder(i, at)
  }
  return rule.merge(copies)
}
