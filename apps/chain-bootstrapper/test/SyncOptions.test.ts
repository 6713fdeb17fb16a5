/** The engine's settings follow from flags and network, and each default is that of the table (specs: chain bootstrap 5.13). */
import { assert, describe, it } from "@effect/vitest"
import { defaultMinPeers, misfitOf, syncOptions } from "../src/sync/SyncOptions.ts"
import { defaults } from "./support/Defaults.ts"

const mainnet = { finality: 2, blocksPerCycle: 14_400, blockTimeSeconds: 6 }
const many = { addresses: 40, unresolved: false }
const hour = 3_600_000

describe("options of a sync", () => {
  it("has every default of the table", () => {
    const { connections, timers, ...options } = syncOptions(defaults, mainnet, many, 7)
    assert.deepStrictEqual(connections, {
      minPeers: 10,
      maxPeers: 50,
      maxIncoming: 25,
      hungryMargin: 5,
      reconnectLimit: 5,
      reconnectWindowMillis: 24 * hour,
      reconnectBaseMillis: 1000,
      reconnectCapMillis: 48 * hour,
      cooldownMillis: 60_000,
      greylistMillis: hour / 4,
      greylistLongestMillis: 24 * hour,
      maxKnownPoints: 400,
      maxDials: 10,
      maxPerGroup: 2
    })
    assert.deepStrictEqual(options, {
      mode: "auto",
      headerPolicy: "adaptive",
      strategy: "cached-tail",
      minQuorumPeers: 3,
      until: undefined,
      segmentHeaders: 8192,
      maxPendingHeaders: 4_000_000,
      maxUnprovenPerPeer: 32_768,
      applyWindow: 128,
      applyBatch: 64,
      pipelining: true,
      maxReorgDepth: 5,
      retentionBlocks: 115_200,
      maxBranches: 4,
      syncedWithinSeconds: 60,
      syncedPeers: 4,
      doNotAskAfter: 3,
      seed: 7
    })
    assert.deepStrictEqual(timers, {
      branch: 15_000,
      branchSpacing: 5000,
      branchRefresh: 600_000,
      head: 15_000,
      silence: 120_000,
      header: 5000,
      headerLongest: 30_000,
      ancestor: 25_000,
      unit: 10_000,
      unitLongest: 60_000,
      doNotAsk: 600_000,
      targetLifetime: 600_000,
      workerBase: 250,
      workerLongest: 5000,
      widenHeaders: 1000,
      stuck: 120_000,
      applyRetry: 1000,
      applyRetryLongest: 60_000
    })
  })

  it("takes what depends on the network from it", () => {
    const slow = { finality: 30, blocksPerCycle: 4096, blockTimeSeconds: 60 }
    const options = syncOptions(defaults, slow, many, 0)
    assert.deepStrictEqual(
      [options.maxReorgDepth, options.retentionBlocks, options.syncedWithinSeconds],
      [33, 8 * 4096, 600]
    )
    const given = syncOptions({ ...defaults, maxReorgDepth: 31, retentionCycles: 2, syncedWithin: 7 }, slow, many, 0)
    assert.deepStrictEqual([given.maxReorgDepth, given.retentionBlocks, given.syncedWithinSeconds], [31, 8192, 7])
  })

  it("begins with ten peers, or all addresses if fewer are known, or what was asked for", () => {
    assert.strictEqual(defaultMinPeers({ addresses: 1, unresolved: false }), 1)
    assert.strictEqual(defaultMinPeers({ addresses: 7, unresolved: false }), 7)
    assert.strictEqual(defaultMinPeers({ addresses: 0, unresolved: false }), 1)
    assert.strictEqual(defaultMinPeers(many), 10)
    // A name that the name service does not answer for now may stand for many.
    assert.strictEqual(defaultMinPeers({ addresses: 2, unresolved: true }), 10)
    const few = { addresses: 4, unresolved: false }
    assert.strictEqual(syncOptions({ ...defaults, minPeers: 6 }, mainnet, few, 0).connections.minPeers, 6)
    assert.strictEqual(syncOptions({ ...defaults, maxPeers: 3 }, mainnet, few, 0).connections.minPeers, 3)
  })

  it("keeps numbers consistent with each other", () => {
    const options = syncOptions(
      { ...defaults, applyWindow: 10, mode: "segmented", segmentHeaders: 100, headerTimeout: 50_000, maxPeers: 1 },
      mainnet,
      many,
      0
    )
    assert.strictEqual(options.applyBatch, 10)
    assert.strictEqual(options.maxPendingHeaders, 400)
    assert.strictEqual(options.timers.headerLongest, 50_000)
    assert.deepStrictEqual([options.connections.maxIncoming, options.connections.hungryMargin], [1, 1])
    assert.strictEqual(misfitOf({ ...defaults, maxReorgDepth: 2 }, mainnet), undefined)
    assert.match(misfitOf({ ...defaults, maxReorgDepth: 1 }, mainnet)?.message ?? "", /less than .* finality of 2/)
  })
})
