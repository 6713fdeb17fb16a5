/**
 * One fault of one of three replicas, as a value: what it does, what has to come of it, and the time that it may cost.
 */
import { behaviourNames, behaviourTable, type SeededVariation } from "@peerstrap/m3db-wire/testing"
import type { LinkFaults } from "../support/SimulatedLink.ts"

/** `ratio` × the healthy run + `plusMillis`. */
export interface TimeBar {
  readonly ratio: number
  readonly plusMillis?: number
}

export interface FaultRow {
  /** As m3peer and the scripted replica name it, where they have it. */
  readonly name: string
  /** What the replica does. */
  readonly does: string
  /** What is asked of a client. */
  readonly client: string
  /** The behaviours of the scripted replica. */
  readonly behaviours?: string
  readonly variation?: SeededVariation
  readonly faults?: LinkFaults
  readonly isDown?: boolean
  /** The machine dies at this share of the healthy time. */
  readonly diesAt?: number
  /** A real node may do it: nobody is blamed, and data are complete from such a replica alone. */
  readonly isLegal: boolean
  /** Kinds of evidence with verdict `peer` that it must leave. */
  readonly blame: ReadonlyArray<string>
  /** Kinds with verdict `unknown` that it must leave: something went wrong, on whichever side. */
  readonly unclear?: ReadonlyArray<string>
  /** Kinds with verdict `peer` that it may leave beside them. */
  readonly mayBlame?: ReadonlyArray<string>
  readonly bar: TimeBar
  /** Together with another: copies of what differs come at its pace, or are waited for until the idle timer ends its silence. */
  readonly pairMillis?: number
  /** At level `all`: the run completes, waits for this peer's listings, or either, as the seed has it. */
  readonly atAll: "completes" | "waits" | "either"
  /** Kinds with verdict `peer` once the run has waited for it at level `all`. */
  readonly blameAtAll?: ReadonlyArray<string>
  /** It makes up what, with another fault, cannot be told from data that only it holds: the run may wait for that. */
  readonly mayBeWaitedFor?: boolean
  /** Behaviours with which it makes no pair here: docs/faults.md says why. */
  readonly notWith?: ReadonlyArray<string>
  /** Stands for its family in pairs. */
  readonly inPairs: boolean
}

/** Work moves to the fast ones. */
export const slower: TimeBar = { ratio: 1.5 }

/** Whatever is refused, wrong or missing on one replica is fetched from the others meanwhile; some of it a second time. */
export const near: TimeBar = { ratio: 1.6 }

/** A third of the series has to be fetched from all three. */
export const fanOutOfAThird: TimeBar = { ratio: 1.8 }

/** Everything has to be fetched from all three. */
export const fanOutOfAll: TimeBar = { ratio: 2.5 }

/** Far below the idle timeout of 15 s, which the goal allows: work of a peer that has fallen silent goes to others before. */
export const silence: TimeBar = { ratio: 2.5 }

type Given = Omit<Partial<FaultRow>, "name" | "does"> & { readonly does: string }

/** `slow` of `slow:2000`. */
export const baseName = (behaviour: string): string => behaviour.split(":")[0]!

const clientOf = (behaviours: string): string => {
  const found = behaviourNames.find((known) => known === baseName(behaviours))
  if (found === undefined) throw new RangeError(`the scripted replica has no behaviour ${behaviours}`)
  return behaviourTable[found].client
}

/** A row of the scripted replica's own table, under its name or one of ours. */
export const scripted = (name: string, { behaviours = name, does, ...given }: Given): FaultRow => ({
  name,
  does,
  client: clientOf(behaviours),
  behaviours,
  isLegal: false,
  blame: [],
  bar: near,
  atAll: "completes",
  inPairs: false,
  ...given
})

export const other = (name: string, { client = "take it from the others", does, ...given }: Given): FaultRow => ({
  name,
  does,
  client,
  isLegal: false,
  blame: [],
  bar: near,
  atAll: "completes",
  inPairs: false,
  ...given
})

/** The behaviours of the scripted replica that a row is made of, without arguments. */
const keysOf = ({ behaviours }: FaultRow): ReadonlyArray<string> =>
  behaviours === undefined ? [] : behaviours.split("+").map(baseName)

/** A stream with a flipped bit cannot be cut in two; without any checksum its points are as good as those of others. */
const exclusive = [["lie-data", "unmerged"], ["lie-data", "no-checksum"]] as const

/** Two rows can be had of one replica at the same time: they are not the same thing with other arguments. */
export const areCompatible = (a: FaultRow, b: FaultRow): boolean => {
  const keys = [...keysOf(a), ...keysOf(b)]
  const refused = [...(a.notWith ?? []), ...(b.notWith ?? [])]
  const isRefused = (key: string): boolean => keys.includes(key) || a.name.startsWith(key) || b.name.startsWith(key)
  return new Set(keys).size === keys.length && !refused.some(isRefused) &&
    !exclusive.some((both) => both.every((key) => keys.includes(key)))
}
