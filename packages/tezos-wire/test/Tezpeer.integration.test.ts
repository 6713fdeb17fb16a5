// Our sessions and our scriptable peer against an independent implementation over real sockets: the healthy way, legal oddities, garbage.
import { assert, describe, it } from "@effect/vitest"
import { formatPeerId, HandshakeError, headerHash, toHex, verifyOperations } from "@peerstrap/tezos-wire"
import {
  makeChain,
  readChainFile,
  startScriptedPeer,
  type TestChain,
  writeChainFile
} from "@peerstrap/tezos-wire/testing"
import { Tcp } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { sharedPath } from "../../../tools/shared.ts"
import { connect } from "./client.ts"
import { runTezpeer, startTezpeer, tezpeerMissing } from "./tezpeer.ts"
import { crypto } from "./wire.ts"

if (tezpeerMissing !== undefined) console.warn(`Tezpeer.integration.test.ts: nothing runs: ${tezpeerMissing}`)

const peerIt = tezpeerMissing === undefined ? it.live : it.live.skip
const file = (name: string) => sharedPath(`data/tezos/chains/${name}.json.gz`)
const load = (name: string) => readChainFile(crypto, readFileSync(file(name)))

/** Fetches and checks a branch, every header and every list of operations; returns how many of both. */
const fetchEverything = Effect.fnUntraced(function*(address: { host: string; port: number }, chain: TestChain) {
  const client = yield* connect(address, chain)
  yield* client.say({ _tag: "GetCurrentBranch", chainId: chain.chainId })
  const [branch] = yield* client.wait("CurrentBranch")
  assert.strictEqual(toHex(headerHash(crypto, branch!.header.raw)), toHex(chain.head().hash))
  const blocks = Array.from({ length: chain.head().level }, (_, i) => chain.at(i + 1))
  const items = blocks.flatMap(({ hash, operations }) => operations.map((_, pass) => ({ block: hash, pass })))
  for (let i = 0; i < blocks.length; i += 10) {
    yield* client.say({ _tag: "GetBlockHeaders", hashes: blocks.slice(i, i + 10).map(({ hash }) => hash) })
  }
  for (const { header } of yield* client.wait("BlockHeader", blocks.length)) {
    assert.strictEqual(toHex(headerHash(crypto, header.raw)), toHex(chain.at(header.level).hash))
  }
  for (let i = 0; i < items.length; i += 10) {
    yield* client.say({ _tag: "GetOperationsForBlocks", items: items.slice(i, i + 10) })
  }
  for (const { block, operations, pass, path } of yield* client.wait("OperationsForBlocks", items.length)) {
    const { operationsHash, validationPass: validationPasses } = chain.block(block)!.header
    assert.isUndefined(verifyOperations(crypto, { operations, path, pass, operationsHash, validationPasses }))
  }
  client.session.close("done")
  return { client, headers: blocks.length, lists: items.length }
})

describe("our session against the independent peer", () => {
  peerIt("fetches a whole chain, and the peer finds nothing to complain about", () =>
    Effect.gen(function*() {
      const peer = yield* startTezpeer(["--chain", file("linear-300"), "--strict", "--strict-chunks"])
      const { client, headers, lists } = yield* fetchEverything(peer.address, load("linear-300"))
      assert.deepStrictEqual([headers, lists], [300, 1_196])
      assert.strictEqual(formatPeerId(client.session.remote.peerId), peer.peerId)
      const log = yield* peer.stop
      assert.deepStrictEqual(log.filter(({ ev }) => ev === "violation" || ev === "undecodable"), [])
      assert.isTrue(log.some(({ ev }) => ev === "handshake"))
    }).pipe(Effect.scoped, Effect.provide(Tcp.layer)))

  for (const behaviour of ["chunk:50", "drip:7", "coalesce", "reorder"]) {
    peerIt(`takes ${behaviour} as it is: legal`, () =>
      Effect.gen(function*() {
        const name = behaviour.startsWith("drip") ? "passes-3-20" : "multi-chunk-3"
        const peer = yield* startTezpeer(["--chain", file(name), "--behaviour", behaviour, "--log", "none"])
        const { headers } = yield* fetchEverything(peer.address, load(name))
        assert.strictEqual(headers, name === "multi-chunk-3" ? 3 : 20)
      }).pipe(Effect.scoped, Effect.provide(Tcp.layer)))
  }

  for (
    const [garbage, kind] of [
      ["zero", "frame size"],
      ["oversize", "frame size"],
      ["mac", "authentication"]
    ]
  ) {
    peerIt(`garbage:${garbage} ends the session with proof`, () =>
      Effect.gen(function*() {
        const flags = ["--chain", file("passes-3-20"), "--behaviour", `garbage:${garbage}`, "--log", "none"]
        const peer = yield* startTezpeer(flags)
        const chain = load("passes-3-20")
        const client = yield* connect(peer.address, chain)
        yield* client.say({ _tag: "GetCurrentBranch", chainId: chain.chainId })
        const end = yield* client.session.closed
        assert.strictEqual(end.kind, "malformed", end.message)
        assert.strictEqual(end.proof?.what, kind)
      }).pipe(Effect.scoped, Effect.provide(Tcp.layer)))
  }

  for (
    const [behaviour, reason] of [
      ["nack:1", "nacked"],
      ["nack:255", "nacked"],
      ["hs-trailing", "malformed"],
      ["hs-stop:1", "closed"],
      ["hs-stop:2", "closed"]
    ]
  ) {
    peerIt(`${behaviour}: the handshake fails as ${reason}`, () =>
      Effect.gen(function*() {
        const flags = ["--chain", file("passes-3-20"), "--behaviour", behaviour!, "--log", "none"]
        const peer = yield* startTezpeer([...flags, "--advertise", "10.0.0.1:9732"])
        const error = yield* Effect.flip(connect(peer.address, load("passes-3-20")))
        assert.instanceOf(error, HandshakeError)
        assert.strictEqual(error.reason, reason)
        if (behaviour === "nack:1") assert.deepStrictEqual(error.points, ["10.0.0.1:9732"])
      }).pipe(Effect.scoped, Effect.provide(Tcp.layer)))
  }
})

describe("our peer and chains against the independent peer", () => {
  const chain = makeChain(crypto, {
    seed: "interop",
    levels: 120,
    forks: [{ name: "long", at: 90, length: 40 }, { name: "short", at: 110, length: 4 }],
    operationBytes: [64, 3_000],
    operationsPerBlock: 40
  })

  const withFile = Effect.acquireRelease(
    Effect.sync(() => {
      const folder = mkdtempSync(join(tmpdir(), "peerstrap-chain-"))
      const path = join(folder, "chain.json.gz")
      writeFileSync(path, writeChainFile(chain))
      return { folder, path }
    }),
    ({ folder }) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
  )

  peerIt("our chains verify, and a walk over our peer passes every check", () =>
    Effect.gen(function*() {
      const { path } = yield* withFile
      const verified = yield* runTezpeer(["verify-chain", path])
      assert.strictEqual(verified.code, 0, verified.output)
      const peer = yield* startScriptedPeer({ crypto, chain, points: ["10.0.0.1:9732"] })
      const walk = ["--chain", path, "--expect-head", "main", "--pow", "0", "--walk"]
      const dialled = yield* runTezpeer(["dial", peer.point, ...walk, "120", "--advert"])
      assert.strictEqual(dialled.code, 0, dialled.output)
      assert.deepStrictEqual(peer.stats().violations, [])
      assert.isAtLeast(peer.stats().sentByName.OperationsForBlocks ?? 0, 400)
      for (const behaviours of ["bad-ops", "bogus-locator"]) {
        peer.setBehaviours(behaviours)
        assert.notStrictEqual(
          (yield* runTezpeer(["dial", peer.point, ...walk, "3", "--timeout", "500"])).code,
          0,
          behaviours
        )
      }
    }).pipe(Effect.scoped, Effect.provide(Tcp.layer)))
})
