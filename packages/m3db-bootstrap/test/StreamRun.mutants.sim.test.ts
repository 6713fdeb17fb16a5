/** Bugs planted one at a time into the engine: the same worlds must find each within 1,000 seeds. */
import { afterAll, assert, describe, it } from "@effect/vitest"
import type { BlocksAnswer } from "@peerstrap/m3db-wire"
import { highestPeer } from "@peerstrap/m3tsz"
import { makePeerQueues } from "@peerstrap/peer-selection"
import { seedsFor } from "@peerstrap/simulator"
import { ByteLedger } from "@peerstrap/transport"
import { vi } from "vitest"
import { Deliveries } from "../src/engine/Deliveries.ts"
import { FanOut } from "../src/engine/FanOut.ts"
import { SeriesState } from "../src/engine/SeriesBlock.ts"
import { ShardFetching } from "../src/engine/ShardFetching.ts"
import { ShardListing } from "../src/engine/ShardListing.ts"
import { ShardStream } from "../src/engine/ShardStream.ts"
import { StreamRun } from "../src/engine/StreamRun.ts"
import { playWorld, type Replacements } from "./support/StreamScenario.ts"

/** The function bugs that are planted now. Set and cleared around each run, which is synchronous. */
const planted = vi.hoisted(() => {
  // Files of a package share their modules: this one needs the engine anew, made with the functions that are replaced below.
  vi.resetModules()
  return { name: "" }
})

/** Whoever comes after has the engine without them. */
afterAll(() => void vi.resetModules())

vi.mock("../src/engine/Verification.ts", async (importOriginal) => {
  const original = await importOriginal<typeof import("../src/engine/Verification.ts")>()
  const verifyDelivered: typeof original.verifyDelivered = (answer, row, more, advertised) => {
    const found = original.verifyDelivered(answer, row, more, advertised)
    if (planted.name === "advertised checksum skipped" && found._tag === "differs") {
      return { ...found, _tag: "as-advertised" }
    }
    if (planted.name === "answer checksum skipped" && found._tag === "unusable" && found.kind === "corrupt-block") {
      return original.verifyDelivered({ ...answer, checksum: answer.checksum.map(() => -1) }, row, more, advertised)
    }
    return found
  }
  return { ...original, verifyDelivered }
})

/** The n-th element is taken for the n-th item. */
const byIndex = (items: number, answer: BlocksAnswer) => {
  const rows = new Int32Array(items).fill(-1)
  for (let slot = 0; slot < Math.min(items, answer.elementCount); slot++) {
    if (answer.firstBlock[slot + 1]! > answer.firstBlock[slot]!) rows[slot] = answer.firstBlock[slot]!
  }
  return { rows, more: new Map<number, Array<number>>(), unrequested: 0, surplus: 0, firstUnrequested: undefined }
}

vi.mock("../src/engine/FetchBatch.ts", async (importOriginal) => {
  const original = await importOriginal<typeof import("../src/engine/FetchBatch.ts")>()
  const matchAnswer: typeof original.matchAnswer = (grouping, batch, answer) =>
    planted.name === "matched by index"
      ? byIndex(batch.groups.length, answer)
      : original.matchAnswer(grouping, batch, answer)
  return { ...original, matchAnswer }
})

vi.mock("../src/engine/CopyMerge.ts", async (importOriginal) => {
  const original = await importOriginal<typeof import("../src/engine/CopyMerge.ts")>()
  const settleCopies: typeof original.settleCopies = (copies, options) =>
    original.settleCopies(planted.name === "first copy taken" ? copies.slice(0, 1) : copies, options)
  return { ...original, settleCopies }
})

vi.mock("../src/engine/RunScope.ts", async (importOriginal) => {
  const original = await importOriginal<typeof import("../src/engine/RunScope.ts")>()
  const releaseHold: typeof original.releaseHold = (scope, hold) => {
    if (planted.name === "copies never given back" && hold.account === "copies") return
    original.releaseHold(scope, hold)
  }
  return { ...original, releaseHold }
})

vi.mock("../src/engine/RunWaits.ts", async (importOriginal) => {
  const original = await importOriginal<typeof import("../src/engine/RunWaits.ts")>()
  const runWaits: typeof original.runWaits = (run) => planted.name === "silent waits" ? [] : original.runWaits(run)
  return { ...original, runWaits }
})

/** Private parts, to plant bugs into. */
interface Innards {
  // oxlint-disable-next-line typescript/no-explicit-any
  [name: string]: any
}

interface Planted {
  readonly name: string
  readonly in?: object
  readonly method?: string
  readonly bug?: (original: (...given: Array<unknown>) => unknown) => (this: Innards, ...given: Array<never>) => unknown
  readonly replacements?: Replacements
}

/** Says that it has this capacity, and gives more. */
const boundless = (capacity: number): ByteLedger => {
  const ledger = new ByteLedger(Number.MAX_SAFE_INTEGER)
  return new Proxy(ledger, {
    get: (target, name) => {
      if (name === "capacity") return capacity
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === "function" ? value.bind(target) : value
    }
  })
}

/** Where the breakers of peers have their methods. */
const breakers = (): object => {
  const queues: Innards = makePeerQueues({ peers: ["A"], random: () => 0 })
  return Object.getPrototypeOf(queues["queues"][0]["breaker"])
}

const bugs: ReadonlyArray<Planted> = [
  {
    name: "a hedged block stored twice",
    in: ShardFetching.prototype,
    method: "onAnswer",
    bug: (original) =>
      function(...given) {
        const { series } = this["shard"]
        const { move, state } = series
        const isStored = (group: number): boolean => state.call(series, group) === SeriesState.STORED
        series.state = (group: number) => isStored(group) ? SeriesState.FETCH_ONE : state.call(series, group)
        series.move = (group: number, to: number) => isStored(group) ? undefined : move.call(series, group, to)
        try {
          original.apply(this, given)
        } finally {
          delete series.state
          delete series.move
        }
      }
  },
  {
    name: "slow listings given up at level all",
    in: ShardListing.prototype,
    method: "lookAtStragglers",
    bug: (original) =>
      function(...given) {
        const { scope } = this["shard"]
        const { level } = scope
        if (level === "all") scope.level = "majority"
        original.apply(this, given)
        scope.level = level
      }
  },
  {
    name: "memory of a cancelled listing never given back",
    in: ShardListing.prototype,
    method: "giveUp",
    bug: (original) =>
      function(peer: number, reason: string) {
        this["pageReserved"][peer] = 0
        original.call(this, peer, reason)
      }
  },
  {
    name: "a breaker that never closes",
    in: breakers(),
    method: "succeeded",
    bug: () =>
      function() {
        return false
      }
  },
  { name: "advertised checksum skipped" },
  { name: "answer checksum skipped" },
  { name: "matched by index" },
  { name: "first copy taken" },
  { name: "copies never given back" },
  { name: "silent waits" },
  {
    name: "a ledger that never refuses",
    replacements: { ledger: boundless }
  },
  { name: "another merge rule than asked for", replacements: { spec: { mergeRule: highestPeer } } },
  { name: "a window of its own", replacements: { spec: { queueLimits: { windowBatches: 8 } } } },
  {
    name: "tags lost on retry",
    in: ShardFetching.prototype,
    method: "failed",
    bug: (original) =>
      function(group: number, ...rest) {
        const { grouping } = this["shard"]
        const tags = grouping.tags.bind(grouping)
        grouping.tags = (of: number) => (of === group ? new Uint8Array(0) : tags(of))
        original.call(this, group, ...rest)
      }
  },
  {
    name: "committed before all is written",
    in: Deliveries.prototype,
    method: "commitReady",
    bug: (original) =>
      function(successes: number) {
        const { writing } = this
        this["writing"] = new Int32Array(writing.length)
        original.call(this, successes)
        this["writing"] = writing
      }
  },
  {
    name: "blocks that nobody listed published as empty",
    in: Deliveries.prototype,
    method: "commitReady",
    bug: (original) =>
      function(successes: number) {
        original.call(this, Math.max(1, successes))
      }
  },
  {
    name: "published while listing",
    in: ShardStream.prototype,
    method: "commit",
    bug: () =>
      function() {
        this["deliveries"].commitReady(1)
      }
  },
  {
    name: "blame for our own timeouts",
    in: ShardListing.prototype,
    method: "onFailure",
    bug: (original) =>
      function(peer: number, failure: { readonly reason: string }) {
        const { peers, scope } = this["shard"]
        if (failure.reason === "timeout") {
          const id = scope.options.peers[peers[peer]]
          scope.book.add({ peer: id, kind: "slow", verdict: "peer", subject: "", detail: "", atMillis: scope.now })
        }
        original.call(this, peer, failure)
      }
  },
  {
    name: "one success is a majority",
    in: ShardListing.prototype,
    method: "settle",
    bug: (original) =>
      function() {
        const { majority } = this["shard"]
        this["shard"].majority = 1
        original.call(this)
        this["shard"].majority = majority
      }
  },
  {
    name: "missing series not reported",
    in: ShardStream.prototype,
    method: "onMissing",
    bug: () =>
      function(group: number) {
        this["deliveries"].onTerminal(this["series"].block(group))
      }
  },
  {
    name: "what not every peer lists is dropped",
    in: ShardFetching.prototype,
    method: "onReady",
    bug: (original) =>
      function(group: number) {
        const { grouping, peers } = this["shard"]
        if (grouping.reporters(group) < peers.length) this["shard"].onDropped(group)
        else original.call(this, group)
      }
  },
  {
    name: "blocked series never tried again",
    in: ShardStream.prototype,
    method: "retryBlocked",
    bug: () =>
      function() {
        this["blockedUntilMillis"] = Number.POSITIVE_INFINITY
      }
  },
  {
    name: "merges as soon as the level allows",
    in: FanOut.prototype,
    method: "evaluate",
    bug: (original) =>
      function(group: number) {
        const { shard } = this
        const held = this["active"].get(group)?.copies.length ?? 0
        const { offers } = shard
        if (held > 0) {shard.offers = (of: number, peer: number) =>
            offers.call(shard, of, peer) && shard.series.held(of, peer)}
        original.call(this, group)
        delete shard.offers
      }
  },
  {
    name: "the next job waits for an event",
    in: StreamRun.prototype,
    method: "pump",
    bug: () =>
      function() {
        this["pumpOnce"]()
        this["endJobs"]()
        this["endRun"]()
      }
  }
]

/** Runs one seed with a bug planted. */
const playWith = (bug: Planted, seed: number): void => {
  planted.name = bug.name
  const home = (bug.in ?? {}) as Innards
  const original = bug.method === undefined ? undefined : home[bug.method]
  if (bug.method !== undefined) home[bug.method] = bug.bug!(original)
  try {
    playWorld(seed, bug.replacements)
  } finally {
    planted.name = ""
    if (bug.method !== undefined) home[bug.method] = original
  }
}

describe("planted bugs", () => {
  for (const bug of bugs) {
    it(`${bug.name}: found`, { timeout: 120_000 }, () => {
      let tried = 0
      const found = seedsFor("stream-run-worlds", 1_000, {}).find((seed) => {
        tried++
        try {
          playWith(bug, seed)
          return false
        } catch (error) {
          if (process.env["PEERSTRAP_VERBOSE"] !== undefined) console.log(String(error).slice(0, 200))
          return true
        }
      })
      assert.isDefined(found, `not found in ${tried} seeds`)
      if (process.env["PEERSTRAP_VERBOSE"] !== undefined) console.log(`${bug.name}: seed ${found}, the ${tried}.`)
    })
  }
})
