/**
 * Serves a load from a process of its own. Usage: LoadReplica.ts SERIES BLOCKS SHARDS POINTS; prints {"address":…} when it is ready
 * and ends with its standard input.
 */
import { NodeServer, ReplicaSource } from "@peerstrap/m3db-wire"
import { formatAddress, Tcp } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import { makeLoadSource } from "./LoadSource.ts"

const [series, blocks, shards, points] = process.argv.slice(2).map(Number) as [number, number, number, number]

process.stdin.resume().on("end", () => process.exit(0))

const program = Effect.gen(function*() {
  const { address } = yield* NodeServer.listen({ host: "127.0.0.1", port: 0 })
  process.stdout.write(`${JSON.stringify({ address: formatAddress(address) })}\n`)
  return yield* Effect.never
})

await Effect.runPromise(
  Effect.scoped(program).pipe(
    Effect.provideService(ReplicaSource, makeLoadSource({ series, blocks, shards, points })),
    Effect.provide(Tcp.layer)
  )
)
