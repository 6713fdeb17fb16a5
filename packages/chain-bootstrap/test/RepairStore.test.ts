// What damage took from a store is fetched again from peers, proven by hashes alone; what nobody has stays told.
import { assert, describe, it } from "@effect/vitest"
import { MemoryFileSystem } from "@peerstrap/storage"
import { Memory } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type RepairOptions, repairStore } from "../src/adapter/RepairStore.ts"
import { verifyStore } from "../src/adapter/store/StoredBlocks.ts"
import { findHoles, isMended, lostPlaces } from "../src/adapter/store/StoreHoles.ts"
import { ChainProtocol } from "../src/contract/ChainProtocol.ts"
import { ChainStore, type ChainStoreService } from "../src/contract/ChainStore.ts"
import {
  type Answering,
  honestAnswers,
  syntheticPeer,
  syntheticProtocol,
  syntheticRules
} from "../src/testing/index.ts"
import { chainOf, driven, placeOf } from "./AdapterWorld.ts"
import { readFiles, segmentOn, unitsOf, withFiles } from "./StoreObservation.ts"
import { openInMemory, openOnDisk, temporaryDirectory } from "./StorePlaces.ts"

const chain = chainOf(30)
const blocks = chain.main.slice(1)
const identity = { protocol: "synthetic", chainId: "synthetic", base: chain.base }
const logPath = "/store/blocks-000001.log"

/** Where some bytes stand in others. */
const placeIn = (log: Uint8Array, bytes: Uint8Array): number => {
  const at = Buffer.from(log.buffer, log.byteOffset, log.length).indexOf(bytes)
  assert.isAtLeast(at, 0)
  return at
}

/** Files of a store with all blocks applied, in which a bit of each of these is turned over. */
const damagedFiles = Effect.fnUntraced(function*(spoil: ReadonlyArray<Uint8Array>) {
  const memory = MemoryFileSystem.make()
  yield* Effect.scoped(Effect.gen(function*() {
    const store = yield* openInMemory(memory, { identity })
    yield* store.appendHeaders(blocks.map(({ header }) => header))
    yield* store.appendSegment(segmentOn(chain.base.id, 1, chain.ids(1, 30)))
    yield* store.appendUnits(blocks.flatMap(unitsOf))
    yield* store.appendApplied({ kind: "apply", firstLevel: 1, ids: chain.ids(1, 30) })
  }))
  const files = yield* readFiles(memory)
  const log = files.get(logPath)!.slice()
  for (const bytes of spoil) log[placeIn(log, bytes) + 1]! ^= 4
  return yield* withFiles(new Map([...files, [logPath, log]]))
})

const repair = (store: ChainStoreService, points: ReadonlyArray<string>, options: Partial<RepairOptions> = {}) =>
  driven(
    repairStore({ points, timeoutMillis: 2_000, ...options }).pipe(
      Effect.provideService(ChainStore, store),
      Effect.provideService(ChainProtocol, syntheticProtocol({ id: "us" }))
    )
  )

const peerOf = (number: number, answering: Answering) =>
  syntheticPeer({ id: `peer-${number}` }, placeOf(number), answering)

/** A header, a unit of another block, and header and unit of a third are lost. */
const spoiled = [
  chain.at(7).header.bytes,
  chain.at(12).units[0]!,
  chain.at(20).header.bytes,
  chain.at(20).units[1]!
]

describe("repairStore", () => {
  it.effect("fetches headers and units again from whoever has them, and remembers the damage as mended", () =>
    Effect.gen(function*() {
      const memory = yield* damagedFiles(spoiled)
      const honest = honestAnswers(chain)
      const silent = yield* peerOf(1, () => [])
      const wrong = yield* peerOf(
        2,
        (request) =>
          honest(request).map((answer) =>
            answer.kind === "unit"
              ? { ...answer, units: answer.units.map((unit) => unit.map((byte) => byte ^ 1)) }
              : answer
          )
      )
      const good = yield* peerOf(3, honest)
      const points = ["10.0.0.9:1", silent.point, wrong.point, good.point]
      yield* Effect.scoped(Effect.gen(function*() {
        const store = yield* openInMemory(memory, { identity })
        assert.deepStrictEqual((yield* findHoles(store, 0)).holes.map(({ level }) => level), [7, 12, 20])
        const report = yield* repair(store, points)
        assert.deepStrictEqual([report?.blocks, report?.headers, report?.units, report?.blocksLeft], [3, 2, 2, 0])
        assert.match(
          report!.reasons.join("\n"),
          /10\.0\.0\.1:1: no answer.*\n10\.0\.0\.2:1: what it gives for level 12 is wrong/
        )
        assert.strictEqual((yield* verifyStore(store, syntheticRules)).problems, 0)
        assert.deepStrictEqual(yield* lostPlaces(store), [])
      }))
      const again = yield* openInMemory(memory, { identity })
      assert.isAbove(again.openReport.damages, 0, "the damaged bytes stay where they are")
      assert.strictEqual((yield* verifyStore(again, syntheticRules)).problems, 0)
      const mended = yield* isMended(again)
      assert.isTrue((yield* again.checkLogs(() => undefined)).every(mended))
      const asked = good.asked.length
      assert.isUndefined(yield* repair(again, points))
      assert.strictEqual(good.asked.length, asked, "a store that is whole asks nobody")
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("says what nobody has, keeps what it got, and tries again the next time", () =>
    Effect.gen(function*() {
      const memory = yield* damagedFiles(spoiled)
      const honest = honestAnswers(chain)
      const rolling = yield* peerOf(1, (request) =>
        request.kind === "get-headers" && request.ids.includes(chain.at(7).header.id)
          ? honest({
            ...request,
            ids: request.ids.filter((id) =>
              id !== chain.at(7).header.id
            )
          })
          : honest(request))
      const store = yield* openInMemory(memory, { identity })
      const report = yield* repair(store, [rolling.point])
      assert.deepStrictEqual([report?.blocks, report?.blocksLeft], [2, 1])
      assert.deepStrictEqual(report?.left.map(({ header, id, level }) => [level, id, header]), [
        [7, chain.at(7).header.id, undefined]
      ])
      assert.isAbove((yield* lostPlaces(store)).length, 0)
      const whole = yield* peerOf(2, honest)
      assert.deepStrictEqual([(yield* repair(store, [whole.point]))?.blocksLeft, yield* lostPlaces(store)], [0, []])
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("is over at once with damage that the chain does not miss, which only a check of the logs finds", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* Effect.scoped(Effect.gen(function*() {
        const store = yield* openOnDisk(directory, { identity })
        yield* store.appendHeaders([chain.at(1).header, chain.at(2).header])
        yield* store.appendUnits(unitsOf(chain.at(1)))
        yield* store.appendApplied({ kind: "apply", firstLevel: 1, ids: chain.ids(1, 1) })
      }))
      const path = join(directory, "blocks-000001.log")
      const log = readFileSync(path)
      log[placeIn(log, chain.at(2).header.bytes) + 1]! ^= 4
      writeFileSync(path, log)
      yield* Effect.scoped(Effect.gen(function*() {
        const store = yield* openOnDisk(directory, { identity })
        assert.deepStrictEqual(store.damage, [])
        assert.strictEqual((yield* store.checkLogs(() => undefined)).length, 1)
      }))
      const store = yield* openOnDisk(directory, { identity })
      assert.strictEqual((yield* lostPlaces(store)).length, 1)
      const report = yield* repair(store, [])
      assert.deepStrictEqual([report?.blocks, report?.blocksLeft, yield* lostPlaces(store)], [0, 0, []])
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("reads and asks nothing where no damage is known", () =>
    Effect.gen(function*() {
      const store = yield* openInMemory(yield* damagedFiles([]), { identity })
      const good = yield* peerOf(1, honestAnswers(chain))
      assert.isUndefined(yield* repair(store, [good.point], { onProgress: () => assert.fail("it was read") }))
      assert.strictEqual(good.asked.length, 0)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))
})
