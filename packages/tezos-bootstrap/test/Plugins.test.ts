// The Tezos side as plugins: each starts through the host and its service works; what is wrong in a config is told with line and column.
import { assert, describe, it } from "@effect/vitest"
import { BlockApplier, ChainBase, ChainProtocol, ChainStore } from "@peerstrap/chain-bootstrap"
import { applierKind, baseKind, chainPlugins, memoryStore, protocolKind } from "@peerstrap/chain-bootstrap/plugin"
import { compose, explainText, fromConfig, Host } from "@peerstrap/plugin-host"
import { FileSystem } from "@peerstrap/storage"
import { filesPlugins, memoryFiles } from "@peerstrap/storage/plugin"
import { encodeHash, toHex } from "@peerstrap/tezos-wire"
import { cryptoPlugins, portableCrypto } from "@peerstrap/tezos-wire/plugin"
import { makeChain, startScriptedPeer } from "@peerstrap/tezos-wire/testing"
import { boundedMemory, memory as memoryTransport, transportPlugins } from "@peerstrap/transport/plugin"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { octezRpcApplier, tezosBase, tezosPlugins, tezosProtocol } from "../src/plugin/index.ts"
import { crypto, genesisId } from "./chains.ts"
import { startOctez } from "./octezServer.ts"

const chain = makeChain(crypto, { seed: "plugins", levels: 20, chainName: "TEZOS_PLUGINS" })
const address = { host: "10.0.0.9", port: 9732 }
const point = `${address.host}:${address.port}`

/** A network file of the chain, on disk as an operator has it. */
const networkFile = Effect.gen(function*() {
  const folder = mkdtempSync(join(tmpdir(), "peerstrap-tezos-plugins-"))
  yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(folder, { recursive: true })))
  const path = join(folder, "network.json")
  writeFileSync(
    path,
    JSON.stringify({
      chainName: chain.chainName,
      chainId: encodeHash("chain", chain.chainId),
      genesis: { hash: encodeHash("block", chain.genesis.hash), headerHex: toHex(chain.genesis.header.raw) },
      proofOfWork: 0,
      peers: []
    })
  )
  return path
})

const below = (network: string) =>
  [memoryTransport({}), memoryFiles({}), portableCrypto({}), boundedMemory({}), tezosProtocol({ network })] as const

const known = [...tezosPlugins, ...chainPlugins, ...cryptoPlugins, ...filesPlugins, ...transportPlugins]

describe("the protocol as a plugin", () => {
  it.effect("makes an identity where there is none and keeps it, and says so", () =>
    Effect.gen(function*() {
      const parts = compose(...below(yield* networkFile))
      const told: Array<string> = []
      const [ownId, kept, name] = yield* Host.run(parts, () =>
        Effect.gen(function*() {
          const protocol = yield* ChainProtocol
          const files = yield* FileSystem
          const text = new TextDecoder().decode(yield* files.readFile("identity.json", 4096))
          return [protocol.ownId, JSON.parse(text).peer_id, protocol.name]
        }), { onEvent: (event) => void told.push(event.name) })
      assert.deepStrictEqual([ownId, name], [kept, "tezos TEZOS_PLUGINS"])
      assert.deepStrictEqual(told, ["identity-missing", "identity-made"])
    }).pipe(Effect.scoped))

  it.effect("does not start on a network file that is none", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Host.run(compose(...below("/no/such/file")), () => Effect.void))
      assert.match(error.message, /^chain\.protocol\.tezos: \/no\/such\/file: is no preset/)
    }))
})

describe("the base as a plugin", () => {
  it.effect("is genesis, which a store begins with", () =>
    Effect.gen(function*() {
      const parts = compose(...below(yield* networkFile), tezosBase({}), memoryStore({}))
      const found = yield* Host.run(parts, () =>
        Effect.gen(function*() {
          const base = yield* ChainBase
          return [base.wanted, base.genesis?.level, (yield* ChainStore).identity.base]
        }))
      assert.deepStrictEqual(found, [undefined, 0, { id: toHex(chain.genesis.hash), level: 0 }])
    }).pipe(Effect.scoped))

  it.live("or a block that is asked of peers by its hash alone", () =>
    Effect.gen(function*() {
      const hash = encodeHash("block", chain.at(12).hash)
      const parts = compose(...below(yield* networkFile), tezosBase({ hash, peers: [point], timeout: "5s" }))
      const told: Array<string> = []
      const found = yield* Host.run(parts, () =>
        Effect.gen(function*() {
          const { find } = yield* ChainBase
          const peer = yield* startScriptedPeer({ crypto, chain, address })
          const base = yield* find
          yield* peer.leave
          const absent = yield* Effect.flip(find)
          return { base, absent }
        }).pipe(Effect.scoped), {
        onEvent: ({ name }) => void told.push(name),
        onProgress: ({ activity, done, total }) => void told.push(`${activity} ${done}/${total}`)
      })
      assert.deepStrictEqual(found.base.ref, { id: toHex(chain.at(12).hash), level: 12 })
      assert.include(found.absent.message, `no peer serves the header of ${hash}`)
      assert.deepStrictEqual(told.filter((one) => /^(?:finding )?base/.test(one)).slice(0, 4), [
        "finding base 0/1",
        "finding base 0/1",
        "base-asked",
        "base-found"
      ])
    }).pipe(Effect.scoped))
})

describe("octez-rpc as a plugin", () => {
  it.live("is recoverable while the node does not take blocks, and well again afterwards", () =>
    Effect.gen(function*() {
      const server = yield* startOctez
      const parts = compose(
        memoryTransport({}),
        memoryFiles({}),
        portableCrypto({}),
        boundedMemory({}),
        tezosProtocol({ network: "sandbox" }),
        octezRpcApplier({ url: server.url })
      )
      const statuses: Array<string> = []
      const head = yield* Host.run(parts, () =>
        Effect.gen(function*() {
          const applier = yield* BlockApplier
          const head = yield* applier.head
          server.intercept = (_, response) => {
            response.writeHead(503)
            response.end()
            return true
          }
          const block = {
            header: {
              id: "ab".repeat(32),
              parent: head?.id ?? "",
              level: 1,
              timeSeconds: 0,
              weight: new Uint8Array(0),
              units: 0,
              bodyRoot: new Uint8Array(32),
              bytes: new Uint8Array(100)
            },
            units: []
          }
          assert.strictEqual((yield* applier.apply([block])).outcome, "transient")
          yield* applier.apply([])
          return head
        }), {
        onStatus: ({ id, status }) => void (id === "chain.applier.octez-rpc" && statuses.push(status))
      })
      assert.deepStrictEqual(head, { id: genesisId, level: 0 })
      assert.deepStrictEqual(statuses, ["starting", "ok", "recoverable", "ok", "stopping", "stopped"])
    }).pipe(Effect.scoped))
})

describe("configs", () => {
  it.effect("everything that is wrong is told with line and column", () =>
    Effect.gen(function*() {
      const text = `plugins:
  - use: transport.memory
  - use: files.memory
  - use: tezos.crypto.portable
  - use: memory.bounded
  - use: chain.protocol.tezos
    with: { port: 70000 }
  - use: chain.base.tezos
    with:
      hash: BLockGenesis
      peers: [127.0.0.1]
  - use: chain.applier.octez-rpc
    with: { url: "ftp://node", pasword: x }
`
      const error = yield* Effect.flip(
        fromConfig(known, text, { path: "c.yaml", needs: [protocolKind, baseKind, applierKind] })
      )
      const problems = "problems" in error ? error.problems.map(({ message, where }) => `${where} ${message}`) : []
      for (
        const expected of [
          /^c\.yaml:7:\d+ .*network/,
          /^c\.yaml:7:13 port of chain\.protocol\.tezos: 70000/,
          /^c\.yaml:10:7 hash of chain\.base\.tezos: .*a block hash/,
          /^c\.yaml:11:15 peers\.0 of chain\.base\.tezos: .*a host name or address and a port/,
          /^c\.yaml:13:13 url of chain\.applier\.octez-rpc: .*http or https/,
          /^c\.yaml:13:32 chain\.applier\.octez-rpc has no key "pasword"/
        ]
      ) assert.isTrue(problems.some((one) => expected.test(one)), `${expected}\n${problems.join("\n")}`)
    }))

  it("each explains itself", () => {
    for (const plugin of tezosPlugins) assert.include(explainText(plugin), plugin.summary)
  })
})
