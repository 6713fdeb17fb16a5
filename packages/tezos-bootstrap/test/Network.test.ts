// Network files: presets, every key missing, wrong and unknown, all problems at once; peers by name.
import { assert, describe, it } from "@effect/vitest"
import {
  checkNetwork,
  isPreset,
  makeTezosRules,
  type Network,
  type NetworkFile,
  NetworkUnusable,
  parseNetwork,
  parsePeerName,
  presetFiles,
  presetNames,
  resolveNetwork,
  resolvePeers,
  TezosLimits
} from "@peerstrap/tezos-bootstrap"
import { Crypto, toHex } from "@peerstrap/tezos-wire"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { crypto, genesisId } from "./chains.ts"

const sound = (result: Network | NetworkUnusable): Network => {
  if (result instanceof NetworkUnusable) throw result
  return result
}
const problemsOf = (file: unknown): ReadonlyArray<string> => {
  const result = checkNetwork(crypto, file, "mine.json")
  if (!(result instanceof NetworkUnusable)) throw new Error("taken")
  assert.strictEqual(result.source, "mine.json")
  return result.problems
}

const problem = (text: string) => (parseNetwork(crypto, text, "f") as NetworkUnusable).problems[0]!

const header = (presetFiles.mainnet.genesis as { readonly headerHex: string }).headerHex
const mainnetHash = "BLockGenesisGenesisGenesisGenesisGenesisf79b5d1CoW2"
const least: NetworkFile = {
  chainName: "MINE",
  chainId: "7a06a770",
  genesis: mainnetHash,
  proofOfWork: 0,
  peers: []
}

describe("network files", () => {
  it("presets are sound", () => {
    assert.deepStrictEqual(presetNames, ["mainnet", "shadownet", "sandbox"])
    const [mainnet, shadownet, sandbox] = presetNames.map((name) =>
      sound(checkNetwork(crypto, presetFiles[name], name))
    ) as [Network, Network, Network]
    assert.deepStrictEqual([mainnet.chainId, mainnet.chainName, mainnet.proofOfWork], [
      "NetXdQprcVkpaWU",
      "TEZOS_MAINNET",
      26
    ])
    assert.deepStrictEqual(mainnet.genesis.id, genesisId)
    assert.strictEqual(mainnet.genesis.timeSeconds, 1_530_374_852)
    assert.strictEqual(makeTezosRules(crypto, mainnet).genesis?.id, genesisId)
    assert.deepStrictEqual([shadownet.chainId, toHex(shadownet.chainIdBytes)], ["NetXsqzbfFenSTS", "d052218e"])
    assert.strictEqual(makeTezosRules(crypto, shadownet).genesis, undefined)
    assert.deepStrictEqual([sandbox.chainName, sandbox.chainId, sandbox.proofOfWork], ["TEZOS", "NetXdQprcVkpaWU", 0])
    assert.isTrue(isPreset("mainnet"))
    assert.isFalse(isPreset("toString"))
  })

  it("the least file gets the defaults of mainnet", () => {
    const network = sound(parseNetwork(crypto, JSON.stringify(least), "mine.json"))
    assert.deepStrictEqual({ ...network, chainIdBytes: toHex(network.chainIdBytes) }, {
      name: "mine.json",
      chainName: "MINE",
      chainId: "NetXdQprcVkpaWU",
      chainIdBytes: "7a06a770",
      genesis: { id: genesisId, timeSeconds: undefined, header: undefined },
      proofOfWork: 0,
      peers: [],
      validationPasses: 4,
      blocksPerCycle: 14_400,
      blockTimeSeconds: 6,
      finality: 2,
      limits: { clockDriftSeconds: 1, maxHeaderBytes: 8_388_608, itemsPerRequest: 10 }
    })
  })

  it("every key is read", () => {
    const network = sound(checkNetwork(crypto, {
      chainName: "X",
      chainId: "NetXdQprcVkpaWU",
      genesis: { hash: mainnetHash, time: 1_530_374_852, headerHex: header.toUpperCase() },
      proofOfWork: 1.5,
      peers: ["a.example", "1.2.3.4:5", "[::1]:6", "::2"],
      validationPasses: 8,
      blocksPerCycle: 10,
      blockTimeSeconds: 0.5,
      finality: 0,
      limits: { clockDriftSeconds: 10, maxHeaderBytes: 4096, itemsPerRequest: 3 }
    }, "x"))
    assert.strictEqual(toHex(network.genesis.header!), header)
    assert.deepStrictEqual(network.peers, ["a.example", "1.2.3.4:5", "[::1]:6", "::2"])
    const { blocksPerCycle, blockTimeSeconds, finality, limits, proofOfWork, validationPasses } = network
    assert.deepStrictEqual([proofOfWork, validationPasses, blocksPerCycle, blockTimeSeconds, finality], [
      1.5,
      8,
      10,
      0.5,
      0
    ])
    assert.deepStrictEqual(limits, { clockDriftSeconds: 10, maxHeaderBytes: 4096, itemsPerRequest: 3 })
  })

  it("names every missing key", () => {
    const problems = problemsOf({})
    assert.deepStrictEqual(problems.map((each) => each.split(":")[0]), [
      "chainName",
      "chainId",
      "genesis",
      "proofOfWork",
      "peers"
    ])
    for (const each of problems) assert.match(each, /missing; it takes/)
  })

  const wrong: ReadonlyArray<readonly [string, unknown, RegExp]> = [
    ["chainName", "", /^chainName: takes 1 to 128 ASCII characters/],
    ["chainName", 7, /^chainName: .*not 7/],
    ["chainName", "x".repeat(129), /^chainName: /],
    ["chainId", "7a06a77", /^chainId: takes Net… or 8 hex digits/],
    ["chainId", "NetXdQprcVkpaWV", /^chainId: .*checksum/],
    ["chainId", 1, /^chainId: /],
    [
      "chainId",
      "af1864d9",
      /^chainId: is NetXnHfVqm9iesp \(af1864d9\), but NetXdQprcVkpaWU \(7a06a770\) follows from genesis BLock/
    ],
    ["genesis", "Bxyz", /^genesis: takes a block hash/],
    ["genesis", null, /^genesis: .*not null/],
    ["genesis", {}, /^genesis\.hash: missing/],
    ["genesis", { hash: mainnetHash, time: "yesterday" }, /^genesis\.time: takes a time like/],
    ["genesis", { hash: mainnetHash, time: "2018-13-30T16:07:32Z" }, /^genesis\.time: /],
    ["genesis", { hash: mainnetHash, headerHex: "zz" }, /^genesis\.headerHex: is no header: .*offset 0/],
    ["genesis", { hash: mainnetHash, headerHex: 5 }, /^genesis\.headerHex: takes hex digits/],
    ["genesis", { hash: mainnetHash, headerHex: "00" }, /^genesis\.headerHex: is no header/],
    [
      "genesis",
      { hash: mainnetHash, headerHex: `00000001${header.slice(8)}` },
      /^genesis\.headerHex: is a header of level 1/
    ],
    [
      "genesis",
      { hash: mainnetHash, headerHex: `${header.slice(0, 90)}01${header.slice(92)}` },
      /^genesis\.headerHex: genesis has no operations/
    ],
    [
      "genesis",
      { hash: mainnetHash, headerHex: `${header.slice(0, 12)}00${header.slice(14)}` },
      /^genesis\.headerHex: names B.* as its predecessor/
    ],
    [
      "genesis",
      { hash: mainnetHash, time: 5, headerHex: header },
      /^genesis\.headerHex: is dated 1530374852; genesis\.time says 5/
    ],
    [
      "genesis",
      { hash: mainnetHash, context: "Co" },
      /^genesis\.context: unknown key; known are hash, time, headerHex/
    ],
    ["proofOfWork", -1, /^proofOfWork: takes a number from 0 to 256, not -1/],
    ["proofOfWork", "26", /^proofOfWork: .*not "26"/],
    ["peers", "a", /^peers: takes a list/],
    ["peers", ["ok.example", 5, "a:b:c", "h:0", "[1.2.3.4]:5", "a b"], /^peers\[1\]: takes a text/],
    ["peers", Array.from({ length: 1_001 }, () => "a"), /^peers: names 1001 peers/],
    ["validationPasses", 9, /^validationPasses: takes a whole number from 1 to 8/],
    ["validationPasses", 0, /^validationPasses: /],
    ["blocksPerCycle", 1.5, /^blocksPerCycle: takes a whole number/],
    ["blockTimeSeconds", 0, /^blockTimeSeconds: /],
    ["finality", -1, /^finality: /],
    ["limits", [], /^limits: takes an object/],
    ["limits", { clockDriftSeconds: "1" }, /^limits\.clockDriftSeconds: /],
    ["limits", { maxHeaderBytes: 100 }, /^limits\.maxHeaderBytes: /],
    ["limits", { itemsPerRequest: 11 }, /^limits\.itemsPerRequest: takes a whole number from 1 to 10, not 11/],
    [
      "limits",
      { frames: 1 },
      /^limits\.frames: unknown key; known are clockDriftSeconds, maxHeaderBytes, itemsPerRequest/
    ],
    ["chainName2", "x", /^chainName2: unknown key; known are/],
    ["validationpasses", 4, /^validationpasses: unknown key; did you mean validationPasses\?; known are/],
    ["bootstrap", [], /^bootstrap: unknown key; known are chainName, chainId, genesis, .*limits/]
  ]
  for (const [key, value, problem] of wrong) {
    it(`${key}: ${JSON.stringify(value).slice(0, 40)}`, () =>
      assert.match(problemsOf({ ...least, [key]: value })[0]!, problem))
  }

  it("all problems at once, and no more than fit", () => {
    const file: Record<string, unknown> = Object.fromEntries(wrong.map(([key, value]) => [key, value]))
    const keys = new Set(problemsOf(file).map((each) => each.split(":")[0]))
    for (
      const key of [
        "chainName",
        "genesis.context",
        "proofOfWork",
        "peers",
        "validationPasses",
        "bootstrap",
        "limits.frames"
      ]
    ) {
      assert.isTrue(keys.has(key), key)
    }
    const many = problemsOf({ ...least, peers: Array.from({ length: 500 }, () => 1) })
    assert.strictEqual(many.length, TezosLimits.networkProblems + 1)
    assert.strictEqual(many.at(-1), "and 450 more problems")
  })

  it("texts that are no file", () => {
    assert.match(problem("{"), /is not JSON/)
    assert.match(problem("[]"), /takes a JSON object/)
    assert.match(problem(" ".repeat(TezosLimits.networkFileBytes + 1)), /more than the 262144 bytes/)
    assert.match((parseNetwork(crypto, "{", "f") as NetworkUnusable).message, /^f: is not JSON/)
  })

  it.effect("resolves presets and files", () =>
    Effect.gen(function*() {
      const folder = mkdtempSync(join(tmpdir(), "network-"))
      yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(folder, { recursive: true })))
      const path = join(folder, "mine.json")
      writeFileSync(path, JSON.stringify(least))
      assert.strictEqual((yield* resolveNetwork("shadownet")).chainId, "NetXsqzbfFenSTS")
      assert.strictEqual((yield* resolveNetwork(path)).name, path)
      const absent = yield* Effect.flip(resolveNetwork(join(folder, "none.json")))
      assert.match(absent.problems[0]!, /is no preset \(mainnet, shadownet, sandbox\) and no file.*ENOENT/)
      const near = yield* Effect.flip(resolveNetwork("mainet"))
      assert.match(near.problems[0]!, /ENOENT.*; did you mean mainnet\?$/)
      assert.notMatch(absent.problems[0]!, /did you mean/)
      writeFileSync(path, " ".repeat(TezosLimits.networkFileBytes + 9))
      assert.match((yield* Effect.flip(resolveNetwork(path))).problems[0]!, /more than/)
    }).pipe(Effect.provideService(Crypto, crypto)))
})

describe("peers by name", () => {
  it("reads names", () => {
    assert.deepStrictEqual(parsePeerName("boot.tzinit.org"), { host: "boot.tzinit.org", port: 9732 })
    assert.deepStrictEqual(parsePeerName("localhost:1"), { host: "localhost", port: 1 })
    assert.deepStrictEqual(parsePeerName("10.0.0.1:65535"), { host: "10.0.0.1", port: 65_535 })
    assert.deepStrictEqual(parsePeerName("[fe80::1]:80"), { host: "fe80::1", port: 80 })
    assert.deepStrictEqual(parsePeerName("[fe80::1]"), { host: "fe80::1", port: 9732 })
    assert.deepStrictEqual(parsePeerName("fe80::1"), { host: "fe80::1", port: 9732 })
    for (
      const bad of [
        "",
        ":5",
        "a:",
        "a:65536",
        "a:-1",
        "a:1x",
        "[a]:5",
        "[::1",
        "a/b",
        "-a.example",
        "a..b",
        `${"a".repeat(64)}.org`
      ]
    ) {
      assert.isString(parsePeerName(bad), bad)
    }
  })

  it.effect("takes all addresses of all names, each once", () =>
    Effect.gen(function*() {
      const known: Record<string, ReadonlyArray<string>> = {
        "two.example": ["1.2.3.4", "2001:db8::1"],
        "same.example": ["1.2.3.4", "not an address"],
        "none.example": []
      }
      const lookup = (host: string) =>
        known[host] === undefined ? Promise.reject(new Error(`ENOTFOUND ${host}`)) : Promise.resolve(known[host])
      const { points, problems } = yield* resolvePeers(
        ["two.example", "same.example:9732", "5.6.7.8:1", "[::1]:2", "none.example", "gone.example", "a b"],
        lookup
      )
      assert.deepStrictEqual(points, ["1.2.3.4:9732", "[2001:db8::1]:9732", "5.6.7.8:1", "[::1]:2"])
      assert.strictEqual(problems.length, 3)
      assert.match(problems[0]!, /^none\.example: has no address/)
      assert.match(problems[1]!, /^gone\.example: ENOTFOUND/)
      assert.match(problems[2]!, /^a b: /)
    }))

  it.effect("gives up on a resolver that does not answer", () =>
    Effect.gen(function*() {
      const asked = Promise.withResolvers<void>()
      const lookup = (): Promise<ReadonlyArray<string>> => {
        asked.resolve()
        return new Promise(() => {})
      }
      const fiber = yield* Effect.forkChild(resolvePeers(["slow.example", "9.9.9.9"], lookup))
      yield* Effect.promise(() => asked.promise)
      yield* TestClock.adjust(TezosLimits.lookupTimeoutMillis)
      const { points, problems } = yield* Fiber.join(fiber)
      assert.deepStrictEqual(points, ["9.9.9.9:9732"])
      assert.match(problems[0]!, /^slow\.example: not resolved within 10000 ms/)
    }))

  it.live("asks the system", () =>
    Effect.gen(function*() {
      const { points } = yield* resolvePeers(["localhost:7"])
      assert.isTrue(points.includes("127.0.0.1:7") || points.includes("[::1]:7"), points.join())
    }))
})
