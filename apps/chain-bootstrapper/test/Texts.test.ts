/** What a person is told: notices, waits, warnings, faults with their remedies and exit codes. */
import { assert, describe, it } from "@effect/vitest"
import { ApplierFailed, BaseNotFound, StoreError, SyncDefect, type SyncSnapshot } from "@peerstrap/chain-bootstrap"
import { StrategyUnfit } from "@peerstrap/chain-bootstrap/plugin"
import { CompositionError, PluginFatalError, PluginStartError } from "@peerstrap/plugin-host"
import { FileError } from "@peerstrap/storage"
import { IdentityUnusable, type Network, NetworkUnusable, resolveNetwork } from "@peerstrap/tezos-bootstrap"
import * as Effect from "effect/Effect"
import { loadedCryptoLayer } from "../src/LoadedCrypto.ts"
import { clockFault, networkFileOf } from "../src/network/NetworkOfRun.ts"
import { blameRows, peerRows, peersText } from "../src/sync/ChainStatus.ts"
import { makeNoticeBook, tellNotice } from "../src/sync/Notices.ts"
import { PeerTrouble } from "../src/sync/PeerTrouble.ts"
import { foreseenProblems } from "../src/sync/PlanText.ts"
import { runFault } from "../src/sync/RunFaults.ts"
import { blockAmount } from "../src/sync/RunState.ts"
import { fatalPlugin, partFault } from "../src/sync/StartFaults.ts"
import { syncOptions } from "../src/sync/SyncOptions.ts"
import { defaults } from "./support/Defaults.ts"

const genesisId = "8fcf233671b6a04fcf679d2a381c2544ea6c1ea29ba6157776ed8424c7ccd00b"
const genesis = "BLockGenesisGenesisGenesisGenesisGenesisf79b5d1CoW2"

const peersAt = (addresses: number, unresolved = false) => ({
  named: [],
  facts: { addresses, unresolved },
  othersKnown: false,
  problems: unresolved ? ["boot.example.org: not resolved within 10000 ms"] : [],
  resolveNames: Effect.succeed([])
})

const foreseen = (network: Network, level: number, addresses: number, unresolved = false) => {
  const peers = peersAt(addresses, unresolved)
  const place = { id: network.genesis.id, level }
  const options = syncOptions(defaults, network, peers.facts, 0)
  return foreseenProblems({ base: place, head: place, network, options, peers })
}

const notStarted = (cause: unknown) =>
  partFault(new PluginStartError({ plugin: "chain.store.files", message: "chain.store.files: why", cause }))

describe("warnings before a run", () => {
  it.effect("say aloud that rolling peers cannot serve a public network from genesis, and what to do", () =>
    Effect.gen(function*() {
      const mainnet = yield* resolveNetwork("mainnet")
      const [warning, ...others] = foreseen(mainnet, 0, 40)
      assert.deepStrictEqual(others, [])
      assert.match(
        warning!,
        /TEZOS_MAINNET from genesis: .*rolling.*cannot serve[\s\S]*what to do: .*--base HASH.*--peer/
      )
      assert.deepStrictEqual(foreseen(mainnet, 15_000_000, 40), [])
      assert.deepStrictEqual(foreseen(yield* resolveNetwork("sandbox"), 0, 3), [])
    }).pipe(Effect.provide(loadedCryptoLayer)))

  it.effect("say that the peers known cannot make a quorum, and which names gave no address", () =>
    Effect.gen(function*() {
      const sandbox = yield* resolveNetwork("sandbox")
      assert.match(foreseen(sandbox, 0, 1).join(), /1 peer address is known, a quorum needs 3.*--min-quorum-peers/)
      assert.deepStrictEqual(foreseen(sandbox, 0, 1, true), ["peer boot.example.org: not resolved within 10000 ms"])
    }).pipe(Effect.provide(loadedCryptoLayer)))
})

describe("networks", () => {
  it.effect("are kept in a file that reads back as the same network", () =>
    Effect.gen(function*() {
      for (const name of ["mainnet", "shadownet", "sandbox"]) {
        const network = yield* resolveNetwork(name)
        const file = networkFileOf(network)
        assert.deepStrictEqual(file.chainName, network.chainName)
        assert.strictEqual(JSON.stringify(networkFileOf(network)), JSON.stringify(file))
        assert.deepStrictEqual(JSON.parse(JSON.stringify(file)).peers, [...network.peers])
      }
    }).pipe(Effect.provide(loadedCryptoLayer)))

  it("show a clock that is wrong", () => {
    assert.strictEqual(clockFault(10_000_000, "genesis", 10_001, 1), undefined)
    const fault = clockFault(10_000_000, "genesis", 10_002, 1)
    assert.strictEqual(fault?.exitCode, 4)
    assert.match(
      fault?.message ?? "",
      /clock is wrong: it says 1970-01-01T02:46:40Z, but genesis is of 1970-01-01T02:46:42Z/
    )
    assert.match(fault?.remedy ?? "", /set the clock/)
  })
})

const store = (reason: StoreError["reason"]) => runFault(new StoreError({ reason, path: "/store", message: "m" }))

describe("faults of this side", () => {
  it("have a remedy and the exit code of their kind", () => {
    assert.deepStrictEqual([store("no-space").exitCode, store("no-space").message], [4, "/store: m"])
    assert.match(store("no-space").remedy, /free space, .*what is stored stays valid/)
    assert.deepStrictEqual([store("other-chain").exitCode, store("in-use").exitCode], [2, 4])
    assert.match(store("permission").remedy, /owner/)
    const applier = runFault(new ApplierFailed({ applier: "index", message: "ended with exit code 7" }))
    assert.deepStrictEqual([applier.exitCode, applier.message], [4, "applier index: ended with exit code 7"])
    assert.match(applier.remedy, /run the same command again/)
    assert.strictEqual(runFault(new SyncDefect({ message: "x" })).exitCode, 5)
  })

  it("are the same when a plugin does not start", () => {
    const store = new StoreError({ reason: "other-chain", path: "/s", message: "/s is the store of another chain" })
    for (
      const [cause, exitCode, expected] of [
        [store, 2, /^\/s is the store of another chain what to do: name another --store/],
        [
          new FileError({ operation: "open", reason: "permission", path: "/s", message: "no" }),
          4,
          /^\/s: no what to do: run as the owner/
        ],
        [new ApplierFailed({ applier: "mine", message: "gone" }), 4, /^applier mine: gone/],
        [
          new BaseNotFound({ base: genesis, asked: 1, message: "nobody" }),
          3,
          /^--base BLock.*: nobody .*compare the hash/
        ],
        [new NetworkUnusable({ source: "n.json", problems: ["a", "b"] }), 2, /^network n\.json: \n {2}a\n {2}b/],
        [new IdentityUnusable({ path: "/i", message: "/i is none" }), 2, /^\/i is none .*identity generate/],
        [
          new StrategyUnfit({ strategy: "applied-branches", applier: "mine", message: "" }),
          2,
          /^--strategy applied-branches needs an applier that holds several branches; mine has a single chain/
        ],
        [new Error("why"), 4, /^chain\.store\.files: why .*plugins explain chain\.store\.files/]
      ] as const
    ) {
      const { exitCode: code, message, remedy } = notStarted(cause)
      assert.strictEqual(code, exitCode, message)
      assert.match(`${message} what to do: ${remedy}`, expected)
    }
    const problem = { kind: "unknown-plugin", where: "c.yaml:2:10", message: "no", remedy: "" } as const
    const composition = partFault(new CompositionError({ problems: [problem] }))
    assert.strictEqual(composition.exitCode, 2)
    assert.include(composition.message, "c.yaml:2:10: no")
    assert.match(fatalPlugin(new PluginFatalError({ plugin: "p", message: "m" })).message, /^p gave up: m/)
  })
})

const at = (level: number) => ({ id: genesisId, level })

describe("what happened", () => {
  it("is told with hashes as people write them, and kept for the report", () => {
    const book = makeNoticeBook()
    const reorganised = { kind: "reorganised", fork: at(7), from: at(9), to: at(10), strategy: "cached-tail" } as const
    book.add(reorganised)
    assert.strictEqual(book.lowestFork(), 7)
    assert.strictEqual(book.reorganisations.length, 1)
    const { fields, name, text } = tellNotice(reorganised)
    assert.strictEqual(name, "reorganised")
    assert.deepStrictEqual(fields["fork"], { level: 7, hash: genesis })
    assert.include(text ?? "", `from level 9 ${genesis} to level 10`)
    assert.strictEqual(tellNotice({ kind: "peer-up", peer: "id", point: "p", side: "outgoing" }).text, undefined)
  })

  it("names the proof against a peer", () => {
    const record = {
      peer: "idX",
      kind: "bad-body-proof",
      verdict: "peer",
      subject: `block ${genesisId} unit 0`,
      detail: "d",
      atMillis: 0
    } as const
    const rows = blameRows({ blame: { idX: { "bad-body-proof": 2 } }, evidence: [record] })
    assert.deepStrictEqual(rows, [{
      peer: "idX",
      kinds: { "bad-body-proof": 2 },
      evidence: [{
        kind: "bad-body-proof",
        subject: `block ${genesis} unit 0`,
        detail: "d",
        at: "1970-01-01T00:00:00Z"
      }]
    }])
    const told = tellNotice({ kind: "blamed", record, score: 50, consequence: "points" })
    assert.match(told.text ?? "", /peer idX: bad body proof: .*\(its score fell to 50\)/)
  })
})

const snapshot = (changes: Partial<SyncSnapshot>): SyncSnapshot => ({
  phase: "operations",
  status: "unsynced",
  head: { id: genesisId, level: 10 },
  chosen: { id: genesisId, level: 40 },
  peersLevel: 100,
  peers: [],
  known: [],
  ...changes
} as SyncSnapshot)

describe("progress", () => {
  it("counts blocks from where the run began to where it ends", () => {
    assert.deepStrictEqual(blockAmount(snapshot({}), 4, { level: 24 }), { done: 6, total: 20, totalIsGrowing: false })
    assert.deepStrictEqual(blockAmount(snapshot({}), 4, undefined), { done: 6, total: 96, totalIsGrowing: true })
    assert.deepStrictEqual(
      blockAmount(snapshot({ peersLevel: undefined, status: "synced" }), 4, "synced"),
      { done: 6, total: 36, totalIsGrowing: false }
    )
    assert.strictEqual(blockAmount(snapshot({ head: { id: genesisId, level: 2 } }), 4, undefined).done, 0)
  })
})

describe("peers", () => {
  const known = {
    point: "127.0.0.1:1",
    id: "idA",
    source: "named",
    named: true,
    status: "active",
    lastScore: 90,
    reconnects: 0,
    windowStartMillis: 0,
    restUntilMillis: 0,
    greylistings: 0,
    reason: undefined,
    lastSeenMillis: 5
  } as const
  const view = {
    peer: 1,
    id: "idA",
    point: "127.0.0.1:1",
    side: "outgoing",
    score: 80,
    counted: true,
    anchored: undefined,
    claimedLevel: 1234,
    outstanding: 0,
    doNotAsk: 0
  } as const

  it("are listed once each, those connected first", () => {
    const banned = {
      ...known,
      point: "127.0.0.1:2",
      id: undefined,
      status: "banned",
      restUntilMillis: Infinity,
      reason: "r"
    } as const
    const rows = peerRows({ peers: [view], known: [banned, known] })
    assert.deepStrictEqual(rows.map(({ point, score, status }) => [point, status, score]), [
      ["127.0.0.1:1", "active", 80],
      ["127.0.0.1:2", "banned", 90]
    ])
    assert.match(
      peersText(rows),
      /127\.0\.0\.1:1 .*active .*score 80 .*level 1,234 .*counts .*named\n.*banned.*\(r\)\n$/
    )
    assert.strictEqual(peersText([]), "no peers are known\n")
  })

  it("that cannot be reached are a wait with a remedy, as long as something waits", () => {
    const trouble = new PeerTrouble(() => 1000)
    trouble.note("127.0.0.1:9", "dial-refused", "cannot connect to 127.0.0.1:9")
    trouble.note("idA", "other-chain", "its messages are of another chain id")
    trouble.note("127.0.0.1:1", "nacked", "it refused us")
    const waiting = {
      subject: "levels above 0",
      waitingFor: "branches",
      cause: "c",
      peers: [],
      remedy: "r",
      sinceMillis: 0
    }
    assert.deepStrictEqual(trouble.waits({ peers: [view] }, []), [])
    const waits = trouble.waits({ peers: [view] }, [waiting])
    // The point 127.0.0.1:1 is connected by now.
    assert.deepStrictEqual(waits.map(({ cause, waitingFor }) => [waitingFor, cause]), [
      ["peers that take our connection", "cannot connect to 127.0.0.1:9"],
      ["peers of this chain", "idA: its messages are of another chain id"]
    ])
    assert.match(waits[0]!.remedy, /start the peer/)
    trouble.settled("127.0.0.1:9")
    assert.strictEqual(trouble.waits({ peers: [] }, [waiting]).length, 1)
  })
})
