/** Who serves what in a network of embedded peers: the peers of each process, as values that cross to it as a line of JSON. Pure. */
import type { ChainSpec, HeadName } from "./ChainSpec.ts"

export interface PeerPlan {
  /** From 1 on. */
  readonly id: number
  /** 0: any. */
  readonly port: number
  readonly head: HeadName
  /** As `stall:40+slow:20`; empty: an honest archive. */
  readonly behaviours: string
}

export interface ProcessPlan {
  readonly spec: ChainSpec
  readonly host: string
  /** Difficulty that identities prove, and that is asked of clients. */
  readonly proofOfWork: number
  readonly peers: ReadonlyArray<PeerPlan>
}

/** Something for a set of peers: `all`, or ids. */
export interface ForPeers<A> {
  readonly peers: PeerSet
  readonly value: A
}

/** Ids from one to another, or everybody. */
export type PeerSet = ReadonlyArray<readonly [first: number, last: number]> | "all"

export interface NetworkPlan {
  readonly spec: ChainSpec
  readonly host: string
  readonly basePort: number
  readonly proofOfWork: number
  readonly peers: number
  readonly processes: number
  /** The last one for a peer counts. */
  readonly heads: ReadonlyArray<ForPeers<HeadName>>
  /** Several for a peer add up. */
  readonly behaviours: ReadonlyArray<ForPeers<string>>
}

export const maxPeers = 200

/** `all`, or ids and ranges as `1,4-6`; undefined for another text. */
export const parsePeerSet = (text: string): PeerSet | undefined => {
  if (text === "all") return "all"
  const ranges: Array<readonly [number, number]> = []
  for (const part of text.split(",")) {
    const found = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(part)
    if (found === null) return undefined
    const first = Number(found[1])
    const last = Number(found[2] ?? found[1])
    if (first < 1 || last < first) return undefined
    ranges.push([first, last])
  }
  return ranges
}

export const isIn = (set: PeerSet, id: number): boolean =>
  set === "all" || set.some(([first, last]) => id >= first && id <= last)

/** The highest id that a set names; 0 for all. */
export const highestOf = (set: PeerSet): number => set === "all" ? 0 : Math.max(...set.map(([, last]) => last))

/** Ids as people write them: `1-4,7`. */
export const peerSetText = (ids: ReadonlyArray<number>): string => {
  const parts: Array<readonly [number, number]> = []
  for (const id of ids.toSorted((a, b) => a - b)) {
    const [first, last] = parts.at(-1) ?? [0, -1]
    if (id === last + 1) parts[parts.length - 1] = [first, id]
    else parts.push([id, id])
  }
  return parts.map(([first, last]) => first === last ? String(first) : `${first}-${last}`).join(",")
}

const peerPlan = ({ basePort, behaviours, heads }: NetworkPlan, id: number): PeerPlan => ({
  id,
  port: basePort === 0 ? 0 : basePort + id - 1,
  head: heads.findLast(({ peers }) => isIn(peers, id))?.value ?? { branch: "main", level: undefined },
  behaviours: behaviours.filter(({ peers }) => isIn(peers, id)).map(({ value }) => value).filter((text) => text !== "")
    .join("+")
})

/** Neighbours share a process; the first processes have one more where it does not come out even. */
export const processPlans = (plan: NetworkPlan): ReadonlyArray<ProcessPlan> => {
  const { host, peers, proofOfWork, spec } = plan
  const processes = Math.min(plan.processes, peers)
  let next = 1
  return Array.from({ length: processes }, (_, index) => {
    const count = Math.floor(peers / processes) + (index < peers % processes ? 1 : 0)
    const own = Array.from({ length: count }, () => peerPlan(plan, next++))
    return { spec, host, proofOfWork, peers: own }
  })
}
