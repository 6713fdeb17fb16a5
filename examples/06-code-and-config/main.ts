/**
 * One bootstrapper, composed twice of the same plugins: in code, where a missing part is a compile error, and from bootstrap.yaml, where all
 * problems come in one report.
 */
import { consistencyKind, settableLevel } from "@peerstrap/consistency-policy/plugin"
import { startPeerStreaming } from "@peerstrap/m3db-bootstrap"
import { discardSink, peersKind, sinkKind, tchannelPeers } from "@peerstrap/m3db-bootstrap/plugin"
import { SeededReplica, seededSpec, startReplica } from "@peerstrap/m3db-wire/testing"
import { compose, fromConfig, graphJson, graphText, Host } from "@peerstrap/plugin-host"
import { Tcp } from "@peerstrap/transport"
import { tcp } from "@peerstrap/transport/plugin"
import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import { mkdtempDisposableSync, readFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { listSink } from "./ListSink.ts"

using folder = mkdtempDisposableSync(join(tmpdir(), "peerstrap-06-"))
const path = fileURLToPath(new URL("bootstrap.yaml", import.meta.url))
const spec = seededSpec({ series: 300, numShards: 4, blocks: 1 })

/** The program. It uses services, and is the same whichever plugins give them. */
const bootstrap = () =>
  Effect.scoped(Effect.gen(function*() {
    const { result } = yield* startPeerStreaming({
      stream: {
        namespace: spec.namespace,
        blockSizeNanos: spec.blockSize,
        replicationFactor: 2,
        numShards: spec.numShards,
        hashSeed: spec.hashSeed,
        errorPolicy: "002",
        encoding: "m3tsz"
      },
      jobs: [0, 1, 2, 3].map((shard) => ({ shard, peers: [0, 1], blockStarts: [spec.start] })),
      memoryBytes: 64 * 2 ** 20
    })
    return (yield* result).outcome._tag
  }))

const replica = Effect.map(startReplica({ data: new SeededReplica(spec) }), ({ address }) => address)

const program = Effect.scoped(Effect.gen(function*() {
  const [a, b] = [yield* replica, yield* replica]
  const [inCode, fromFile] = [join(folder.path, "in-code.txt"), join(folder.path, "from-file.txt")]

  const typed = compose(
    listSink({ file: inCode }),
    tchannelPeers({ peers: [{ id: "A", ...a }, { id: "B", ...b }] }),
    settableLevel({ level: "all" }),
    tcp({})
  )

  const registry = [tcp, settableLevel, tchannelPeers, discardSink]
  const needs = [sinkKind, peersKind, consistencyKind] as const
  const given = readFileSync(path, "utf8").replace("PORT_A", `${a.port}`).replace("PORT_B", `${b.port}`)
  const configured = yield* fromConfig(registry, given.replace("FILE", fromFile), { path, needs })

  const graphs = yield* Effect.forEach([typed, configured], (composition) => Host.plan(composition))
  assert.deepEqual(graphJson(graphs[0]!), graphJson(graphs[1]!))
  console.log(graphText(graphs[0]!))

  assert.equal(yield* Host.run(typed, bootstrap), "complete")
  assert.equal(yield* Host.run(configured, bootstrap), "complete")
  const lines = [inCode, fromFile].map((file) => readFileSync(file, "utf8").trim().split("\n").toSorted())
  assert.deepEqual(lines[0], lines[1])
  assert.equal(lines[0]!.length, 300)
  console.log(`300 series-blocks, the same in code and from bootstrap.yaml; the first: ${lines[0]![0]}`)

  const mistaken = given.replace("consistency.settable", "consistency.setable").replace(`port: ${a.port}`, "port: many")
  const { problems } = yield* Effect.flip(fromConfig(registry, mistaken, { path, needs }))
  assert.equal(problems.length, 2)
  for (const { message, where } of problems) console.log(`${where.replace(/.*\//, "")}: ${message}`)
}))

await Effect.runPromise(Effect.provide(program, Tcp.layer))
