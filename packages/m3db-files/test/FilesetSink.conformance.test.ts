import { assert, describe, it } from "@effect/vitest"
import { judge } from "@peerstrap/conformance"
import { type BlockKey, BlockSink } from "@peerstrap/m3db-bootstrap"
import { blockSinkKit, blockSinkSuite, SinkStore } from "@peerstrap/m3db-bootstrap/testing"
import { FilesetReader, FilesetSink, shardDirectory, verifyFileset } from "@peerstrap/m3db-files"
import { FileSystem, MemoryFileSystem } from "@peerstrap/storage"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { batchOf } from "./filesets.ts"
import * as Vectors from "./vectors.ts"

type Files = FileSystem["Service"]

const options = { prefix: "/m3", namespace: "testns", blockSize: Vectors.blockSize }

/** The sink over a memory file system, which `mutate` may spoil; readers see it unspoiled. */
const sinkLayer = (mutate: (files: Files) => Files = (files) => files, overwrite = false) =>
  Layer.effectContext(Effect.gen(function*() {
    const memory = MemoryFileSystem.make()
    const files = Layer.succeed(FileSystem, mutate(memory.fileSystem))
    let last: Scope.Closeable | undefined
    // One at a time has the place: the one before ends when the next comes.
    const open = Effect.gen(function*() {
      if (last !== undefined) yield* Scope.close(last, Exit.void)
      last = yield* Scope.fork(yield* Effect.scope)
      const context = yield* Layer.buildWithScope(
        Layer.provide(FilesetSink.layer({ ...options, overwrite }), files),
        last
      )
      return Context.get(context, BlockSink)
    }).pipe(Effect.orDie)
    const published = Effect.fnUntraced(
      function*(key: BlockKey) {
        const opened = yield* Effect.result(FilesetReader.open({ ...options, ...key }))
        if (opened._tag === "Failure" && opened.failure.reason === "missing") return undefined
        const reader = yield* Effect.fromResult(opened)
        const { problems } = yield* verifyFileset(reader.key)
        if (problems.length > 0) return yield* Effect.die(new Error(`a fileset with ${problems.length} problems`))
        const batches = yield* Stream.runCollect(reader.series())
        return [...batches].flatMap(({ bytes, ids, tags }) =>
          ids.map((id, i) => ({ id, tags: tags[i]!, bytes: bytes[i]! }))
        )
      },
      (effect) => Effect.scoped(Effect.orDie(effect)),
      Effect.provide(memory.layer)
    )
    const residue = (key: BlockKey) =>
      memory.fileSystem.list(shardDirectory("/m3", "testns", key.shard)).pipe(
        Effect.map((names) => names.some((name) => name.includes(`${key.blockStart}`))),
        Effect.orElseSucceed(() => false)
      )
    const store = SinkStore.of({
      published,
      residue,
      cutPower: Effect.sync(() => memory.crash()),
      reopen: open,
      handles: Effect.sync(() => memory.openFiles)
    })
    return Context.add(Context.make(BlockSink, yield* open), SinkStore, store)
  }))

const withFile =
  (change: (files: Files, path: string) => Partial<{ sync: Effect.Effect<void>; close: Effect.Effect<void> }>) =>
  (
    files: Files
  ): Files => ({
    ...files,
    create: (path, options) => Effect.map(files.create(path, options), (file) => ({ ...file, ...change(files, path) }))
  })

/** Two turns of the scheduler pass before each operation, so that an interruption finds it under way. */
const late = <A, E>(operation: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.andThen(Effect.andThen(Effect.yieldNow, Effect.yieldNow), operation)

const slow = (files: Files): Files => ({
  ...files,
  create: (path, options) =>
    Effect.map(late(files.create(path, options)), (file) => ({
      ...file,
      append: (pieces) => late(file.append(pieces)),
      sync: late(file.sync),
      close: late(file.close)
    })),
  remove: (path) => late(files.remove(path)),
  syncDirectory: (path) => late(files.syncDirectory(path)),
  writeFileAtomic: (path, bytes) => late(files.writeFileAtomic(path, bytes))
})

const key = (shard: number): BlockKey => ({ shard, blockStart: Vectors.blockStart })

const powerCut = "keeps a committed block through a power cut"

/** Spoiled file systems: the check that a sink over them must not pass, and what it says. */
const spoiled: ReadonlyArray<readonly [string, check: string, because: RegExp, (files: Files) => Files]> = [
  ["files are never synced", powerCut, /0 bytes|problems/, withFile(() => ({ sync: Effect.void }))],
  [
    "the data file is not synced",
    powerCut,
    /problems/,
    withFile((_, path) => (path.endsWith("-data.db") ? { sync: Effect.void } : {}))
  ],
  [
    "the index file is not synced",
    powerCut,
    /problems/,
    withFile((_, path) => (path.endsWith("-index.db") ? { sync: Effect.void } : {}))
  ],
  ["the directory is not synced", powerCut, /saw "nothing"/, (files) => ({
    ...files,
    syncDirectory: () => Effect.void,
    writeFileAtomic: (path, bytes) =>
      Effect.flatMap(files.create(path), (file) => Effect.andThen(file.append([bytes]), file.sync))
  })],
  ["removed files stay", "leaves nothing of an aborted block", /left something in the store/, (files) => ({
    ...files,
    remove: () => Effect.void
  })],
  [
    "files are never closed",
    "holds nothing open once its blocks are committed or aborted",
    /open handles after commit and abort: saw [1-9]/,
    withFile(() => ({ close: Effect.void }))
  ]
]

const capabilities = {
  "readable": true,
  "unique-ids": true,
  "write-once": true,
  "power-cut": true,
  "reopens": true,
  "counts-handles": true
}

describe("FilesetSink", () => {
  blockSinkSuite("filesets:", sinkLayer(), { capabilities, test: it })
  blockSinkSuite("filesets on a slow disk:", sinkLayer(slow), { capabilities, test: it })
  const { leftOut } = blockSinkSuite("filesets that are replaced:", sinkLayer(undefined, true), {
    capabilities: { ...capabilities, "write-once": false },
    test: it
  })
  it("only what says that nothing is replaced is left out when filesets are", () => {
    assert.deepStrictEqual([...new Set(leftOut.map(({ lacks }) => lacks))], ["write-once"])
  })

  for (const [name, check, because, mutate] of spoiled) {
    it.effect(`does not pass over a file system where ${name}`, () =>
      Effect.gen(function*() {
        const asked = blockSinkKit.checks.find((one) => one.name === check)!
        const judgement = yield* judge(asked, sinkLayer(mutate))
        assert.match(typeof judgement === "string" ? judgement : judgement.failed, because)
      }))
  }

  it.effect("holds one file open for each open block, and refuses more blocks than its limit", () => {
    const memory = MemoryFileSystem.make()
    const layer = Layer.provide(FilesetSink.layer({ ...options, maxOpenBlocks: 3 }), memory.layer)
    const batch = batchOf(Vectors.series)
    return Effect.gen(function*() {
      yield* Effect.gen(function*() {
        const sink = yield* BlockSink
        for (const shard of [0, 1, 2, 1]) {
          const ids = shard === 1 ? batch.ids.map((id) => Uint8Array.of(...id, memory.operations & 0xff)) : batch.ids
          yield* sink.write({ ...batch, ids, key: key(shard), bytes: 9 })
        }
        assert.strictEqual(memory.openFiles, 3)
        const refused = yield* Effect.flip(sink.write({ ...batch, key: key(3), bytes: 9 }))
        assert.deepStrictEqual([refused.reason, refused.remedy.includes("maxOpenBlocks")], ["io", true])
        yield* sink.commit(key(0))
        yield* sink.abort(key(3))
        yield* sink.write({ ...batch, key: key(3), bytes: 9 })
        yield* sink.abort(key(1))
        assert.strictEqual(memory.openFiles, 2)
      }).pipe(Effect.provide(layer))
      // The scope of the layer has closed: what was open is gone, what was committed stays.
      assert.strictEqual(memory.openFiles, 0)
      const left: Array<number> = []
      for (const shard of [0, 1, 2, 3]) {
        left.push((yield* memory.fileSystem.list(shardDirectory("/m3", "testns", shard))).length)
      }
      assert.deepStrictEqual(left, [7, 0, 0, 0])
    })
  })
})

describe("FilesetSink after a failure", () => {
  const batch = { ...batchOf(Vectors.series), key: key(7), bytes: 9 }

  it.effect("publishes nothing of a block of which a write failed, even when others waited behind it", () => {
    const memory = MemoryFileSystem.make()
    const files = Layer.succeed(FileSystem, {
      ...memory.fileSystem,
      create: (path) => Effect.andThen(Effect.yieldNow, memory.fileSystem.create(path))
    })
    return Effect.gen(function*() {
      const sink = yield* BlockSink
      memory.plan([{ at: 1, operation: "create", reason: "no-space" }])
      const outcomes = yield* Effect.forEach([1, 2, 3], () => Effect.result(sink.write(batch)), { concurrency: 3 })
      assert.deepStrictEqual(outcomes.map((one) => one._tag), ["Failure", "Failure", "Failure"])
      assert.strictEqual((yield* Effect.flip(sink.commit(key(7)))).reason, "no-space")
      assert.strictEqual(memory.openFiles, 0)
      yield* sink.abort(key(7))
      yield* sink.write(batch)
      yield* sink.commit(key(7))
      const { entries, ok } = yield* Effect.provide(
        verifyFileset({ ...options, ...key(7), volume: 0 }),
        memory.layer
      )
      assert.deepStrictEqual([ok, entries, memory.openFiles], [true, 3, 0])
    }).pipe(Effect.provide(Layer.provide(FilesetSink.layer(options), files)))
  })

  it.effect("publishes nothing of a block of which a write was interrupted", () => {
    const memory = MemoryFileSystem.make()
    return Effect.gen(function*() {
      const begun = yield* Deferred.make<void>()
      const gate = yield* Deferred.make<void>()
      const files = Layer.succeed(FileSystem, {
        ...memory.fileSystem,
        create: (path) =>
          Deferred.succeed(begun, undefined).pipe(
            Effect.andThen(Deferred.await(gate)),
            Effect.andThen(memory.fileSystem.create(path))
          )
      })
      const context = yield* Layer.build(Layer.provide(FilesetSink.layer(options), files))
      const sink = yield* Effect.provide(BlockSink, context)
      const first = yield* Effect.forkChild(sink.write(batch))
      yield* Deferred.await(begun)
      const other = { ...batch, ids: batch.ids.map((id) => Uint8Array.of(...id, 1)) }
      const waiting = yield* Effect.forkChild(sink.write(other), { startImmediately: true })
      yield* Fiber.interrupt(waiting)
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.await(first)
      const error = yield* Effect.flip(sink.commit(key(7)))
      assert.include(error.message, "interrupted")
      yield* sink.abort(key(7))
      assert.deepStrictEqual(yield* memory.fileSystem.list(shardDirectory("/m3", "testns", 7)), [])
    })
  })
})
