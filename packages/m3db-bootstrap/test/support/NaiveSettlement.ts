/**
 * What may be stored of one series-block, written as the rules say it and found by trying every set of copies that may have been
 * at hand: slow, obvious, the reference of the simulation. (specs: peer streaming 3.16)
 */
import type { Level } from "@peerstrap/consistency-policy"
import { adler32, type Datapoints, decodeBlock } from "@peerstrap/m3tsz"
import { firstDifference, naiveMerge, naiveMostReplicas } from "@peerstrap/m3tsz/testing"
import { blockSize } from "./SimulatedCluster.ts"

export const absent = -1

/** What one peer said and sent about the series-block. */
export interface Witness {
  readonly peerId: string
  /** Every checksum that it advertised; −1 for "none". More than one only from liars. */
  readonly advertised: ReadonlySet<number>
  /** Every usable copy that came from it, each as its streams. */
  readonly copies: ReadonlyArray<ReadonlyArray<Uint8Array>>
  /** A copy of it must take part in a merge: it never failed. */
  readonly isCertain: boolean
}

export interface Question {
  readonly stored: Uint8Array
  readonly witnesses: ReadonlyArray<Witness>
  readonly blockStart: bigint
  readonly mutable: boolean
  /** Levels that were in force meanwhile. */
  readonly levels: ReadonlyArray<Level>
  readonly majority: number
}

interface Choice {
  readonly peerId: string
  readonly streams: ReadonlyArray<Uint8Array>
  readonly asAdvertised: boolean
}

export const required = (level: Level, majority: number, peers: number): number =>
  level === "none" ? 0 : level === "majority" ? majority : level === "all" ? peers : 1

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

/** Points of a copy: later layers win. Undefined when it cannot be decoded or goes beyond its block. */
const pointsOf = (streams: ReadonlyArray<Uint8Array>, start: bigint): Datapoints | undefined => {
  const layers: Array<Datapoints> = []
  for (const stream of streams) {
    const points = decodeBlock([stream], { maxPoints: 1 << 20 })
    if ("_tag" in points) return undefined
    layers.push(points)
  }
  const latest = naiveMerge((held) => held.toSorted((a, b) => (a.copy.peer < b.copy.peer ? -1 : 1)).at(-1)!)
  const points = latest(layers.map((layer, index) => ({ peer: String(index).padStart(4, "0"), points: layer })))
  const inside = Array.from(points.timestamps.subarray(0, points.count)).every((at) =>
    at >= start && at < start + blockSize
  )
  return inside ? points : undefined
}

/** Whether `stored` is what these copies give. */
const settles = (chosen: ReadonlyArray<Choice>, needed: number, question: Question): boolean => {
  if (chosen.length === 0 || chosen.length < needed) return false
  const faithful = question.mutable ? chosen : chosen.filter((choice) => choice.asAdvertised)
  const used = faithful.length > 0 && faithful.length >= needed ? faithful : chosen
  const [first] = used[0]!.streams
  if (used.length > 1 && used.every(({ streams }) => streams.length === 1 && same(streams[0]!, first!))) {
    return same(first!, question.stored)
  }
  const decoded = used.flatMap(({ peerId, streams }) => {
    const points = pointsOf(streams, question.blockStart)
    return points === undefined ? [] : [{ peer: peerId, points }]
  })
  if (decoded.length === 0 || decoded.length < used.length && decoded.length < needed) return false
  const stored = pointsOf([question.stored], question.blockStart)
  return stored !== undefined && firstDifference(stored, naiveMostReplicas(decoded)) < 0
}

const choicesOf = (witness: Witness): ReadonlyArray<Choice | undefined> => {
  const choices: Array<Choice | undefined> = []
  for (const streams of witness.copies.toReversed()) {
    const checksum = streams.length === 1 ? adler32(streams[0]!) : absent
    const fits = (advertised: number): boolean => advertised === absent || advertised === checksum
    for (const asAdvertised of new Set([...witness.advertised].map(fits))) {
      choices.push({ peerId: witness.peerId, streams, asAdvertised })
    }
  }
  if (!witness.isCertain) choices.push(undefined)
  return choices
}

const someChoice = (
  witnesses: ReadonlyArray<Witness>,
  chosen: ReadonlyArray<Choice>,
  accept: (chosen: ReadonlyArray<Choice>) => boolean
): boolean => {
  const [next, ...rest] = witnesses
  if (next === undefined) return accept(chosen)
  return choicesOf(next).some((choice) => someChoice(rest, choice === undefined ? chosen : [...chosen, choice], accept))
}

/** One copy is enough where all advertise the same checksum and the copy has it. */
const isAgreed = ({ stored, witnesses }: Question): boolean => {
  const checksum = adler32(stored)
  return witnesses.every(({ advertised }) => advertised.has(checksum)) &&
    witnesses.some(({ copies }) => copies.some((streams) => streams.length === 1 && same(streams[0]!, stored)))
}

/** Whether it never came to a fan-out: all advertise one checksum, and whatever came has it. */
const neverDiffered = ({ witnesses }: Question): boolean => {
  const checksums = new Set(witnesses.flatMap(({ advertised }) => [...advertised]))
  if (checksums.size !== 1 || checksums.has(absent)) return false
  return witnesses.every(({ copies }) =>
    copies.every((streams) => streams.length === 1 && checksums.has(adler32(streams[0]!)))
  )
}

/** Whether the rules allow what was stored. */
export const isAllowed = (question: Question): boolean => {
  if (question.witnesses.length === 0) return false
  if (isAgreed(question)) return true
  if (neverDiffered(question)) return false
  const peers = question.witnesses.length
  const needs = new Set(question.levels.map((level) => Math.min(peers, required(level, question.majority, peers))))
  return someChoice(question.witnesses, [], (chosen) => [...needs].some((needed) => settles(chosen, needed, question)))
}
