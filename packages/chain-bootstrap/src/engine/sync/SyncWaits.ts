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

export const syncWaits = (parts: WaitParts): ReadonlyArray<Wait> => {
  const { apply, bodies, core, reorganisation } = parts
  if (core.halted !== undefined) return [halted(core)]
  const waits: Array<Wait> = [...reorganisation.waits()]
  if (apply.retryReason !== undefined) waits.push(applier(core, apply.retryReason))
  else if (apply.inFlight > 0) waits.push(applier(core, "it works on blocks that it was given"))
  const open = bodies.lowestOpen()
  if (open !== undefined) waits.push(body(core, open))
  else if (apply.inFlight === 0 && core.chosen.length > 0 && waits.length === 0) waits.push(store(core))
  if (core.active < parts.required) waits.push(connections(core, parts.required))
  else if (core.chosen.length === 0) waits.push(...choosing(parts))
  return waits
}

const body = (core: SyncCore, open: NonNullable<ReturnType<BodyRequests["lowestOpen"]>>): Wait => {
  const subject = `block ${core.show(open.id)} of level ${open.level}`
  const rest = { subject, peers: open.asked, sinceMillis: core.lastProgressMillis }
  if (open.missing === 0) {
    const remedy = "none needed; a faster disk for --store, if this is what it mostly waits for"
    return {
      ...rest,
      waitingFor: "its body to be durable",
      cause: "all of it has arrived and is being written",
      remedy
    }
  }
  const waitingFor = `${open.missing} units of its body`
  return open.asked.length > 0
    ? {
      ...rest,
      waitingFor,
      cause: `asked of ${open.asked.length} peers`,
      remedy: "none needed; other peers are asked when these stay silent"
    }
    : {
      ...rest,
      waitingFor,
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

const connections = (core: SyncCore, required: number): Wait => {
  const points = core.connections.known(core.now).filter((point) => point.status !== "active")
  const resting = points.filter((point) => point.status === "greylisted" || point.status === "banned")
  const reasons = resting.slice(0, 3).map((point) => `${point.point ?? point.id}: ${point.reason ?? point.status}`)
  return {
    subject: "every level above the chosen chain",
    waitingFor: `${required - core.active} more peers`,
    cause:
      `${core.active} connected, ${required} needed (--min-peers ${core.options.connections.minPeers}); ${points.length} more known, ${resting.length} of them left alone${
        reasons.length > 0 ? ` (${reasons.join("; ")})` : ""
      }`,
    peers: points.slice(0, 16).flatMap((point) => point.point ?? []),
    remedy: "add peers with --peer HOST:PORT, lift bans with `peers unban`, or lower --min-peers",
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
    const remedy = counted.length < core.options.minQuorumPeers
      ? `more peers, or --min-quorum-peers ${counted.length}`
      : "more honest peers that hold this chain: --peer HOST:PORT"
    return [
      wait(
        core,
        "a segment with a quorum of the peers",
        `${numbers}; ${targets.size} targets, ${core.dag.headers} pending headers`,
        silent.map(({ id }) => id),
        remedy
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
