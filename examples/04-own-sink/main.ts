/** Streams the blocks of three replicas, of which one differs, into files of line protocol, and checks every point. */
import { fixedLevel } from "@peerstrap/consistency-policy/plugin"
import { startPeerStreaming } from "@peerstrap/m3db-bootstrap"
import { tchannelPeers } from "@peerstrap/m3db-bootstrap/plugin"
import { toHex } from "@peerstrap/m3db-wire"
import { SeededReplica, seededSpec, startReplica } from "@peerstrap/m3db-wire/testing"
import { compose, Host } from "@peerstrap/plugin-host"
import { nodeFiles } from "@peerstrap/storage/plugin"
import { Tcp } from "@peerstrap/transport"
import { tcp } from "@peerstrap/transport/plugin"
import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import { mkdtempDisposableSync, readFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { fileOf, lineSink } from "./LineSink.ts"

using out = mkdtempDisposableSync(`${tmpdir()}/peerstrap-04-`)
const spec = seededSpec({ series: 500, numShards: 4, blocks: 2 })
const { blockSize: blockSizeNanos, hashSeed, namespace, numShards, start } = spec
const stream = { namespace, blockSizeNanos, replicationFactor: 3, numShards, hashSeed } as const
const blockStarts = [start, start + blockSizeNanos]
const jobs = Array.from({ length: numShards }, (_, shard) => ({ shard, peers: [0, 1, 2], blockStarts }))

const program = Effect.scoped(Effect.gen(function*() {
  const peers = yield* Effect.forEach(["A", "B", "C"], (id) => {
    const data = new SeededReplica(spec, id === "B" ? { otherValues: { every: 10, remainder: 0 } } : {})
    return Effect.map(startReplica({ data }), ({ address }) => ({ id, ...address }))
  })
  const [first, ...others] = peers
  const parts = compose(
    lineSink({ out: out.path }),
    nodeFiles({}),
    tchannelPeers({ peers: [first!, ...others] }),
    fixedLevel({ level: "majority" }),
    tcp({})
  )
  const options = { stream: { ...stream, errorPolicy: "002", encoding: "m3tsz" }, jobs, memoryBytes: 64 << 20 } as const
  const run = Effect.flatMap(startPeerStreaming(options), ({ result }) => result)
  return yield* Host.run(parts, () => Effect.scoped(run))
}))
const { outcome, report } = await Effect.runPromise(Effect.provide(program, Tcp.layer))
assert.equal(outcome._tag, "complete")

const written = new Set<string>()
for (const key of jobs.flatMap(({ shard }) => blockStarts.map((blockStart) => ({ shard, blockStart })))) {
  for (const line of readFileSync(`${out.path}/${fileOf(key)}`, "utf8").trimEnd().split("\n")) {
    const found = /^m3db,id=([0-9a-f]+),.* (value=\S+ \d+)$/.exec(line)
    written.add(`${found?.[1]} ${found?.[2]}`)
  }
}
for (const { id, points: { count, timestamps, values } } of new SeededReplica(spec).truth()) {
  for (let at = 0; at < count; at++) {
    assert.ok(written.has(`${toHex(id)} value=${values[at]} ${timestamps[at]}`))
  }
}
assert.equal(written.size, spec.series * spec.blocks * spec.points)
console.log(`${written.size} points of ${spec.series} series in ${blockStarts.length * numShards} files`)
console.log(
  `${report.seriesBlocks.merged} series-blocks merged: where replicas differ, the value that most of them hold wins`
)
