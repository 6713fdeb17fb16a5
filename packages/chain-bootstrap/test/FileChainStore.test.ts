/** The store in a directory beside what the kit says: faults of the disk, several files, long segments, verification and export. */
import { assert, describe, it } from "@effect/vitest"
import { exportBlocks, type StoreIdentity, verifyStore } from "@peerstrap/chain-bootstrap"
import { makeSyntheticChain, syntheticRules } from "@peerstrap/chain-bootstrap/testing"
import { MemoryFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { createHash } from "node:crypto"
import { flipped, lacking, observe, readFiles, segmentOn, unitsOf, withFiles } from "./StoreObservation.ts"
import { openInMemory } from "./StorePlaces.ts"

const chain = makeSyntheticChain({ seed: 8, levels: 60, unitsPerBlock: 3 })
const identity: StoreIdentity = { protocol: "synthetic", chainId: "files", base: chain.base }
const blocks = chain.main.slice(1)

type Store = Effect.Success<ReturnType<typeof openInMemory>>

const addBlock = Effect.fnUntraced(function*(store: Store, level: number) {
  const block = chain.at(level)
  yield* store.appendHeaders([block.header])
  yield* store.appendUnits(unitsOf(block))
  yield* store.appendApplied({ kind: "apply", firstLevel: level, ids: [block.header.id] })
})

const addBlocks = (store: Store, from: number, to: number) =>
  Effect.forEach(chain.main.slice(from, to + 1), ({ header }) => addBlock(store, header.level), { discard: true })

/** A store of 60 applied blocks in several files. */
const filled = Effect.fnUntraced(function*(memory: MemoryFileSystem.MemoryFileSystem) {
  const store = yield* openInMemory(memory, { identity, fileBytes: 4096 })
  yield* addBlocks(store, 1, 60)
  return yield* observe(store, blocks)
}, Effect.scoped)

describe("FileChainStore", () => {
  it.effect("rolls its files, and reads across them after a scan", () =>
    Effect.gen(function*() {
      const memory = MemoryFileSystem.make()
      const seen = yield* filled(memory)
      const names = (yield* memory.fileSystem.list("/store")).filter((name) => name.startsWith("blocks-"))
      assert.isAbove(names.length, 5)
      const progress: Array<number> = []
      const store = yield* openInMemory(memory, {
        onScan: ({ bytesDone, bytesTotal }) => progress.push(bytesDone / bytesTotal)
      })
      assert.deepStrictEqual(yield* observe(store, blocks), seen)
      assert.strictEqual(progress.at(-1), 1)
      assert.deepStrictEqual(yield* store.checkLogs(() => undefined), [])
    }))

  it.effect("keeps the header of an activation block, which may be as large as a wire allows", () =>
    Effect.gen(function*() {
      const memory = MemoryFileSystem.make()
      const rules = {
        idBytes: 32,
        decodeHeader: (bytes: Uint8Array) => ({ ...chain.at(1).header, bytes: Uint8Array.from(bytes) })
      }
      const large = { ...chain.at(1).header, bytes: new Uint8Array(754_032).fill(7) }
      yield* Effect.scoped(
        Effect.flatMap(openInMemory(memory, { identity, rules }), (store) => store.appendHeaders([large]))
      )
      const store = yield* openInMemory(memory, { rules })
      const [read] = yield* store.readHeaders([large.id])
      assert.strictEqual(read?.bytes.length, 754_032)
    }))

  it.effect("a lost file costs what it held, is told, and what came after it stays", () =>
    Effect.gen(function*() {
      const memory = MemoryFileSystem.make()
      const seen = yield* filled(memory)
      const files = new Map(yield* readFiles(memory))
      files.delete("/store/blocks-000003.log")
      const store = yield* openInMemory(yield* withFiles(files))
      const left = yield* observe(store, blocks)
      const { lost, wrong } = lacking(left, seen)
      assert.deepStrictEqual(wrong, [])
      assert.isAbove(lost, 0)
      assert.include(store.damage[0]!.what, "the whole file is missing")
      assert.strictEqual(left.headers.at(-1), seen.headers.at(-1))
    }))

  it.effect("fails with no-space and a remedy, keeps what was there, and goes on when there is space", () =>
    Effect.gen(function*() {
      const memory = MemoryFileSystem.make()
      yield* Effect.scoped(Effect.gen(function*() {
        const store = yield* openInMemory(memory, { identity })
        yield* addBlocks(store, 1, 5)
        memory.setCapacityBytes(0)
        const error = yield* Effect.flip(addBlock(store, 6))
        assert.strictEqual(error.reason, "no-space")
        assert.include(error.message, "Free some space and start again")
        assert.deepStrictEqual([store.head.level, store.hasHeader(chain.at(6).header.id)], [5, false])
        assert.strictEqual(
          (yield* store.readHeaders(chain.ids(1, 5))).filter((header) => header !== undefined).length,
          5
        )
        memory.setCapacityBytes(undefined)
        yield* addBlocks(store, 6, 8)
      }))
      const store = yield* openInMemory(memory)
      assert.deepStrictEqual([store.head.level, store.openReport.damages], [8, 0])
    }))

  it.effect(
    "any disk operation may fail: what was reported is there after a crash, what failed can be repeated",
    () =>
      Effect.gen(function*() {
        const work = Effect.fnUntraced(
          function*(memory: MemoryFileSystem.MemoryFileSystem, done: (level: number) => void) {
            const store = yield* openInMemory(memory, { identity, fileBytes: 600 })
            for (let level = 1; level <= 5; level++) {
              yield* addBlock(store, level)
              done(level)
            }
          },
          Effect.scoped
        )
        const counting = MemoryFileSystem.make()
        yield* work(counting, () => undefined)
        for (let at = 1; at <= counting.operations; at++) {
          for (const [sticky, kept] of [[false, 0], [true, 30]] as const) {
            const memory = MemoryFileSystem.make({ faults: [{ at, reason: "io", sticky }] })
            let reported = 0
            yield* Effect.ignore(work(memory, (level) => {
              reported = level
            }))
            memory.plan([])
            memory.crash({ keepUnsyncedBytes: (_path, bytes) => Math.min(bytes, kept), keepEntry: () => kept > 0 })
            const left = yield* Effect.scoped(Effect.flatMap(openInMemory(memory, { identity }), (store) =>
              Effect.andThen(
                addBlocks(store, store.head.level + 1, 6),
                Effect.map(observe(store, blocks), (seen) => {
                  assert.strictEqual(store.openReport.damages, 0, `operation ${at}`)
                  return seen
                })
              )))
            assert.isAtLeast(left.head.level, reported, `operation ${at}`)
            assert.deepStrictEqual([left.head.level, left.masks.slice(0, 6)], [
              6,
              Array.from({ length: 6 }, () =>
                7)
            ])
          }
        }
      }),
    30_000
  )

  it.effect("a failed write that left bytes behind is cut by the next file", () =>
    Effect.gen(function*() {
      const memory = MemoryFileSystem.make()
      yield* Effect.scoped(Effect.gen(function*() {
        const store = yield* openInMemory(memory, { identity })
        yield* addBlocks(store, 1, 3)
        memory.plan([{ at: 1, reason: "io", operation: "sync" }])
        assert.strictEqual((yield* Effect.flip(store.appendHeaders([chain.at(9).header]))).reason, "io")
        assert.isFalse(store.hasHeader(chain.at(9).header.id))
        yield* addBlocks(store, 4, 4)
      }))
      const store = yield* openInMemory(memory)
      assert.deepStrictEqual([store.head.level, store.hasHeader(chain.at(9).header.id)], [4, false])
      assert.deepStrictEqual([store.openReport.damages, store.openReport.torn], [0, undefined])
    }))

  it.effect("appends at the same time share a sync", () =>
    Effect.gen(function*() {
      const memory = MemoryFileSystem.make()
      const store = yield* openInMemory(memory, { identity })
      yield* addBlock(store, 1)
      const before = memory.operations
      yield* Effect.forEach(chain.main.slice(2, 60), ({ header }) => store.appendHeaders([header]), {
        concurrency: "unbounded",
        discard: true
      })
      assert.isAtMost(memory.operations - before, 8)
    }))

  it.effect("keeps a segment of more ids than a record holds, whole or not at all", () =>
    Effect.gen(function*() {
      const ids = Array.from({ length: 150_000 }, (_, i) => createHash("sha256").update(`${i}`).digest("hex"))
      const memory = MemoryFileSystem.make()
      const segment = segmentOn(chain.base.id, 1, ids)
      yield* Effect.scoped(Effect.flatMap(openInMemory(memory, { identity }), (store) => store.appendSegment(segment)))
      yield* Effect.scoped(Effect.gen(function*() {
        const store = yield* openInMemory(memory)
        assert.deepStrictEqual(store.pending, { firstLevel: 1, ids })
        assert.deepStrictEqual(yield* store.evidence(149_999, 149_999), [segment])
      }))
      const files = yield* readFiles(memory)
      const [path, log] = [...files].find(([name]) => name.endsWith(".log"))!
      for (const broken of [log.slice(0, log.length - 1), flipped(log, 100), flipped(log, 2_200_000)]) {
        const store = yield* Effect.scoped(openInMemory(yield* withFiles(new Map([...files, [path, broken]]))))
        assert.deepStrictEqual(store.pending.ids, [])
        assert.isTrue(store.openReport.torn !== undefined || store.openReport.damages > 0)
      }
    }), 20_000)
})

describe("verifyStore", () => {
  it.effect("finds nothing wrong with a good chain, and counts it", () =>
    Effect.gen(function*() {
      const memory = MemoryFileSystem.make()
      yield* filled(memory)
      const report = yield* verifyStore(yield* openInMemory(memory), syntheticRules)
      assert.deepInclude(report, { fromLevel: 1, toLevel: 60, blocks: 60, units: 180, problems: 0, findings: [] })
    }))

  it.effect("finds missing headers, missing and wrong units, and broken links", () =>
    Effect.gen(function*() {
      const memory = MemoryFileSystem.make()
      const store = yield* openInMemory(memory, { identity })
      const other = makeSyntheticChain({ seed: 9, levels: 60, unitsPerBlock: 3 })
      yield* store.appendHeaders([...blocks.slice(0, 8), ...blocks.slice(9, 12), other.at(13).header].map((one) =>
        "header" in one ? one.header : one
      ))
      for (const block of blocks.slice(0, 12)) {
        const { level } = block.header
        if (level === 3) {
          yield* store.appendUnits(unitsOf(block).slice(0, 2))
        } else if (level === 5) {
          yield* store.appendUnits(unitsOf(block).map((unit) => ({ ...unit, body: Uint8Array.of(1) })))
        } else yield* store.appendUnits(unitsOf(block))
      }
      yield* store.appendUnits(unitsOf(other.at(13)))
      const ids = [...chain.ids(1, 12), other.at(13).header.id]
      yield* store.appendApplied({ kind: "apply", firstLevel: 1, ids })
      const { findings, problems } = yield* verifyStore(store, syntheticRules)
      assert.deepStrictEqual(
        findings.map(({ level, problem }) =>
          `${level}: ${problem.replace(/[0-9a-f]{64}/g, "…")}`
        ),
        [
          "3: units 2 are not held",
          "5: the units do not hash to the header's root",
          "9: its header is not held",
          "13: builds on …, the block below is …"
        ]
      )
      assert.strictEqual(problems, 4)
      const part = yield* verifyStore(store, syntheticRules, { fromLevel: 4, toLevel: 8, bodies: false })
      assert.deepInclude(part, { fromLevel: 4, toLevel: 8, blocks: 5, problems: 0, units: 0 })
    }))
})

describe("exportBlocks", () => {
  it.effect("streams blocks in order, cut to what is applied", () =>
    Effect.gen(function*() {
      const memory = MemoryFileSystem.make()
      yield* filled(memory)
      const store = yield* openInMemory(memory)
      const exported = yield* Stream.runCollect(exportBlocks(store, 0, 1000))
      assert.deepStrictEqual(
        exported.map(({ header, id, level, units }) => ({ header, id, level, units })),
        blocks.map(({ header, units }) => ({ header: header.bytes, id: header.id, level: header.level, units }))
      )
      assert.strictEqual((yield* Stream.runCollect(exportBlocks(store, 7, 9))).length, 3)
      assert.strictEqual((yield* Stream.runCollect(exportBlocks(store, 61, 70))).length, 0)
    }))

  it.effect("fails at the first block that is not complete", () =>
    Effect.gen(function*() {
      const store = yield* openInMemory(MemoryFileSystem.make(), { identity })
      yield* addBlocks(store, 1, 2)
      yield* store.appendHeaders([chain.at(3).header])
      yield* store.appendApplied({ kind: "apply", firstLevel: 3, ids: chain.ids(3, 3) })
      const error = yield* Effect.flip(Stream.runDrain(exportBlocks(store, 1, 3)))
      assert.match(error.message, /level 3 .*: unit 0 is not held/)
    }))
})
