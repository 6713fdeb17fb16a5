/**
 * One bootstrapper, composed twice of the same plugins: in code, where a missing part is a compile error, and from composed.yaml, where all
 * problems come in one report. The sink is a plugin of one's own; another line in either place puts filesets there instead.
 */
import { consistencyKind, settableLevel } from "@peerstrap/consistency-policy/plugin"
import { startPeerStreaming } from "@peerstrap/m3db-bootstrap"
import { discardSink, peersKind, sinkKind, tchannelPeers } from "@peerstrap/m3db-bootstrap/plugin"
import { filesetSink } from "@peerstrap/m3db-files/plugin"
import { SeededReplica, seededSpec, startReplica } from "@peerstrap/m3db-wire/testing"
import { compose, fromConfig, graphJson, Host } from "@peerstrap/plugin-host"
import { nodeFiles } from "@peerstrap/storage/plugin"
import { Tcp } from "@peerstrap/transport"
import { tcp } from "@peerstrap/transport/plugin"
import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import { readFileSync, rmSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { listSink } from "./plugin/ListSink.ts"

const spec = seededSpec({ series: 300, numShards: 4, blocks: 1 })
const path = fileURLToPath(new URL("composed.yaml", import.meta.url))
const registry = [tcp, settableLevel, tchannelPeers, discardSink, filesetSink, nodeFiles]
const stream = {
  namespace: spec.namespace,
  blockSizeNanos: spec.blockSize,
  replicationFactor: 2,
  numShards: spec.numShards,
  hashSeed: spec.hashSeed,
  errorPolicy: "002",
  encoding: "m3tsz"
} as const
const jobs = [0, 1, 2, 3].map((shard) => ({ shard, peers: [0, 1], blockStarts: [spec.start] }))
const bootstrap = Effect.scoped(Effect.gen(function*() {
  const { result } = yield* startPeerStreaming({ stream, jobs, memoryBytes: 64 * 2 ** 20 })
  return (yield* result).outcome._tag
}))
const file = "list.txt"
const replica = () => Effect.map(startReplica({ data: new SeededReplica(spec) }), ({ address }) => address)

const program = Effect.scoped(Effect.gen(function*() {
  const [a, b] = [yield* replica(), yield* replica()]
  const peers = [{ id: "A", ...a }, { id: "B", ...b }] as const
  const typed = compose(listSink({ file }), tchannelPeers({ peers }), settableLevel({ level: "all" }), tcp({}))
  const text = readFileSync(path, "utf8").replace("PORT_A", String(a.port)).replace("PORT_B", String(b.port))
  const configured = yield* fromConfig(registry, text, { path, needs: [sinkKind, peersKind, consistencyKind] })
  assert.deepEqual(graphJson(yield* Host.plan(typed)), graphJson(yield* Host.plan(configured)))
  const listed = yield* Effect.forEach([typed, configured], (composition) => {
    rmSync(file, { force: true })
    return Effect.map(Host.run(composition, () => bootstrap), (outcome) => `${outcome}\n${readFileSync(file, "utf8")}`)
  })
  const wrong = yield* Effect.flip(fromConfig(registry, text.replace("with:", "wiht:"), { path, needs: [sinkKind] }))
  return { lines: listed.map((one) => one.trim().split("\n").toSorted()), wrong: wrong.message }
}))

const { lines, wrong } = await Effect.runPromise(Effect.provide(program, Tcp.layer))
assert.deepEqual(lines[0], lines[1])
assert.deepEqual([lines[0]!.length, lines[0]!.includes("complete")], [301, true])
assert.match(wrong, /composed\.yaml:\d+:\d+: /)
console.log("300 series-blocks, the same by code and by config")
