/**
 * Peers of the scriptable kind in a process of their own, over loopback TCP, all with the same chain held in memory. Each direction of
 * each connection is delayed here, so that neither side of a benchmark pays for the delaying.
 * Usage: Swarm.ts BLOCKS PEERS DELAY_MILLIS_EACH_WAY; prints one JSON line when it serves and ends with its standard input.
 */
import { loadCrypto, toHex } from "@peerstrap/tezos-wire"
import { makeChain, startScriptedPeer } from "@peerstrap/tezos-wire/testing"
import { Faulty, Tcp } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { SwarmFacts } from "./SwarmFacts.ts"

const [blocks, peers, delayMillis] = process.argv.slice(2).map(Number) as [number, number, number]

const direction = { latencyMillis: delayMillis }
const transport = delayMillis === 0
  ? Tcp.layer
  : Layer.provide(Faulty.layer({ rule: { inbound: direction, outbound: direction } }), Tcp.layer)

const program = Effect.gen(function*() {
  const crypto = yield* loadCrypto
  const chain = makeChain(crypto, { seed: "bench", levels: blocks, headTime: Math.floor(Date.now() / 1000) - 60 })
  const points: Array<string> = []
  for (let peer = 0; peer < peers; peer++) {
    points.push((yield* startScriptedPeer({ crypto, chain, seed: `peer ${peer}` })).point)
  }
  let bytes = 0
  for (const { header, operations } of chain.blocks) {
    bytes += header.raw.length + operations.flat().reduce((sum, { length }) => sum + 4 + length, 0)
  }
  const facts: SwarmFacts = {
    points,
    blocks,
    bytes,
    delayMillis,
    chainName: chain.chainName,
    chainId: toHex(chain.chainId),
    genesis: {
      id: toHex(chain.genesis.hash),
      timeSeconds: chain.genesis.timestamp,
      header: toHex(chain.genesis.header.raw)
    }
  }
  process.stdout.write(`${JSON.stringify(facts)}\n`)
  yield* Effect.callback<void>((resume) => {
    process.stdin.resume().on("end", () => resume(Effect.void))
  })
})

await Effect.runPromise(Effect.scoped(program).pipe(Effect.provide(transport)))
process.exit(0)
