/** The program as a process, against embedded replicas over real sockets: exit codes, files, signals, control socket. */
import { assert, describe, it } from "@effect/vitest"
import { scanDirectory, verifyFileset } from "@peerstrap/m3db-files"
import { SeededReplica, startReplica } from "@peerstrap/m3db-wire/testing"
import { NodeFileSystem } from "@peerstrap/storage"
import { Tcp } from "@peerstrap/transport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync
} from "node:fs"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { runChild, startChild } from "./support/ChildProgram.ts"
import { runHere } from "./support/InProcess.ts"
import { jsonLinesOf, temporaryDirectory } from "./support/InspectProgram.ts"
import { peerArguments, spec, startReplicas } from "./support/Replicas.ts"

const timeout = 60_000

/** Every complete fileset, verified; and how many files belong to none. */
const filesetsOf = Effect.fnUntraced(function*(directory: string) {
  const filesets: Array<{ readonly name: string; readonly entries: number }> = []
  let incomplete = 0
  for (const { namespace, shards } of yield* scanDirectory(directory)) {
    for (const { filesets: found, shard } of shards) {
      for (const { blockStart, complete, volume } of found) {
        if (!complete) incomplete++
        else {
          const key = { prefix: directory, namespace, shard, blockStart, volume }
          const { entries, ok, problems } = yield* verifyFileset(key)
          assert.isTrue(ok, JSON.stringify(problems))
          filesets.push({ name: `${shard}/${blockStart}`, entries })
        }
      }
    }
  }
  return { filesets, incomplete }
}, Effect.provide(NodeFileSystem.layer))

const entriesOf = (filesets: ReadonlyArray<{ readonly entries: number }>) =>
  filesets.reduce((sum, { entries }) => sum + entries, 0)

const truthCount = Array.from(new SeededReplica(spec).truth()).length

const instance = (id: string, endpoint: string, state: string) => ({
  id,
  endpoint,
  shards: Array.from({ length: spec.numShards }, (_, shard) => ({ id: shard, state }))
})

const dataFile = (out: string): string => {
  const shard = join(out, "data", spec.namespace, "0")
  return join(shard, readdirSync(shard).find((name) => name.endsWith("-data.db"))!)
}

describe("bootstrap", () => {
  it.live("writes, verifies and reports; refuses, resumes and overwrites what is there", () =>
    Effect.gen(function*() {
      const out = join(yield* temporaryDirectory, "out")
      const replicas = yield* startReplicas([{}, { lackSeries: { every: 5, remainder: 0 } }, {}])
      const argv = ["bootstrap", ...peerArguments(replicas), "--out", out]

      const first = yield* runChild(...argv)
      assert.strictEqual(first.code, 0, first.err + first.out)
      assert.match(first.out, /^done: 8 of 8 blocks written and verified/)
      assert.match(first.out, /replicas differ \(absent-on-some \d+\)/)
      assert.match(first.err, /range .* to /)
      const written = yield* filesetsOf(out)
      assert.strictEqual(written.incomplete, 0)
      assert.strictEqual(entriesOf(written.filesets), truthCount)
      assert.isFalse(existsSync(join(out, "control.sock")))

      const status = yield* runHere("status", "--out", out)
      assert.deepStrictEqual([status.code, status.err], [0, ""])
      assert.match(status.out, /last run ended with exit code 0: done: 8 of 8 blocks/)

      const refused = yield* runHere(...argv)
      assert.deepStrictEqual([refused.code, refused.out], [4, ""])
      assert.match(refused.err, /8 of the filesets to be written exist already[\s\S]*--resume[\s\S]*--overwrite/)

      truncateSync(dataFile(out), 10)
      const resumed = yield* runHere(...argv, "--resume", "--json")
      assert.strictEqual(resumed.code, 0, resumed.err)
      const document = JSON.parse(resumed.out)
      assert.deepStrictEqual([document.exitCode, document.kept, document.refetched, document.written], [0, 7, 1, 1])
      assert.isTrue(jsonLinesOf(resumed.err).some(({ name, type }) => type === "event" && name === "plan"))
      assert.strictEqual(entriesOf((yield* filesetsOf(out)).filesets), truthCount)

      const replaced = yield* runHere(...argv, "--overwrite")
      assert.strictEqual(replaced.code, 0, replaced.err)
      assert.match(replaced.err, /replaced: 8 filesets/)
    }), timeout)

  it.live(
    "takes everything from a config file and a placement, and never asks the origin",
    () =>
      Effect.gen(function*() {
        const directory = yield* temporaryDirectory
        const [a, b, n] = yield* startReplicas([{}, {}, {}])
        const placement = {
          instances: {
            a: instance("a", a!.server.hostPort, "AVAILABLE"),
            b: instance("b", b!.server.hostPort, "AVAILABLE"),
            n: instance("n", n!.server.hostPort, "INITIALIZING")
          },
          replicaFactor: 3,
          numShards: spec.numShards,
          isSharded: true
        }
        writeFileSync(join(directory, "placement.json"), JSON.stringify({ placement, version: 1 }))
        writeFileSync(
          join(directory, "c.yaml"),
          `bootstrap:
  placement: ${join(directory, "placement.json")}
  origin: n
  namespace: metrics
  block-size: 2h
  from: ${spec.start}
  to: ${spec.start + 2n * spec.blockSize}
  shards: 1-2
  out: ${join(directory, "out")}
`
        )
        const { code, err, out } = yield* runHere("bootstrap", "--config", join(directory, "c.yaml"))
        assert.strictEqual(code, 0, err + out)
        assert.strictEqual((yield* filesetsOf(join(directory, "out"))).filesets.length, 4)
        assert.strictEqual(n!.server.stats().calls, 0)
        assert.isAbove(a!.server.stats().calls + b!.server.stats().calls, 0)
      }),
    timeout
  )

  it.live("tells all problems of a command line at once and starts nothing", () =>
    Effect.gen(function*() {
      const out = join(yield* temporaryDirectory, "out")
      const argv = ["bootstrap", "--peer", "a", "--level", "most", "--colour", "red", "--out", out, "--memory", "lots"]
      const { code, err, out: printed } = yield* runHere(...argv)
      assert.deepStrictEqual([code, printed], [2, ""])
      for (const flag of ["--peer", "--level", "--colour", "--memory", "--namespace", "--num-shards", "--block-size"]) {
        assert.include(err, `  ${flag}: `)
      }
      assert.isFalse(existsSync(out))
    }), timeout)

  it.live(
    "names the setting that does not fit the cluster, with exit code 2, and leaves no fileset",
    () =>
      Effect.gen(function*() {
        const replicas = yield* startReplicas([{}, {}])
        const argv = ["bootstrap", ...peerArguments(replicas)]
        const changed = (flag: string, value: string): Array<string> =>
          argv.map((word, at) => argv[at - 1] === flag ? value : word)
        for (
          const [words, expected] of [
            [changed("--namespace", "nope"), /--namespace/],
            [changed("--block-size", "3h"), /--block-size/],
            [changed("--block-size", "1h"), /--block-size/],
            [changed("--num-shards", "16"), /--num-shards/]
          ] as const
        ) {
          const out = join(yield* temporaryDirectory, "out")
          const { code, err } = yield* runHere(...words, "--out", out)
          assert.strictEqual(code, 2, err)
          assert.match(err.slice(err.lastIndexOf("what to do:")), expected)
          assert.deepStrictEqual((yield* filesetsOf(out)).filesets, [])
        }
      }),
    timeout
  )

  it.live("says what else listens on the port, exit code 2", () =>
    Effect.gen(function*() {
      const out = join(yield* temporaryDirectory, "out")
      const server = yield* Effect.acquireRelease(
        Effect.callback<ReturnType<typeof createServer>>((resume) => {
          const http = createServer((socket) => {
            socket.on("error", () => undefined)
            socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"))
          })
          http.listen(0, "127.0.0.1", () => resume(Effect.succeed(http)))
        }),
        (http) => Effect.sync(() => void http.close())
      )
      const { port } = server.address() as AddressInfo
      const argv = ["--namespace", "m", "--num-shards", "1", "--block-size", "2h", "--retention", "4h", "--out", out]
      const { code, err } = yield* runHere("bootstrap", "--peer", `a=127.0.0.1:${port}`, ...argv)
      assert.strictEqual(code, 2, err)
      assert.match(err, /not a TChannel server[\s\S]*check --peer/)
    }), timeout)

  it.live(
    "ends at the deadline with exit code 3 and what it waited for when nobody listens",
    () =>
      Effect.gen(function*() {
        const out = join(yield* temporaryDirectory, "out")
        const [one] = yield* startReplicas([{}])
        yield* one!.server.stop
        const { code, out: printed } = yield* runHere(
          "bootstrap",
          ...peerArguments([one!]),
          "--out",
          out,
          "--deadline",
          "1s"
        )
        assert.strictEqual(code, 3)
        assert.match(
          printed,
          /deadline of 1\.0 s reached[\s\S]*waited for at the end:[\s\S]*refused[\s\S]*bring back a/
        )
      }),
    timeout
  )

  it.live("tells local faults with exit code 4", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const replicas = yield* startReplicas([{}])
      const argv = ["bootstrap", ...peerArguments(replicas)]
      writeFileSync(join(directory, "file"), "")
      const below = yield* runHere(...argv, "--out", join(directory, "file", "out"))
      assert.deepStrictEqual([below.code, below.out], [4, ""])
      assert.match(below.err, /a part of the path is a file[\s\S]*--out/)

      const out = join(directory, "out")
      assert.strictEqual((yield* runHere(...argv, "--out", out)).code, 0)
      const shard = join(out, "data", spec.namespace, "0")
      for (const name of readdirSync(shard)) {
        const other = join(shard, name.replace(/^(fileset-\d+)-0-/, "$1-1-"))
        writeFileSync(other, readFileSync(join(shard, name)))
      }
      const higher = yield* runHere(...argv, "--out", out, "--overwrite")
      assert.strictEqual(higher.code, 4)
      assert.match(higher.err, /volume above 0/)
    }), timeout)

  it.live(
    "stops in order at SIGINT, leaves no file without a checkpoint, and goes on with --resume",
    () =>
      Effect.gen(function*() {
        const out = join(yield* temporaryDirectory, "out")
        const asked = yield* Deferred.make<void>()
        const data = new SeededReplica(spec)
        const server = yield* startReplica({
          data,
          behaviours: "slow:3000",
          observe: (event) => {
            if (event.kind === "call" && event.call.request.kind === "blocks") Deferred.doneUnsafe(asked, Effect.void)
          }
        })
        const argv = ["bootstrap", ...peerArguments([{ id: "a", data, server }]), "--out", out]
        const child = yield* startChild(...argv)
        yield* Deferred.await(asked)
        const second = yield* runHere(...argv)
        assert.strictEqual(second.code, 4)
        assert.match(second.err, /process \d+ already listens/)
        yield* child.signal("SIGINT")
        const { code, err, out: printed } = yield* child.end
        assert.strictEqual(code, 130, err)
        assert.match(printed, /^stopped by SIGINT: \d of 8 blocks written; go on with --resume/)
        const last = err.split("\n").findLast((line) => line.includes(" · ")) ?? ""
        assert.match(last, /^stopped [\d.–]/)
        assert.notMatch(last, /ETA|done/)
        const stopped = yield* filesetsOf(out)
        assert.strictEqual(stopped.incomplete, 0)
        assert.isBelow(stopped.filesets.length, 8)
        server.setBehaviours("")
        const resumed = yield* runHere(...argv, "--resume")
        assert.strictEqual(resumed.code, 0, resumed.err)
        assert.strictEqual(entriesOf((yield* filesetsOf(out)).filesets), truthCount)
      }).pipe(Effect.provide(Tcp.layer)),
    timeout
  )

  it.live(
    "is killed in mid-run: whole blocks stay, --resume takes the rest and the dead process's socket",
    () =>
      Effect.gen(function*() {
        const out = join(yield* temporaryDirectory, "out")
        const published = yield* Deferred.make<void>()
        let batches = 0
        const data = new SeededReplica(spec)
        const server = yield* startReplica({
          data,
          observe: (event) => {
            if (event.kind !== "call" || event.call.request.kind !== "blocks" || ++batches !== 2) return
            server.setBehaviours("hang:fetchBlocksRaw")
            Deferred.doneUnsafe(published, Effect.void)
          }
        })
        const argv = ["bootstrap", ...peerArguments([{ id: "a", data, server }]), "--out", out]
        const child = yield* startChild(...argv, "--jobs-in-flight", "1", "--window", "1", "--batch-items", "16")
        yield* Deferred.await(published)
        yield* child.signal("SIGKILL")
        assert.strictEqual((yield* child.end).code, null)
        assert.isTrue(existsSync(join(out, "control.sock")))
        server.setBehaviours("")
        const resumed = yield* runHere(...argv, "--resume")
        assert.strictEqual(resumed.code, 0, resumed.err)
        const { filesets, incomplete } = yield* filesetsOf(out)
        assert.deepStrictEqual([entriesOf(filesets), incomplete], [truthCount, 0])
        assert.isFalse(existsSync(join(out, "control.sock")))
      }).pipe(Effect.provide(Tcp.layer)),
    timeout
  )

  it.live(
    "stuck at majority, says why without being asked, answers why, and ends by set-level none with what is missing",
    () =>
      Effect.gen(function*() {
        const out = join(yield* temporaryDirectory, "out")
        const replicas = yield* startReplicas([{}, { behaviours: "not-bootstrapped" }, {
          behaviours: "not-bootstrapped"
        }])
        const child = yield* startChild("bootstrap", ...peerArguments(replicas), "--out", out)
        yield* child.says(/waits for metadata from b, c: 1 of 3 peers listed, level majority needs 2/)
        assert.strictEqual(statSync(join(out, "control.sock")).mode & 0o777, 0o600)
        const why = yield* runHere("why", "--out", out)
        assert.strictEqual(why.code, 0, why.err)
        assert.match(why.out, /level majority[\s\S]*waits for metadata from b, c[\s\S]*what to do: bring back b or c/)
        const status = JSON.parse((yield* runHere("status", "--out", out, "--json")).out)
        assert.deepStrictEqual([status.running, status.status.level, status.status.phase], [
          true,
          "majority",
          "streaming"
        ])
        assert.strictEqual((yield* runHere("set-level", "most", "--out", out)).code, 2)
        // What is told is what ends it, as it stands.
        const told = /: peerstrap-m3db (set-level none --out .*)$/m.exec(why.out)?.[1] ?? ""
        const lowered = yield* runChild(...told.split(" "))
        assert.deepStrictEqual([lowered.code, lowered.out], [0, "level none (was majority)\n"])
        const { code, err, out: printed } = yield* child.end
        assert.strictEqual(code, 1, err)
        assert.match(printed, /^incomplete: 8 of 8 blocks written/)
        assert.match(printed, /level none since .*, set by control socket/)
        assert.match(printed, /missing: 8\n {4}shard 0 block .*listed by 1 of 3 peers, majority needs more/)
        assert.match(err, /consistency level majority → none, set by control socket/)
        const gone = yield* runHere("why", "--out", out)
        assert.strictEqual(gone.code, 1)
        assert.match(gone.err, /not running/)
      }),
    timeout
  )

  it.live("follows a level file", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      mkdirSync(join(directory, "out"))
      const file = join(directory, "level.txt")
      const replicas = yield* startReplicas([{}, { behaviours: "not-bootstrapped" }])
      const argv = ["bootstrap", ...peerArguments(replicas), "--out", join(directory, "out"), "--level-file", file]
      const child = yield* startChild(...argv)
      yield* child.says(/waits for metadata from b: 1 of 2 peers listed, level majority/)
      writeFileSync(file, "one\n")
      const { code, err, out } = yield* child.end
      assert.include([0, 1], code, err)
      assert.match(out, new RegExp(`level one since .*, set by file ${file}`))
    }), timeout)
})

describe("the program", () => {
  it.live("survives a reader that has gone", () =>
    Effect.gen(function*() {
      const out = join(yield* temporaryDirectory, "out")
      const replicas = yield* startReplicas([{}])
      const child = yield* startChild("bootstrap", ...peerArguments(replicas), "--out", out)
      yield* child.closeOut
      const { code, err } = yield* child.end
      assert.strictEqual(code, 0, err)
      rmSync(out, { recursive: true })
    }), timeout)
})
