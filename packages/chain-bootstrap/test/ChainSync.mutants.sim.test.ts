/** Bugs planted one at a time into the sync engine: the same worlds must find each within 1,000 seeds. */
import { assert, describe, it } from "@effect/vitest"
import { Random, seedsFor } from "@peerstrap/simulator"
import { SideRetries } from "../src/engine/reorganisation/SideRetries.ts"
import { ApplyOrder } from "../src/engine/sync/ApplyOrder.ts"
import { AskedItems } from "../src/engine/sync/AskedItems.ts"
import { BodyRequests } from "../src/engine/sync/BodyRequests.ts"
import { Deviations } from "../src/engine/sync/Deviations.ts"
import { Electors } from "../src/engine/sync/Electors.ts"
import { Gate } from "../src/engine/sync/Gate.ts"
import { HeaderIntake } from "../src/engine/sync/HeaderIntake.ts"
import { HeaderRequests } from "../src/engine/sync/HeaderRequests.ts"
import { PeerLifecycle } from "../src/engine/sync/PeerLifecycle.ts"
import { PeerState } from "../src/engine/sync/PeerState.ts"
import { SyncCore } from "../src/engine/sync/SyncCore.ts"
import { type Family, playWorld } from "../src/testing/world/index.ts"

/** Private parts, to plant bugs into. */
interface Innards {
  // oxlint-disable-next-line typescript/no-explicit-any
  [name: string]: any
}

interface Planted {
  readonly name: string
  /** Which of the family's seeds found it first. */
  readonly at: number
  readonly family: Family
  readonly in: object
  readonly method: string
  readonly bug: (original: (...given: Array<unknown>) => unknown) => (this: Innards, ...given: Array<never>) => unknown
}

const bugs: ReadonlyArray<Planted> = [
  {
    name: "half of the peers are a quorum",
    at: 1,
    family: "minority",
    in: Gate.prototype,
    method: "look",
    bug: (original) =>
      function() {
        const { dag } = this["core"]
        const { highestQuorum } = dag
        dag.highestQuorum = (most: number) => {
          let best: number = highestQuorum.call(dag, most)
          for (const peer of this["core"].peers.values()) {
            for (const entry of peer.branch?.entries ?? []) {
              const node: number = dag.find(this["core"].idBytes(entry.id))
              if (
                node < 0 || !dag.hasHeader(node) || !dag.connected(node) || dag.levelOf(node) > dag.baseLevel + most
              ) continue
              const enough = 2 * dag.strongSupporters(node).length >= dag.electors
              if (enough && dag.levelOf(node) > 0 && (best < 0 || dag.levelOf(node) > dag.levelOf(best))) best = node
            }
          }
          return best
        }
        try {
          return original.call(this)
        } finally {
          delete dag.highestQuorum
        }
      }
  },
  {
    name: "replies alone decide",
    at: 671,
    family: "liars",
    in: Gate.prototype,
    method: "vouched",
    bug: () =>
      function(nodes: Int32Array) {
        return nodes.length
      }
  },
  {
    name: "peers that left count on",
    at: 37,
    family: "minority",
    in: PeerLifecycle.prototype,
    method: "remove",
    bug: (original) =>
      function(...given) {
        const { dag } = this["parts"].core
        dag.removePeer = () => {}
        dag.setElector = () => {}
        try {
          return original.call(this, ...given)
        } finally {
          delete dag.removePeer
          delete dag.setElector
        }
      }
  },
  {
    name: "peers that have not told count for nothing",
    at: 908,
    family: "minority",
    in: Electors.prototype,
    method: "refresh",
    bug: (original) =>
      function() {
        original.call(this)
        const { core } = this as { core: SyncCore }
        for (const peer of core.peers.values()) {
          if (peer.claimed === undefined) core.dag.setElector(peer.slot, undefined)
        }
      }
  },
  {
    name: "bodies not verified",
    at: 44,
    family: "liars",
    in: BodyRequests.prototype,
    method: "answered",
    bug: (original) =>
      function(...given) {
        const core = this["core"] as { rules: object }
        const { rules } = core
        core.rules = { ...rules, verifyUnit: () => undefined }
        try {
          return original.call(this, ...given)
        } finally {
          core.rules = rules
        }
      }
  },
  {
    name: "applied before bodies are durable",
    at: 1,
    family: "honest",
    in: BodyRequests.prototype,
    method: "complete",
    bug: () =>
      function(id: string) {
        const body = this["bodies"].get(id)
        return body !== undefined && body.received === body.all
      }
  },
  {
    name: "applied before the segment is durable",
    at: 3,
    family: "honest",
    in: ApplyOrder.prototype,
    method: "give",
    bug: (original) =>
      function(limit: number) {
        this["storedLevel"] = Infinity
        return original.call(this, limit)
      }
  },
  {
    name: "blame for unanswered headers",
    at: 82,
    family: "honest",
    in: HeaderRequests.prototype,
    method: "failed",
    bug: (original) =>
      function(id: string, peer: PeerState) {
        original.call(this, id, peer)
        if (this["core"].peers.get(peer.peer) === peer) this["core"].blame(peer, "dead-hash", id, "no answer")
      }
  },
  {
    name: "blame for our own slowness",
    at: 31,
    family: "honest",
    in: PeerState.prototype,
    method: "postpone",
    bug: () => function() {}
  },
  {
    name: "answered headers are asked for again",
    at: 2,
    family: "honest",
    in: HeaderRequests.prototype,
    method: "targetAskable",
    bug: () =>
      function(id: string, _level: number, peer: PeerState) {
        return peer.headers.mayAsk(id, this["core"].now)
      }
  },
  {
    name: "asked again and again",
    at: 44,
    family: "liars",
    in: AskedItems.prototype,
    method: "refuse",
    bug: () =>
      function(key: string) {
        this["counts"].delete(key)
      }
  },
  {
    name: "whoever named a target first answers for its level",
    at: 17,
    family: "liars",
    in: HeaderIntake.prototype,
    method: "compareNamedLevel",
    bug: () =>
      function(header: { id: string; level: number }) {
        const target = this["targets"].byId.get(header.id)
        if (target?.level === undefined || target.level === header.level) return
        for (const source of Array.from(target.sources)) {
          this["core"].blame(
            source,
            "bogus-branch",
            header.id,
            "wrong level"
          )
        }
      }
  },
  {
    name: "a branch that changed near its head is a lie",
    at: 303,
    family: "tip",
    in: PeerState.prototype,
    method: "finalClaims",
    bug: () =>
      function() {
        return this["claimed"]?.level ?? Infinity
      }
  },
  {
    name: "parents of false blocks are false",
    at: 432,
    family: "liars",
    in: Deviations.prototype,
    method: "invalidHeader",
    bug: (original) =>
      function(id: string, fault: string) {
        const { core } = this as { core: SyncCore }
        const parent = core.dag.parentOf(core.dag.find(core.idBytes(id)))
        if (parent >= 0) core.markInvalid(core.idText(core.dag.idOf(parent)))
        original.call(this, id, fault)
      }
  },
  {
    name: "the base follows the newest heads",
    at: 1,
    family: "tip",
    in: Gate.prototype,
    method: "settle",
    bug: (original) =>
      function(top: number) {
        const { core } = this
        Object.defineProperty(core, "reorgMargin", { configurable: true, get: () => 1 })
        try {
          original.call(this, top)
        } finally {
          delete core.reorgMargin
        }
      }
  },
  {
    name: "a failed batch is given out beside the next",
    at: 247,
    family: "honest",
    in: ApplyOrder.prototype,
    method: "advance",
    bug: (original) =>
      function() {
        const out: number = this["appliesOut"]
        if (this["retryAtMillis"] !== undefined) this["appliesOut"] = 0
        original.call(this)
        this["appliesOut"] += this["appliesOut"] === 0 ? out : 0
      }
  },
  {
    name: "a side block that the applier could not take is given again at once",
    at: 6,
    family: "tip",
    in: SideRetries.prototype,
    method: "failed",
    bug: () => function() {}
  },
  {
    name: "what arrived is open until it is durable",
    at: 1,
    family: "honest",
    in: BodyRequests.prototype,
    method: "answered",
    bug: (original) =>
      function(peer: unknown, block: string, unit: number, ...rest: Array<unknown>) {
        original.call(this, peer, block, unit, ...rest)
        const body = this["bodies"].get(block)
        if (body !== undefined) body.received = body.durable
      }
  },
  {
    name: "known targets are taken for linked ones",
    at: 14,
    family: "anchored",
    in: HeaderIntake.prototype,
    method: "resume",
    bug: () => function() {}
  }
]

/** Plays one seed with a bug planted. */
const playWith = (bug: Planted, seed: number): void => {
  const home = bug.in as Innards
  const original = home[bug.method]
  home[bug.method] = bug.bug(original)
  try {
    playWorld(bug.family, seed, Random.make(seed))
  } finally {
    home[bug.method] = original
  }
}

const problemOf = (play: () => unknown): string | undefined => {
  try {
    play()
    return undefined
  } catch (error) {
    return String(error)
  }
}

/** What the seed finds, if anything: it must pass without the bug. */
const findWith = (bug: Planted, seed: number): string | undefined => {
  const problem = problemOf(() => playWith(bug, seed))
  if (problem === undefined) return undefined
  return problemOf(() => playWorld(bug.family, seed, Random.make(seed))) === undefined ? problem : undefined
}

describe("planted bugs of chain sync", () => {
  for (const bug of bugs) {
    it(`${bug.name}: found`, { timeout: 600_000 }, () => {
      const seeds = seedsFor(`chain-sync-${bug.family}`, 1_000, {})
      // The seed that is known to find it; when worlds have changed, whichever does.
      const known = process.env["PEERSTRAP_SEARCH"] === undefined ? seeds[bug.at - 1] : undefined
      const order = known === undefined ? seeds : [known, ...seeds]
      const found = order.find((seed) => findWith(bug, seed) !== undefined)
      assert.isDefined(found, `not found in ${seeds.length} seeds`)
      if (process.env["PEERSTRAP_VERBOSE"] !== undefined) {
        console.log(`${bug.name}: the ${seeds.indexOf(found) + 1}. seed: ${findWith(bug, found)?.slice(0, 160)}`)
      }
    })
  }
})
