/** Ends that were torn at every byte, bits that flipped in every byte: what was stored before is there, and nothing is ever silently wrong. */
import { assert, describe, it } from "@effect/vitest"
import type { StoreIdentity } from "@peerstrap/chain-bootstrap"
import { makeSyntheticChain } from "@peerstrap/chain-bootstrap/testing"
import { MemoryFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import { type Files, flipped, lacking, observe, readFiles, segmentOn, unitsOf, withFiles } from "./StoreObservation.ts"
import { openInMemory } from "./StorePlaces.ts"

const chain = makeSyntheticChain({ seed: 21, levels: 3, unitsPerBlock: 2, unitBytes: 6 })
const identity: StoreIdentity = { protocol: "synthetic", chainId: "damage", base: chain.base }
const blocks = chain.main.slice(1)
const logPath = "/store/blocks-000001.log"

const fill = Effect.fnUntraced(function*(store: Effect.Success<ReturnType<typeof openInMemory>>) {
  yield* store.appendHeaders(blocks.map(({ header }) => header))
  yield* store.appendSegment(segmentOn(chain.base.id, 1, chain.ids(1, 3)))
  yield* store.appendUnits(blocks.flatMap(unitsOf))
  yield* store.appendApplied({ kind: "apply", firstLevel: 1, ids: chain.ids(1, 2) })
  yield* store.appendApplied({ kind: "apply", firstLevel: 3, ids: chain.ids(3, 3) })
})

/** A full store's files and what it says. */
const whole = Effect.scoped(Effect.gen(function*() {
  const memory = MemoryFileSystem.make()
  const store = yield* openInMemory(memory, { identity })
  yield* fill(store)
  return { seen: yield* observe(store, blocks), files: yield* readFiles(memory) }
}))

const look = Effect.fnUntraced(function*(files: Files) {
  const store = yield* openInMemory(yield* withFiles(files), { identity })
  return { seen: yield* observe(store, blocks), report: store.openReport, damage: store.damage }
}, Effect.scoped)

describe("a store in a directory", () => {
  it.effect(
    "cut at every byte: all whole records before the cut are there, and the store goes on",
    () =>
      Effect.gen(function*() {
        const { files, seen } = yield* whole
        const log = files.get(logPath)!
        let levels = new Set<number>()
        for (let length = 0; length < log.length; length++) {
          const memory = yield* withFiles(new Map([...files, [logPath, log.slice(0, length)]]))
          const open = openInMemory(memory, { identity })
          const after = yield* Effect.scoped(Effect.gen(function*() {
            const store = yield* open
            const left = yield* observe(store, blocks)
            const { wrong } = lacking(left, seen)
            assert.deepStrictEqual(wrong, [], `cut to ${length} bytes`)
            assert.strictEqual(store.openReport.damages, 0, `cut to ${length} bytes`)
            const { torn } = store.openReport
            assert.strictEqual((torn?.offset ?? length) + (torn?.bytes ?? 0), length)
            levels = levels.add(left.head.level)
            if (length % 7 > 0) return left
            yield* store.appendHeaders(blocks.map(({ header }) => header))
            yield* store.appendUnits(blocks.flatMap(unitsOf))
            const { level } = store.head
            if (level < 3) {
              yield* store.appendApplied({ kind: "apply", firstLevel: level + 1, ids: chain.ids(level + 1, 3) })
            }
            return yield* observe(store, blocks)
          }))
          if (length % 7 > 0) continue
          const { report, seen: again } = yield* look(yield* readFiles(memory))
          assert.deepStrictEqual([again, report.damages, report.torn], [after, 0, undefined], `cut to ${length} bytes`)
          assert.strictEqual(lacking(again, seen).lost, 0)
        }
        assert.deepStrictEqual([...levels].toSorted(), [0, 2])
      }),
    30_000
  )

  it.effect(
    "one flipped bit in every byte of the log is noticed, and nothing wrong is read",
    () =>
      Effect.gen(function*() {
        const { files, seen } = yield* whole
        const log = files.get(logPath)!
        for (let at = 0; at < log.length; at++) {
          const { damage, report, seen: left } = yield* look(new Map([...files, [logPath, flipped(log, at)]]))
          const { lost, wrong } = lacking(left, seen)
          assert.deepStrictEqual(wrong, [], `byte ${at}`)
          assert.isTrue(damage.length > 0 || report.torn !== undefined, `byte ${at}: ${lost} lost, none noticed`)
          assert.isAtMost(lost, 4, `byte ${at}: one record is lost, no more`)
        }
      }),
    30_000
  )

  it.effect("one flipped bit in every byte of STORE is mended from its copy", () =>
    Effect.gen(function*() {
      const { files, seen } = yield* whole
      const document = files.get("/store/STORE")!
      for (let at = 0; at < document.length; at += 7) {
        const memory = yield* withFiles(new Map([...files, ["/store/STORE", flipped(document, at)]]))
        const left = yield* Effect.scoped(Effect.flatMap(openInMemory(memory), (store) => observe(store, blocks)))
        assert.deepStrictEqual(left, seen)
        assert.deepStrictEqual(yield* memory.fileSystem.readFile("/store/STORE", 4096), document)
      }
      const both = new Map([...files, ["/store/STORE", flipped(document, 9)], [
        "/store/STORE.copy",
        flipped(document, 9)
      ]])
      const error = yield* Effect.flip(look(both))
      assert.strictEqual(error.reason, "damaged")
      assert.include(error.message, "Put one of them back")
    }))

  it.effect("finds the next record behind garbage of any length, and never one that a peer planted in a body", () =>
    Effect.gen(function*() {
      const memory = MemoryFileSystem.make()
      const planted = yield* Effect.map(whole, ({ files }) => files.get(logPath)!)
      const store = openInMemory(memory, { identity, salt: 0x1234 })
      yield* Effect.scoped(Effect.gen(function*() {
        const { appendHeaders, appendUnits } = yield* bound(store)
        yield* appendUnits([{ block: blocks[0]!.header.id, unit: 0, body: planted }])
        yield* appendHeaders([blocks[1]!.header])
      }))
      const files = yield* readFiles(memory)
      const log = files.get(logPath)!
      const broken = log.slice()
      broken.fill(0xff, 25, 40)
      const damaged = yield* withFiles(new Map([...files, [logPath, broken]]))
      yield* Effect.scoped(Effect.gen(function*() {
        const store = yield* openInMemory(damaged, { identity })
        const left = yield* observe(store, blocks)
        assert.deepStrictEqual(left.has, [false, true, false])
        assert.deepStrictEqual(left.masks, [0, 0, 0])
        assert.strictEqual(store.head.level, 0)
        assert.deepStrictEqual(store.damage.map(({ offset, path }) => [path, offset]), [[logPath, 25]])
      }))
    }))

  it.effect("fills lost applied blocks up from the chosen segments, and says so", () =>
    Effect.gen(function*() {
      const { files, seen } = yield* whole
      const log = files.get(logPath)!
      const at = Buffer.from(log).lastIndexOf(Buffer.from(chain.ids(1, 2).join(""), "hex"))
      const { damage, seen: left } = yield* look(new Map([...files, [logPath, flipped(log, at)]]))
      assert.deepStrictEqual([left.head, left.applied], [seen.head, seen.applied])
      assert.match(damage.map(({ what }) => what).join("; "), /applied: .*; applied: levels 1…2 taken from the chosen/)
    }))

  it.effect("stops the applied chain before a gap that nothing fills", () =>
    Effect.gen(function*() {
      const memory = MemoryFileSystem.make()
      yield* Effect.scoped(Effect.gen(function*() {
        const store = yield* openInMemory(memory, { identity })
        for (let level = 1; level <= 3; level++) {
          yield* store.appendApplied({ kind: "apply", firstLevel: level, ids: chain.ids(level, level) })
        }
      }))
      const files = yield* readFiles(memory)
      const log = files.get(logPath)!
      const at = Buffer.from(log).indexOf(Buffer.from(chain.at(2).header.id, "hex"))
      const { damage, seen } = yield* look(new Map([...files, [logPath, flipped(log, at)]]))
      assert.deepStrictEqual(seen.head, { id: chain.at(1).header.id, level: 1 })
      assert.strictEqual(damage.length, 2)
      assert.include(damage[1]!.what, "does not continue the chain that ends at level 1")
    }))
})

/** A store's appends as free functions. */
const bound = (open: ReturnType<typeof openInMemory>) =>
  Effect.map(open, (store) => ({
    appendHeaders: store.appendHeaders.bind(store),
    appendUnits: store.appendUnits.bind(store)
  }))
