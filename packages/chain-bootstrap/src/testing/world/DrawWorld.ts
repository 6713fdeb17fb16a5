/** Worlds by seed, in families: each family promises something of its own (see `playWorld`). */
import type { SyncOptions } from "../../contract/ChainSync.ts"
import { connectionOptions } from "../../engine/connections/ConnectionDefaults.ts"
import { defaultSyncTimers, syncOptions } from "../../engine/SyncDefaults.ts"
import type { WorldRandom } from "./WorldRandom.ts"
import type { ApplierSpec, Fault, PeerSpec, WorldSpec } from "./WorldSpec.ts"

/**
 * `honest`: no liars, but every local fault. `liars`: at most f of 3f + 1. `tip`: the chain grows, moves and halts while we follow. `anchored`:
 * most peers keep only the newest blocks. `minority`: too few honest peers for a quorum. `invalid`: the applier refuses a block.
 */
export type Family = "honest" | "liars" | "tip" | "anchored" | "minority" | "invalid"

export const families: ReadonlyArray<Family> = ["honest", "liars", "tip", "anchored", "minority", "invalid"]

const lies: ReadonlyArray<Fault> = [
  "silent",
  "slow",
  "no-headers",
  "no-units",
  "own-targets-only",
  "equivocating",
  "forking",
  "fake-high-head",
  "bogus-steps",
  "unsolicited",
  "bad-proof",
  "dead-hash",
  "future-head",
  "orphan",
  "bad-header",
  "flood",
  "deviating"
]

/** Faults of peers that say nothing false: they take part in no quorum. */
const mute: ReadonlyArray<Fault> = ["silent", "future-head", "fake-high-head"]

const honestPeer = (random: WorldRandom, n: number): PeerSpec => {
  const breaks = random.chance(0.25)
  return {
    name: `p${n}`,
    point: `10.${n}.0.1:9732`,
    incoming: false,
    fault: undefined,
    latencyMillis: random.pick([1, 10, 40, 150]),
    jitterMillis: random.pick([0, 5, 50, 300]),
    reorders: random.chance(0.2),
    dialFailure: breaks ? 0 : random.pick([0, 0, 0.2]),
    breaksMillis: breaks ? random.int(1_000, 20_000) : Infinity,
    keeps: Infinity,
    behind: 0,
    catchUp: 0,
    firstStep: 1 + (n % 3),
    ancestors: random.chance(0.5),
    stale: 0
  }
}

const drawOptions = (random: WorldRandom, family: Family, peers: number, until: SyncOptions["until"]): SyncOptions => {
  const segmentHeaders = random.pick([16, 64, 256])
  return syncOptions({ finality: 2, blocksPerCycle: 50, blockTimeSeconds: 6 }, {
    connections: connectionOptions({
      minPeers: peers,
      maxPeers: peers + random.pick([0, 3, 20])
    }),
    until,
    segmentHeaders,
    headerPolicy: family === "anchored" ? "adaptive" : random.pick(["adaptive", "adaptive", "all", "own"] as const),
    strategy: random.pick(["cached-tail", "applied-branches"] as const),
    applyWindow: random.pick([8, 32, 128]),
    applyBatch: random.pick([1, 8, 64]),
    pipelining: random.chance(0.8),
    maxPendingHeaders: 20_000,
    maxUnprovenPerPeer: 4_000,
    timers: defaultSyncTimers,
    seed: random.int(0, 1 << 30)
  })
}

const drawApplier = (random: WorldRandom): ApplierSpec => ({
  branches: random.pick(["one", "many"] as const),
  blockMillis: random.pick([0, 0, 1, 20, 100]),
  transient: random.pick([0, 0, 0.1, 0.3]),
  invalidAt: undefined
})

const faulty = (
  random: WorldRandom,
  peers: ReadonlyArray<PeerSpec>,
  count: number,
  from: ReadonlyArray<Fault>
): ReadonlyArray<PeerSpec> => {
  const chosen = new Set(random.shuffle([...peers.keys()]).slice(0, count))
  // Liars agree or each have their own fault.
  const common = random.chance(0.6) ? random.pick(from) : undefined
  return peers.map((peer, n) => chosen.has(n) ? { ...peer, fault: common ?? random.pick(from) } : peer)
}

/** A group of one network that dials us, all following the liars' chain. */
const sybils = (random: WorldRandom): ReadonlyArray<PeerSpec> =>
  Array.from({ length: random.int(4, 12) }, (_, n) => ({
    ...honestPeer(random, 100 + n),
    name: `sybil${n}`,
    point: `8.8.${n}.1:9732`,
    incoming: true,
    fault: "forking" as const,
    breaksMillis: Infinity
  }))

export const drawWorld = (family: Family, seed: number, source: WorldRandom): WorldSpec => {
  const random = source.fork(`world ${family}`)
  const f = random.int(1, 3)
  const count = 3 * f + 1
  const levels = random.int(30, 260)
  const halted = random.chance(0.15)
  const baseLevel = random.chance(0.3) ? random.int(1, levels - 20) : 0
  let peers: ReadonlyArray<PeerSpec> = Array.from({ length: count }, (_, n) => honestPeer(random.fork(n), n))
  const rests = random.fork("rest")
  const base: WorldSpec = {
    seed,
    levels,
    baseLevel,
    units: rests.pick([0, 1, 3]),
    spacingSeconds: 6,
    peers,
    forkDepth: rests.pick([1, 2, 3, 4, 8, 20]),
    forkWeight: rests.pick([0, 1, 100]),
    options: drawOptions(random.fork("options"), family, count, "synced"),
    applier: drawApplier(random.fork("applier")),
    storeMillis: rests.pick([0.1, 2, 30]),
    restarts: rests.chance(0.3) ? [rests.int(50, 4_000), rests.int(4_000, 30_000)] : [],
    growsUntilMillis: 0,
    reorganisations: [],
    headAgeSeconds: halted ? rests.int(3_600, 1e6) : rests.int(1, 20),
    sleeps: rests.chance(0.15)
      // Half of them while the first questions are on their way.
      ? [{
        atMillis: rests.pick([rests.int(20, 600), rests.int(100, 10_000)]),
        forMillis: rests.pick([3_000, 60_000, 1_800_000])
      }]
      : [],
    deadlineMillis: 1_200_000
  }
  if (base.sleeps.some(({ forMillis }) => forMillis > 60_000)) {
    // After such a pause the head is old.
    return drawFamily(family, { ...base, headAgeSeconds: base.headAgeSeconds }, random, f)
  }
  peers = base.peers
  return drawFamily(family, { ...base, peers }, random, f)
}

const drawFamily = (family: Family, base: WorldSpec, random: WorldRandom, f: number): WorldSpec => {
  const { levels, peers } = base
  const draw = random.fork("family")
  switch (family) {
    case "honest": {
      const behind = draw.chance(0.3)
        ? peers.map((peer, n) => n < f ? { ...peer, behind: draw.int(1, 25), catchUp: draw.int(1, 3) } : peer)
        : peers
      const stale = draw.chance(0.3)
        ? behind.map((peer, n) =>
          n === peers.length - 1 && f > 1
            ? { ...peer, behind: draw.int(0, 20), catchUp: 0, stale: draw.int(1, 4) }
            : peer
        )
        : behind
      return { ...base, peers: stale }
    }
    case "liars": {
      // Two of a group count, so that these liars are still less than a third.
      if (f === 3 && draw.chance(0.4)) return { ...base, peers: [...faulty(draw, peers, 1, lies), ...sybils(draw)] }
      return { ...base, peers: faulty(draw, peers, draw.int(1, f), lies) }
    }
    case "tip": {
      const growsUntilMillis = draw.pick([60_000, 180_000])
      const moves = draw.int(0, 3)
      return {
        ...base,
        peers: draw.chance(0.5) ? faulty(draw, peers, draw.int(1, f), lies) : peers,
        headAgeSeconds: draw.int(1, 6),
        sleeps: [],
        growsUntilMillis,
        reorganisations: Array.from(
          { length: moves },
          () => ({ atMillis: draw.int(1_000, growsUntilMillis), depth: draw.int(1, 5) })
        )
          .toSorted((a, b) => a.atMillis - b.atMillis),
        options: { ...base.options, until: undefined },
        deadlineMillis: growsUntilMillis + 240_000
      }
    }
    case "anchored": {
      const keeps = draw.int(12, 40)
      const archives = draw.int(1, Math.max(1, f))
      const rolling = peers.map((peer, n) => n < archives ? { ...peer, breaksMillis: Infinity } : { ...peer, keeps })
      return { ...base, peers: draw.chance(0.4) ? faultyRolling(draw, rolling, archives, f) : rolling }
    }
    case "minority": {
      const liars = faulty(
        draw,
        peers,
        f + 1,
        draw.chance(0.5) ? mute : ["forking", "flood", "deviating", "equivocating"]
      )
      return {
        ...base,
        peers: liars,
        restarts: [],
        sleeps: [],
        deadlineMillis: 300_000,
        forkDepth: Math.min(levels - 2, 20)
      }
    }
    case "invalid":
      return {
        ...base,
        sleeps: [],
        applier: { ...base.applier, invalidAt: draw.int(base.baseLevel + 1, levels) }
      }
  }
}

const faultyRolling = (
  random: WorldRandom,
  peers: ReadonlyArray<PeerSpec>,
  archives: number,
  f: number
): ReadonlyArray<PeerSpec> => {
  const liars = faulty(random, peers.slice(archives), random.int(1, f), lies)
  return [...peers.slice(0, archives), ...liars]
}
