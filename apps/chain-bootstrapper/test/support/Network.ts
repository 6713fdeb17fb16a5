// A small network of scripted peers over real sockets, and what it takes to sync from it.
import { loadCrypto } from "@peerstrap/tezos-wire"
import { encodeHash, toHex } from "@peerstrap/tezos-wire"
import {
  type ForkOptions,
  makeChain,
  type ScriptedPeer,
  startScriptedPeer,
  type TestChain
} from "@peerstrap/tezos-wire/testing"
import { Tcp } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { temporaryDirectory } from "./Directories.ts"

/** Old heads count as current: no test depends on the time of day. */
export const anyAge = ["--synced-within", "2147483647"]

export const chainOf = (seed: string, levels = 60, forks: ReadonlyArray<ForkOptions> = []) =>
  Effect.map(
    loadCrypto,
    (crypto) => makeChain(crypto, { seed, levels, chainName: `TEZOS_${seed.toUpperCase()}`, forks })
  )

export const networkFile = (chain: TestChain, changes: Readonly<Record<string, unknown>> = {}): string =>
  JSON.stringify({
    chainName: chain.chainName,
    chainId: encodeHash("chain", chain.chainId),
    genesis: {
      hash: encodeHash("block", chain.genesis.hash),
      time: chain.genesis.timestamp,
      headerHex: toHex(chain.genesis.header.raw)
    },
    proofOfWork: 0,
    peers: [],
    ...changes
  })

/** What `export` prints of a branch. */
export const linesOf = (chain: TestChain, fromLevel: number, toLevel: number, branch = "main"): string =>
  Array.from({ length: toLevel - fromLevel + 1 }, (_, at) => {
    const { hash, header, level, operations } = chain.at(fromLevel + at, branch)
    return `${
      JSON.stringify({
        level,
        hash: encodeHash("block", hash),
        header: toHex(header.raw),
        operations: operations.map((list) => list.map(toHex))
      })
    }\n`
  }).join("")

export interface TestNetwork {
  readonly chain: TestChain
  readonly directory: string
  readonly store: string
  readonly peers: ReadonlyArray<ScriptedPeer>
  /** `--network`, `--store` and each `--peer`. */
  readonly argv: ReadonlyArray<string>
}

/** One peer for each text of behaviours. Ends with the scope. */
export const startNetwork = Effect.fnUntraced(function*(chain: TestChain, behaviours: ReadonlyArray<string>) {
  const crypto = yield* loadCrypto
  const directory = yield* temporaryDirectory
  const peers = yield* Effect.forEach(
    behaviours,
    (text, at) => startScriptedPeer({ crypto, chain, seed: `peer-${at}`, behaviours: text })
  )
  const network = join(directory, "network.json")
  writeFileSync(network, networkFile(chain))
  const store = join(directory, "store")
  const result: TestNetwork = {
    chain,
    directory,
    store,
    peers,
    argv: ["--network", network, "--store", store, ...peers.flatMap(({ point }) => ["--peer", point])]
  }
  return result
}, Effect.provide(Tcp.layer))
