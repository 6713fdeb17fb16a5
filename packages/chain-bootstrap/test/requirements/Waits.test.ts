/** What a run says that it waits for, first the cause that an operator can do something about, in each phase (R16, A16; SyncWaits). */
import { assert, describe, it } from "@effect/vitest"
import { makeSyntheticChain } from "../../src/testing/SyntheticChain.ts"
import { World, type WorldOptions } from "./driver.ts"

interface Phase {
  readonly name: string
  readonly options?: WorldOptions
  /** What happens before the run is asked. */
  readonly play: (world: World) => void
  /** What each wait is for, in this order. */
  readonly waits: ReadonlyArray<RegExp>
  /** Cause and remedy of the first one. */
  readonly first: readonly [cause: RegExp, remedy: RegExp]
  /** First line of `status`. */
  readonly status?: RegExp
}

const reachable = (count: number) => Array.from({ length: 4 }, (_, at) => ({ unreachable: at >= count }))
const follows: WorldOptions = { sync: { until: undefined } }

/** All but one peer go, and do not come back. */
const loseAllButOne = (world: World) => {
  for (const peer of world.peers.slice(1)) {
    peer.unreachable = true
    world.lose(peer)
  }
}

const silent = (...kinds: ReadonlyArray<"get-branch" | "get-units">) =>
  Array.from({ length: 4 }, () => ({ silentOn: kinds }))

const phases: ReadonlyArray<Phase> = [
  {
    name: "no peers",
    options: { peers: reachable(0) },
    play: (world) => world.runFor(3000),
    waits: [/^4 more peers$/],
    first: [/^0 connected, 4 needed \(--min-peers 4\)/, /lower --min-peers/],
    status: /^0 of 4 needed peers are connected \(--min-peers 4\)$/
  },
  {
    name: "too few peers",
    options: { peers: reachable(1) },
    play: (world) => world.runFor(3000),
    waits: [/^3 more peers$/],
    first: [/^1 connected, 4 needed \(--min-peers 4\)/, /lower --min-peers/],
    status: /^1 of 4 needed peers are connected \(--min-peers 4\)$/
  },
  {
    name: "too few peers after the time of grace",
    options: { peers: reachable(2) },
    play: (world) => world.runFor(20_000),
    waits: [/^1 more peer$/],
    first: [/^2 connected, 3 needed \(--min-peers 4\)/, /lower --min-peers/],
    status: /^2 of 3 needed peers are connected \(--min-peers 4\)$/
  },
  {
    name: "too few peers for blocks that an earlier run chose",
    options: { peers: reachable(1), chosen: makeSyntheticChain({ seed: 7, levels: 60 }).ids(1, 20) },
    play: (world) => world.runFor(3000),
    waits: [/^3 more peers$/, /^2 units of its body$/],
    first: [/--min-peers 4/, /lower --min-peers/]
  },
  {
    name: "as many peers as were asked for, and fewer than a quorum needs",
    options: { peers: 1, ...follows },
    play: (world) => world.runFor(3000),
    waits: [/^2 more peers that count$/, /^a segment with a quorum/],
    first: [
      /^1 of 1 connected peers count, a quorum needs at least 3 \(--min-quorum-peers 3\)/,
      /--min-quorum-peers 1$/
    ],
    status: /^1 of 3 peers that a quorum needs count \(--min-quorum-peers 3\)$/
  },
  {
    name: "the same before they have told their branches",
    options: { peers: silent("get-branch").slice(0, 2), ...follows },
    play: (world) => world.runFor(3000),
    waits: [/^1 more peer that counts$/, /^branches$/],
    first: [/--min-quorum-peers 3/, /--min-quorum-peers 2$/]
  },
  {
    name: "enough peers that have not told their branches",
    options: { peers: silent("get-branch") },
    play: (world) => world.runFor(3000),
    waits: [/^branches$/],
    first: [/^4 of 4 peers have not told theirs$/, /^none needed/],
    status: /^0 of 4 peers are at our level 0$/
  },
  {
    name: "enough peers without a quorum",
    options: { peers: 4, sync: { until: undefined, minQuorumPeers: 3 } },
    play: (world) => {
      const other = [world.chain.genesis, ...world.chain.grow(world.chain.genesis.header.id, 60, "other", 0)]
      for (const peer of world.peers.slice(2)) peer.blocks = other
      world.runFor(3000)
    },
    waits: [/^a segment with a quorum of the peers$/],
    first: [/^at most 2 of 4 counted peers support one next block, 3 are needed/, /more honest peers/],
    status: /^0 of 4 peers are at our level 0$/
  },
  {
    name: "a quorum, and bodies that nobody sends",
    options: { peers: silent("get-units"), ...follows },
    play: (world) => world.runFor(1500),
    waits: [/^2 units of its body$/],
    first: [/^asked of \d peers$/, /^none needed/]
  },
  {
    name: "bodies that nobody sends, and peers that left",
    options: { peers: silent("get-units"), ...follows },
    play: (world) => {
      world.runFor(1500)
      loseAllButOne(world)
      world.runFor(3000)
    },
    waits: [/^3 more peers$/, /^2 units of its body$/],
    first: [/^1 connected, 4 needed \(--min-peers 4\)/, /lower --min-peers/],
    status: /--min-peers 4/
  },
  {
    name: "bodies that are being written, and peers that left",
    options: { ...follows, levels: 20 },
    play: (world) => {
      world.storeMillis = Infinity
      world.run(() => world.snapshot.counters.unitsReceived === 40)
      loseAllButOne(world)
      world.runFor(3000)
    },
    waits: [/^its body to be durable$/, /^3 more peers$/],
    first: [/being written/, /faster disk/]
  },
  {
    name: "a slow applier",
    options: follows,
    play: (world) => {
      world.applier = () => undefined
      world.runFor(3000)
    },
    waits: [/^the applier$/],
    first: [/works on blocks/, /applier's own log/]
  },
  {
    name: "a slow applier, and peers that left",
    options: follows,
    play: (world) => {
      world.applier = () => undefined
      world.runFor(3000)
      loseAllButOne(world)
      world.runFor(3000)
    },
    waits: [/^the applier$/, /^3 more peers$/],
    first: [/works on blocks/, /applier's own log/]
  },
  {
    name: "an applier that cannot take a block now",
    options: follows,
    play: (world) => {
      world.applier = () => ({ applied: 0, outcome: "transient" })
      world.runFor(3000)
    },
    waits: [/^the applier$/],
    first: [/says the applier/, /applier's own log/]
  },
  {
    name: "a rival that is prepared, and peers that left",
    options: { ...follows, ageSeconds: 60 },
    play: (world) => {
      world.runFor(3000)
      const rival = [
        ...world.chain.main.slice(0, 58),
        ...world.chain.grow(world.chain.at(57).header.id, 4, "rival", 40)
      ]
      for (const peer of world.peers) {
        peer.blocks = rival
        peer.silentOn.add("get-units")
        world.say(peer, peer.branch)
      }
      world.run(() => world.snapshot.phase === "reorganise", 5000)
      loseAllButOne(world)
      world.runFor(3000)
    },
    waits: [/^3 more peers$/, /^bodies of 4 blocks of the new branch$/, /^2 units of its body$/],
    first: [/--min-peers 4/, /lower --min-peers/]
  },
  {
    name: "nothing, when it is synced",
    options: follows,
    play: (world) => world.runFor(3000),
    waits: [],
    first: [/^$/, /^$/],
    status: /^head of level 60 is/
  }
]

describe("what a run waits for", () => {
  for (const { first, name, options, play, status, waits } of phases) {
    it(name, () => {
      const world = new World(options)
      play(world)
      const told = world.engine.waits(world.now)
      const words = told.map(({ waitingFor }) => waitingFor)
      assert.strictEqual(words.length, waits.length, words.join("; "))
      for (const [at, pattern] of waits.entries()) assert.match(words[at]!, pattern)
      assert.match(told[0]?.cause ?? "", first[0])
      assert.match(told[0]?.remedy ?? "", first[1])
      if (status !== undefined) assert.match(world.snapshot.statusReason, status)
    })
  }
})
