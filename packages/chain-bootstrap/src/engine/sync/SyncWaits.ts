/** What the run waits for, from the output back to the cause, with the option that would change it. */
import type { Wait } from "@peerstrap/progress"
import type { Reorganisation } from "../../contract/Reorganisation.ts"
import type { ApplyOrder } from "./ApplyOrder.ts"
import type { BodyRequests } from "./BodyRequests.ts"
import type { Branches } from "./Branches.ts"
import type { SyncCore } from "./SyncCore.ts"
import type { Targets } from "./Targets.ts"

export interface WaitParts {
  readonly core: SyncCore
  readonly targets: Targets
  readonly branches: Branches
  readonly bodies: BodyRequests
  readonly apply: ApplyOrder
  readonly reorganisation: Reorganisation
  readonly required: number
}

/**
 * What is here already needs no peers, so its waits come first; then too few peers, which is the cause of all that follows it; then what is asked of those
 * that are there.
 */
export const syncWaits = (parts: WaitParts): ReadonlyArray<Wait> => {
  const { bodies, core, reorganisation } = parts
  if (core.halted !== undefined) return [halted(core)]
  const few = core.active < parts.required
  const branches = reorganisation.waits()
  const waits: Array<Wait> = reorganisation.busy && !few ? [...branches] : []
  waits.push(...ofOurs(parts, waits.length > 0))
  if (few) waits.push(connections(core, parts.required))
  if (reorganisation.busy && few) waits.push(...branches)
  const open = bodies.lowestOpen()
  if (open !== undefined && open.missing > 0) waits.push(body(core, open, few))
  if (!few && core.chosen.length === 0) waits.push(...choosing(parts))
  if (!reorganisation.busy) waits.push(...branches)
  return waits
}

/** Waits for our own applier and store; `others`: something else is waited for before them. */
const ofOurs = ({ apply, bodies, core }: WaitParts, others: boolean): ReadonlyArray<Wait> => {
  const waits: Array<Wait> = []
  if (apply.retryReason !== undefined) waits.push(applier(core, apply.retryReason))
  else if (apply.inFlight > 0) waits.push(applier(core, "it works on blocks that it was given"))
  const open = bodies.lowestOpen()
  if (open?.missing === 0) waits.push(writing(core, open))
  else if (open === undefined && apply.inFlight === 0 && core.chosen.length > 0 && !others && waits.length === 0) {
    waits.push(store(core))
  }
  return waits
}

type Open = NonNullable<ReturnType<BodyRequests["lowestOpen"]>>

const ofBody = (core: SyncCore, open: Open) => ({
  subject: `block ${core.show(open.id)} of level ${open.level}`,
  peers: open.asked,
  sinceMillis: core.lastProgressMillis
})

const writing = (core: SyncCore, open: Open): Wait => ({
  ...ofBody(core, open),
  waitingFor: "its body to be durable",
  cause: "all of it has arrived and is being written",
  remedy: "none needed; a faster disk for --store, if this is what it mostly waits for"
})

const body = (core: SyncCore, open: Open, few: boolean): Wait => {
  const rest = { ...ofBody(core, open), waitingFor: `${open.missing} units of its body` }
  if (open.asked.length > 0) {
    return {
      ...rest,
      cause: `asked of ${open.asked.length} peers`,
      remedy: "none needed; other peers are asked when these stay silent"
    }
  }
  return few
    ? { ...rest, cause: "nobody is asked before enough peers are connected", remedy: fewRemedy }
    : {
      ...rest,
      cause: "no peer that holds it can be asked now",
      remedy: "add peers that hold this level: --peer HOST:PORT"
    }
}

const halted = (core: SyncCore): Wait => ({
  subject: "the run",
  waitingFor: "an operator",
  cause: core.halted ?? "",
  peers: [],
  remedy: "compare with a source you trust; another base needs another --store",
  sinceMillis: core.lastProgressMillis
})

const store = (core: SyncCore): Wait => ({
  subject: `level ${core.head.level + 1}`,
  waitingFor: "the store",
  cause: "what was chosen and fetched is not durable yet",
  peers: [],
  remedy: "a faster disk under --store, or one with less to do",
  sinceMillis: core.lastProgressMillis
})

const applier = (core: SyncCore, cause: string): Wait => ({
  subject: `level ${core.head.level + 1}`,
  waitingFor: "the applier",
  cause,
  peers: [],
  remedy: "see the applier's own log; --applier chooses another",
  sinceMillis: core.lastProgressMillis
})

const fewRemedy = "add peers with --peer HOST:PORT, lift bans with `peers unban`, or lower --min-peers"

const peersWord = (count: number): string => count === 1 ? "peer" : "peers"

const connections = (core: SyncCore, required: number): Wait => {
  const points = core.connections.known(core.now).filter((point) => point.status !== "active")
  const resting = points.filter((point) => point.status === "greylisted" || point.status === "banned")
  const reasons = resting.slice(0, 3).map((point) => `${point.point ?? point.id}: ${point.reason ?? point.status}`)
  return {
    subject: "every level above the chosen chain",
    waitingFor: `${required - core.active} more ${peersWord(required - core.active)}`,
    cause: `${core.active} connected, ${required} needed (--min-peers ${core.options.connections.minPeers}); ` +
      (points.length === 0 ? "no others are known" : `${points.length} more known`) +
      (resting.length === 0 ? "" : `, ${resting.length} left alone (${reasons.join("; ")})`),
    peers: points.slice(0, 16).flatMap((point) => point.point ?? []),
    remedy: fewRemedy,
    sinceMillis: core.lastProgressMillis
  }
}

/** Most peers tell heads that cannot be: then it is rather we who are wrong. */
const unusableHeads = (core: SyncCore, branches: Branches): Wait => {
  const aside = [...branches.leftAside.values()]
  const ahead = aside.map(({ aheadSeconds }) => aheadSeconds).filter((seconds) => seconds > 0).toSorted((a, b) => a - b)
  const peers = [...branches.leftAside.keys()]
  if (ahead.length * 2 > aside.length) {
    const seconds = ahead[Math.floor(ahead.length / 2)] ?? 0
    const cause = `${ahead.length} of ${core.active} peers are ${seconds.toFixed(0)} s ahead of our clock`
    return wait(core, "heads that are not from the future", cause, peers, "set this machine's clock")
  }
  const fault = aside.find(({ aheadSeconds }) => aheadSeconds === 0)?.fault ?? ""
  const cause = `${aside.length} of ${core.active} peers tell heads that this network's facts do not allow (${fault})`
  return wait(
    core,
    "heads that can be",
    cause,
    peers,
    "compare the network file with the network, validationPasses first"
  )
}

const choosing = (parts: WaitParts): ReadonlyArray<Wait> => {
  const waits = ofPeers(parts)
  const { core } = parts
  const counted = core.countedPeers().length
  const { minQuorumPeers } = core.options
  if (waits.length === 0 || counted >= minQuorumPeers) return waits
  const few = wait(
    core,
    `${minQuorumPeers - counted} more ${minQuorumPeers - counted === 1 ? "peer that counts" : "peers that count"}`,
    `${counted} of ${core.active} connected peers count, a quorum needs at least ${minQuorumPeers} (--min-quorum-peers ${minQuorumPeers})`,
    [],
    `add peers with --peer HOST:PORT, or trust as few as there are: --min-quorum-peers ${Math.max(1, counted)}`
  )
  return [few, ...waits]
}

const ofPeers = (parts: WaitParts): ReadonlyArray<Wait> => {
  const { branches, core, targets } = parts
  const counted = core.countedPeers()
  const silent = counted.filter((peer) => peer.claimed === undefined)
  const aside = [...branches.leftAside.values()]
  if (aside.length * 2 > core.active && aside.length > 0) return [unusableHeads(core, branches)]
  if (core.dag.nodes >= core.options.maxPendingHeaders) {
    const cause = `${core.dag.nodes} headers and named blocks are pending, no more are kept`
    return [wait(core, "room for pending headers", cause, [], "a younger --base, or a greater --max-pending-headers")]
  }
  const numbers = quorumNumbers(core)
  if (targets.size > 0) {
    return [
      wait(
        core,
        "a segment with a quorum of the peers",
        `${numbers}; ${targets.size} targets, ${core.dag.headers} pending headers`,
        silent.map(({ id }) => id),
        "more honest peers that hold this chain: --peer HOST:PORT"
      )
    ]
  }
  if (silent.length > 0) {
    return [
      wait(
        core,
        "branches",
        `${silent.length} of ${counted.length} peers have not told theirs`,
        silent.map(({ id }) => id),
        "none needed; silent peers are dropped in time"
      )
    ]
  }
  if (core.status === "unsynced") {
    return [
      wait(core, "newer heads", core.statusReason, [], "none, if the chain has halted: --until level:N ends there")
    ]
  }
  return []
}

const wait = (
  core: SyncCore,
  waitingFor: string,
  cause: string,
  peers: ReadonlyArray<string>,
  remedy: string
): Wait => ({
  subject: `levels above ${core.frontier.level}`,
  waitingFor,
  cause,
  peers,
  level: "> 2/3",
  remedy,
  sinceMillis: core.lastProgressMillis
})

/** How far the best supported of the peers' next goals is from a quorum. */
const quorumNumbers = (core: SyncCore): string => {
  let best = 0
  for (const peer of core.peers.values()) {
    for (const entry of peer.earliestAbove(core.frontier.level, 1)) {
      const node = core.dag.find(core.idBytes(entry.id))
      if (node >= 0) best = Math.max(best, core.dag.strongSupporters(node).length)
    }
  }
  const needed = Math.max(core.options.minQuorumPeers, Math.floor((2 * core.dag.electors) / 3) + 1)
  return `at most ${best} of ${core.dag.electors} counted peers support one next block, ${needed} are needed`
}
