/** Two sinks that would write into the same namespace of the same directory: in one process, and in two of which one is killed. */
import { assert, describe, it } from "@effect/vitest"
import { BlockSink } from "@peerstrap/m3db-bootstrap"
import { FilesetSink, verifyFileset } from "@peerstrap/m3db-files"
import { MemoryFileSystem, NodeFileSystem } from "@peerstrap/storage"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { batchOf } from "./filesets.ts"
import * as Vectors from "./vectors.ts"

const batch = { ...batchOf(Vectors.series), key: { shard: 7, blockStart: Vectors.blockStart }, bytes: 9 }

const start = (prefix: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const script = join(import.meta.dirname, "HeldSink.ts")
      const child = spawn(process.execPath, ["--conditions=@peerstrap/source", script, prefix], {
        stdio: ["ignore", "pipe", "inherit"]
      })
      const ended = once(child, "close")
      await once(child.stdout, "data")
      const kill = Effect.promise(() => {
        child.kill("SIGKILL")
        return ended
      })
      return { pid: child.pid!, kill }
    }),
    ({ kill }) => kill
  )

describe("a sink of filesets", () => {
  it.effect("is the only one of its namespace in a directory, until its scope ends", () =>
    Effect.gen(function*() {
      const memory = MemoryFileSystem.make()
      const open = (prefix: string, namespace: string) =>
        Effect.map(
          Layer.build(
            Layer.provide(FilesetSink.layer({ prefix, namespace, blockSize: Vectors.blockSize }), memory.layer)
          ),
          (context) => Context.get(context, BlockSink)
        )
      yield* Effect.scoped(Effect.gen(function*() {
        const sink = yield* open("/m3", "a")
        yield* sink.write(batch)
        const error = yield* Effect.flip(open("/m3/", "a"))
        assert.strictEqual(error._tag, "SinkError")
        assert.deepStrictEqual([error.reason, error.subject], ["refused", "/m3/"])
        assert.include(error.message, "namespace a")
        assert.include(error.message, "this process holds it")
        assert.include(error.remedy, "another directory")
        yield* open("/m3", "b")
        yield* open("/other", "a")
        yield* sink.commit(batch.key)
      }))
      yield* Effect.scoped(open("/m3", "a"))
      const key = { prefix: "/m3", namespace: "a", volume: 0, ...batch.key }
      assert.isTrue((yield* Effect.provide(verifyFileset(key), memory.layer)).ok)
    }))

  it.effect("locks nothing outside its directory", () =>
    Effect.gen(function*() {
      const memory = MemoryFileSystem.make()
      const layer = FilesetSink.layer({ prefix: "/m3", namespace: "../up", blockSize: Vectors.blockSize })
      const error = yield* Effect.flip(Effect.scoped(Layer.build(Layer.provide(layer, memory.layer))))
      assert.include(error.message, "no name of a namespace")
      assert.deepStrictEqual(yield* memory.fileSystem.list("/"), [])
    }))

  it.live(
    "is refused while another process writes there, takes nothing away from it, and goes on once that was killed",
    () =>
      Effect.gen(function*() {
        const prefix = yield* Effect.acquireRelease(
          Effect.sync(() => mkdtempSync(join(tmpdir(), "filesets-"))),
          (path) => Effect.sync(() => rmSync(path, { recursive: true }))
        )
        const namespace = "held"
        const layer = FilesetSink.layer({ prefix, namespace, blockSize: Vectors.blockSize, overwrite: true })
        const open = Layer.build(Layer.provide(layer, NodeFileSystem.layer))
        const shard = join(prefix, "data", namespace, "7")
        const child = yield* start(prefix)
        const before = readdirSync(shard)
        assert.strictEqual(before.length, 1)
        const error = yield* Effect.flip(Effect.scoped(open))
        assert.strictEqual(error.reason, "refused")
        assert.include(error.message, `process ${child.pid} holds it`)
        assert.deepStrictEqual(readdirSync(shard), before)
        yield* child.kill
        yield* Effect.scoped(Effect.gen(function*() {
          const sink = Context.get(yield* open, BlockSink)
          yield* sink.write(batch)
          yield* sink.commit(batch.key)
        }))
        const verified = yield* verifyFileset({ prefix, namespace, volume: 0, ...batch.key })
        assert.deepStrictEqual([verified.problems, verified.entries], [[], 3])
        // Where a node looks for namespaces and shards stands nothing of the lock.
        assert.deepStrictEqual(readdirSync(prefix), ["data", `peerstrap-lock-${namespace}.sqlite`])
        assert.deepStrictEqual([readdirSync(join(prefix, "data")), readdirSync(join(prefix, "data", namespace))], [
          [namespace],
          ["7"]
        ])
      }).pipe(Effect.provide(NodeFileSystem.layer)),
    30_000
  )
})
