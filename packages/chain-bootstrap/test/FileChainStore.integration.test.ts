/** The index on a real disk: continued, older or younger than the log, full of wrong bits, and large. */
import { assert, describe, it } from "@effect/vitest"
import { verifyStore } from "@peerstrap/chain-bootstrap"
import { makeSyntheticChain, syntheticRules } from "@peerstrap/chain-bootstrap/testing"
import * as Effect from "effect/Effect"
import { copyFileSync, cpSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { flipped, observe, segmentOn, unitsOf } from "./StoreObservation.ts"
import { openOnDisk, temporaryDirectory } from "./StorePlaces.ts"

const chain = makeSyntheticChain({ seed: 32, levels: 40, unitsPerBlock: 2, unitBytes: 400 })
const identity = { protocol: "synthetic", chainId: "index", base: chain.base }

const upTo = Effect.fnUntraced(function*(directory: string, level: number) {
  const store = yield* openOnDisk(directory, { identity })
  const blocks = chain.main.slice(1, level + 1)
  yield* store.appendHeaders(blocks.map(({ header }) => header))
  yield* store.appendSegment(segmentOn(chain.base.id, 1, chain.ids(1, level)))
  yield* store.appendUnits(blocks.flatMap(unitsOf))
  yield* store.appendApplied({ kind: "apply", firstLevel: 1, ids: chain.ids(1, level - 2) })
  return yield* observe(store, blocks)
}, Effect.scoped)

describe("the index on disk", () => {
  it.live("continues where it was, and is made anew when the log is older than it", () =>
    Effect.gen(function*() {
      const root = yield* temporaryDirectory
      const [old, directory] = [join(root, "old"), join(root, "store")]
      const before = yield* upTo(directory, 10)
      cpSync(directory, old, { recursive: true })
      yield* Effect.scoped(Effect.gen(function*() {
        const store = yield* openOnDisk(directory)
        assert.deepStrictEqual([store.openReport.rebuilt, store.openReport.bytesScanned], [undefined, 0])
        yield* store.appendUnits(chain.main.slice(20, 40).flatMap(unitsOf))
      }))
      copyFileSync(join(directory, "index.sqlite"), join(old, "index.sqlite"))
      yield* Effect.scoped(Effect.gen(function*() {
        const store = yield* openOnDisk(old)
        assert.strictEqual(store.openReport.rebuilt, "blocks-000002.log is missing")
        assert.deepStrictEqual(yield* observe(store, chain.main.slice(1, 11)), before)
      }))
    }), 30_000)

  it.live("with wrong bits is made anew or does no harm", () =>
    Effect.gen(function*() {
      const root = yield* temporaryDirectory
      const directory = join(root, "store")
      const whole = yield* upTo(directory, 6)
      const path = join(directory, "index.sqlite")
      const good = readFileSync(path)
      const used = [...good.keys()].filter((at) => good[at] !== 0)
      let rebuilt = 0
      for (let i = 0; i < used.length; i += 151) {
        writeFileSync(path, flipped(good, used[i]!))
        yield* Effect.scoped(Effect.gen(function*() {
          const store = yield* openOnDisk(directory)
          const first = yield* Effect.exit(observe(store, chain.main.slice(1, 7)))
          if (store.openReport.rebuilt !== undefined) rebuilt++
          if (first._tag === "Success" && store.damage.length === 0) {
            assert.deepStrictEqual(first.value, whole, `byte ${used[i]}`)
          }
        }))
        if (i % 2 > 0) continue
        const again = yield* Effect.scoped(
          Effect.flatMap(openOnDisk(directory), (store) => Effect.exit(observe(store, chain.main.slice(1, 7))))
        )
        assert.strictEqual(again._tag, "Success", `byte ${used[i]}`)
      }
      assert.isAbove(rebuilt, 0)
    }), 60_000)

  it.live("of 100,000 headers takes bounded time and memory", () =>
    Effect.gen(function*() {
      const root = yield* temporaryDirectory
      const long = makeSyntheticChain({ seed: 1, levels: 100_000, unitsPerBlock: 0 })
      const identity = { protocol: "synthetic", chainId: "long", base: long.base }
      const store = yield* openOnDisk(root, { identity })
      for (let from = 1; from <= 100_000; from += 8192) {
        yield* store.appendHeaders(long.main.slice(from, from + 8192).map(({ header }) => header))
        const ids = long.ids(from, from + 8191)
        yield* store.appendSegment(segmentOn(long.at(from - 1).header.id, from, ids))
        yield* store.appendApplied({ kind: "apply", firstLevel: from, ids })
      }
      assert.deepStrictEqual([store.head.level, store.looseHeaders, store.pending.ids.length], [100_000, 0, 0])
      const { blocks, problems } = yield* verifyStore(store, syntheticRules, { fromLevel: 90_001, bodies: false })
      assert.deepStrictEqual([blocks, problems], [10_000, 0])
    }), 60_000)
})
