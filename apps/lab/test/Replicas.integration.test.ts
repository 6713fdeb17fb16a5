import { assert, describe, it } from "@effect/vitest"
import { makeNodeClient } from "@peerstrap/m3db-wire"
import { Tcp } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import { connect } from "node:net"
import { type Ready, readyOf, runLab, startLab } from "./support/LabProcess.ts"

const timeout = 60_000

const addressOf = (address: string) => {
  const [host = "", port] = address.split(":")
  return { host, port: Number(port) }
}

const clientOf = ({ replicas }: Ready, index: number) => {
  const { address, id } = replicas[index]!
  return makeNodeClient({ peer: id, address: addressOf(address) })
}

const listing = ({ end, namespace, start }: Ready, shard: number) => ({
  namespace: new TextEncoder().encode(namespace),
  shard,
  rangeStart: BigInt(start),
  rangeEnd: BigInt(end),
  limit: 4_096
})

/** Number of series-blocks that a replica lists in its only shard. */
const listed = Effect.fnUntraced(function*(ready: Ready, index: number) {
  const client = yield* clientOf(ready, index)
  let count = 0
  let pageToken: Uint8Array | undefined
  do {
    const page = yield* client.fetchBlocksMetadata({ ...listing(ready, 0), pageToken })
    count += page.count
    pageToken = page.nextPageToken
  } while (pageToken !== undefined && pageToken.length > 0)
  return count
})

/** Completes when the replica's process has gone: the system then closes the connection. */
const connectionEnd = ({ replicas }: Ready) =>
  Promise.all(replicas.map(({ address }) =>
    new Promise<{ readonly gone: Promise<void> }>((resolve) => {
      const socket = connect(addressOf(address))
      const gone = new Promise<void>((end) => socket.on("error", () => undefined).once("close", () => end()))
      socket.resume().once("connect", () => resolve({ gone }))
    })
  ))

describe("peerstrap-lab replicas", { concurrent: false }, () => {
  it.live(
    "says on one line what serves, with data and behaviours as told, and ends its processes with it",
    () =>
      Effect.gen(function*() {
        const lab = yield* startLab(
          "replicas",
          "--json",
          "--series",
          "50",
          "--blocks",
          "2",
          "--shards",
          "1",
          "--points",
          "3",
          "--behaviour",
          "B:lack-series:2",
          "--behaviour",
          "C:error:internal:1"
        )
        const ready = yield* readyOf(lab)
        assert.deepEqual(Object.keys(ready), ["namespace", "shards", "blockSize", "start", "end", "replicas"])
        assert.equal(BigInt(ready.end) - BigInt(ready.start), 2n * BigInt(ready.blockSize))
        assert.deepEqual(ready.replicas.map(({ id }) => id), ["A", "B", "C"])
        assert.lengthOf(new Set(ready.replicas.map(({ pid }) => pid)), 3)
        assert.equal(yield* listed(ready, 0), 100)
        const fewer = yield* listed(ready, 1)
        assert.isTrue(fewer > 0 && fewer < 100, `B lists ${fewer}`)
        const error = yield* Effect.flip(listed(ready, 2))
        assert.equal("reason" in error ? error.reason : "", "internal")
        const connections = yield* Effect.promise(() => connectionEnd(ready))
        lab.child.kill("SIGTERM")
        assert.deepEqual(yield* Effect.promise(() => lab.ended), { code: 143, signal: null })
        yield* Effect.promise(() => Promise.all(connections.map(({ gone }) => gone)))
        assert.lengthOf(lab.out.all, 1)
      }).pipe(Effect.provide(Tcp.layer)),
    timeout
  )

  it.live("leaves no process behind when it is killed", () =>
    Effect.gen(function*() {
      const lab = yield* startLab("replicas", "--json", "--series", "5", "--shards", "1", "--replicas", "2")
      const ready = yield* readyOf(lab)
      const connections = yield* Effect.promise(() => connectionEnd(ready))
      lab.child.kill("SIGKILL")
      yield* Effect.promise(() => Promise.all(connections.map(({ gone }) => gone)))
    }), timeout)

  it.live("ends with 3 when every replica has died, saying how", () =>
    Effect.gen(function*() {
      const lab = yield* startLab("replicas", "--json", "--series", "5", "--shards", "1", "--replicas", "1")
      const ready = yield* readyOf(lab)
      process.kill(ready.replicas[0]!.pid, "SIGKILL")
      assert.equal((yield* Effect.promise(() => lab.ended)).code, 3)
      assert.include(lab.error.all.join("\n"), "replica A killed by SIGKILL")
    }), timeout)

  it.live(
    "ends with 4 when a port is taken, and with 2 on wrong usage with every problem",
    () =>
      Effect.gen(function*() {
        const first = yield* readyOf(yield* startLab("replicas", "--json", "--series", "5", "--replicas", "1"))
        const { port } = addressOf(first.replicas[0]!.address)
        const taken = yield* runLab("replicas", "--replicas", "1", "--base-port", String(port))
        assert.equal(taken.code, 4)
        assert.match(
          taken.error.join("\n"),
          new RegExp(`replica A at 127\\.0\\.0\\.1:${port} does not start: .*EADDRINUSE`)
        )
        const wrong = yield* runLab("replicas", "please", "--series", "none", "--behaviour", "D:delay:1", "--fast")
        assert.deepEqual([wrong.code, wrong.out], [2, []])
        const said = wrong.error.join("\n")
        for (const each of ["--series", "no replica D", "--fast", "\"please\"", "4 problems"]) {
          assert.include(said, each)
        }
        const other = yield* runLab("replica")
        assert.equal(other.code, 2)
        assert.match(
          other.error.join("\n"),
          /no such command; did you mean replicas\?; commands are demo, replicas, chain$/m
        )
      }),
    timeout
  )
})
