// Parts from outside, as an operator would write them: a network within this process, and parts that go wrong.
import { BlockApplier } from "@peerstrap/chain-bootstrap"
import { applierKind } from "@peerstrap/chain-bootstrap/plugin"
import { definePlugin, PluginRuntime } from "@peerstrap/plugin-host"
import { loadCrypto } from "@peerstrap/tezos-wire"
import { makeChain, startScriptedPeer } from "@peerstrap/tezos-wire/testing"
import { BufferMemory, Memory, Transport } from "@peerstrap/transport"
import { memoryKind, transportKind } from "@peerstrap/transport/plugin"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

/** A transport in memory on which peers of a made-up chain stand. */
export const inProcessPeers = definePlugin({
  id: "transport.in-process",
  version: "1.0.0",
  stability: "experimental",
  summary: "Connections inside this process, and peers of a made-up chain at their ends.",
  provides: [transportKind],
  requires: [],
  config: Schema.Struct({ seed: Schema.String, levels: Schema.Int, peers: Schema.Array(Schema.String) }),
  layer: ({ levels, peers, seed }) =>
    Layer.effect(
      Transport,
      Effect.gen(function*() {
        const transport = Context.get(yield* Layer.build(Memory.layer), Transport)
        const crypto = yield* loadCrypto
        const chain = makeChain(crypto, { seed, levels, chainName: `TEZOS_${seed.toUpperCase()}` })
        for (const point of peers) {
          yield* Effect.provideService(
            startScriptedPeer({ crypto, chain, seed: point, address: addressOf(point) }),
            Transport,
            transport
          )
        }
        return transport
      })
    )
})

const addressOf = (point: string) => {
  const [host = "", port = ""] = point.split(":")
  return { host, port: Number(port) }
}

/** Takes what there is of the run's memory and keeps it; blocks it only takes note of. */
export const greedy = definePlugin({
  id: "chain.applier.greedy",
  version: "1.0.0",
  stability: "experimental",
  summary: "Keeps all the memory.",
  provides: [applierKind],
  requires: [memoryKind],
  config: Schema.Struct({}),
  layer: () =>
    Layer.effect(
      BlockApplier,
      Effect.gen(function*() {
        const { ledger } = yield* BufferMemory
        if (!ledger.tryReserve("greed", ledger.free)) return yield* Effect.die("no memory to keep")
        return {
          name: "greedy",
          needsBodies: false,
          branches: "many" as const,
          head: Effect.void.pipe(Effect.as(undefined)),
          apply: (blocks) => Effect.succeed({ applied: blocks.length, outcome: "ok" as const, reason: "" }),
          rollback: () => Effect.void,
          moveHead: () => Effect.void,
          forget: () => Effect.void
        }
      })
    )
})

/** Takes some blocks and then says to the host that it gives up. */
export const givesUp = definePlugin({
  id: "chain.applier.gives-up",
  version: "1.0.0",
  stability: "experimental",
  summary: "Gives up at a level.",
  provides: [applierKind],
  requires: [],
  config: Schema.Struct({ level: Schema.Int }),
  layer: ({ level }) =>
    Layer.effect(
      BlockApplier,
      Effect.gen(function*() {
        const runtime = yield* PluginRuntime
        return {
          name: "gives up",
          needsBodies: false,
          branches: "many" as const,
          head: Effect.void.pipe(Effect.as(undefined)),
          apply: (blocks) =>
            Effect.sync(() => {
              const at = blocks.findIndex(({ header }) => header.level === level)
              if (at < 0) return { applied: blocks.length, outcome: "ok" as const, reason: "" }
              runtime.report("fatal", `the disk behind level ${level} is gone`)
              return { applied: at, outcome: "transient" as const, reason: "no disk" }
            }),
          rollback: () => Effect.void,
          moveHead: () => Effect.void,
          forget: () => Effect.void
        }
      })
    )
})
