// The limit of memory, changed by `set` while a bootstrap goes on.
import { assert, describe, it } from "@effect/vitest"
import { BlockSink } from "@peerstrap/m3db-bootstrap"
import { sinkKind } from "@peerstrap/m3db-bootstrap/plugin"
import { SeededReplica, startReplica } from "@peerstrap/m3db-wire/testing"
import { compose, definePlugin } from "@peerstrap/plugin-host"
import { NodeFileSystem } from "@peerstrap/storage"
import { BufferMemory, Tcp } from "@peerstrap/transport"
import { boundedMemory, memoryKind } from "@peerstrap/transport/plugin"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { runHere } from "./support/InProcess.ts"
import { temporaryDirectory } from "./support/InspectProgram.ts"
import { peerArguments, spec } from "./support/Replicas.ts"
import { runWith } from "./support/RunParts.ts"

/** What is left of 32 MiB is enough for one page of metadata. */
const greedySink = definePlugin({
  id: "m3db.sink.greedy",
  version: "1.0.0",
  stability: "experimental",
  summary: "Takes nearly all the memory and keeps it.",
  provides: [sinkKind],
  requires: [memoryKind],
  config: Schema.Struct({}),
  layer: () =>
    Layer.effect(
      BlockSink,
      Effect.gen(function*() {
        const { ledger } = yield* BufferMemory
        if (!ledger.tryReserve("greed", ledger.capacity - 600 * 1024)) return yield* Effect.die("no memory to keep")
        return BlockSink.of({ write: () => Effect.void, commit: () => Effect.void, abort: () => Effect.void })
      })
    )
})

/** A replica that never answers a question for metadata; `asked` completes with the first of these. */
const silentReplica = (id: string) =>
  Effect.gen(function*() {
    const asked = yield* Deferred.make<void>()
    const data = new SeededReplica(spec)
    const server = yield* startReplica({
      data,
      behaviours: "hang:fetchBlocksMetadataRawV2",
      observe: (event) => {
        if (event.kind !== "call" || event.call.request.kind !== "listing") return
        // The question whether there are further shards is no page of the run.
        if (event.call.request.request.shard < spec.numShards) Deferred.doneUnsafe(asked, Effect.void)
      }
    })
    return { asked, id, data, server }
  })

describe("the limit of memory", () => {
  it.live("raised while a run waits for memory lets it go on; lowered it is kept, and too little is refused", () =>
    Effect.gen(function*() {
      const [one, other] = [yield* silentReplica("a"), yield* silentReplica("b")]
      const out = join(yield* temporaryDirectory, "out")
      const argv = [...peerArguments([one, other]), "--out", out]
      const stop = yield* Deferred.make<"SIGTERM">()
      const running = yield* Effect.forkScoped(
        Effect.provide(
          runWith(argv, compose(boundedMemory({ bytes: "32MiB" }), greedySink({})), Deferred.await(stop)),
          NodeFileSystem.layer
        )
      )
      yield* Deferred.await(one.asked)
      const why = yield* runHere("why", "--out", out)
      assert.match(why.out, /memory for metadata[\s\S]*33464320 of 33554432 bytes are in use/, why.err)
      assert.match(
        why.out,
        /what to do: .*raise the limit of memory .*: peerstrap-m3db set memory\.bounded bytes 64MiB/
      )
      assert.isFalse(yield* Deferred.isDone(other.asked))
      const set = (bytes: string) => runHere("set", "memory.bounded", "bytes", bytes, "--out", out)
      const little = yield* set("16MiB")
      assert.deepStrictEqual([little.code, little.out], [2, ""])
      assert.match(little.err, /bytes of memory\.bounded: .*from 33554432 to \d+/)

      assert.strictEqual((yield* set("64MiB")).out, "memory.bounded bytes 67108864 (was 33554432)\n")
      yield* Deferred.await(other.asked)
      assert.notMatch((yield* runHere("why", "--out", out)).out, /memory/)

      yield* set("32MiB")
      assert.match((yield* runHere("set", "--out", out)).out, /^memory\.bounded bytes 33554432 {2}/)
      yield* Deferred.succeed(stop, "SIGTERM")
      const { result, said } = yield* Fiber.join(running)
      assert.strictEqual(result.exitCode, 143)
      assert.match(said, /memory\.bounded bytes 33554432 → 67108864, set by control socket/)
      const { report } = JSON.parse(readFileSync(join(out, "peerstrap-report.json"), "utf8"))
      assert.strictEqual(report.memory.capacity, 32 << 20)
      assert.isAbove(report.memory.peak, 32 << 20)
    }).pipe(Effect.scoped, Effect.provide(Tcp.layer)))
})
