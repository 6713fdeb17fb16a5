/** The examples of the kit of `ChainStore`: one store, and what of it is there after it was closed or lost its power. */
import { type Check, type CheckFailed, expectSame } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { BlockRef } from "../contract/Block.ts"
import type { ChainStoreService, StoreError, StoreIdentity } from "../contract/ChainStore.ts"
import { ChainStorePlace, type ChainStorePlaceService } from "./ChainStorePlace.ts"
import {
  acrossRestart,
  apply,
  branch,
  branchIds,
  branchSegment,
  chain,
  headersOf,
  mainSegment,
  refOf,
  refusedWith,
  storeIdentity,
  unitsOf
} from "./ChainStoreSamples.ts"

/** What a store's place can show to the kit, by name. */
export type ChainStoreCapability = "power-cut" | "counted-handles"
export type ChainStoreCheck = Check<ChainStorePlace, ChainStoreCapability>

type Run = Effect.Effect<void, CheckFailed | StoreError, Scope.Scope>
type OnStore = (store: ChainStoreService) => Run

export const atPlace = (run: (place: ChainStorePlaceService) => Effect.Effect<void, unknown, Scope.Scope>) =>
  Effect.flatMap(ChainStorePlace, run)

const opened = (name: string, run: OnStore): ReadonlyArray<ChainStoreCheck> => [
  { name, run: atPlace((place) => Effect.flatMap(place.open(storeIdentity), run)) }
]

const restarted = (name: string, first: OnStore, then: OnStore): ReadonlyArray<ChainStoreCheck> => [
  { name: `${name}, when opened again`, run: atPlace((place) => acrossRestart(place, "closed", first, then)) },
  {
    name: `${name}, after a power cut`,
    needs: ["power-cut"],
    run: atPlace((place) => acrossRestart(place, "power cut", first, then))
  }
]

/** Not a repetition of a short pattern, so that a shift of its bytes is seen. */
const large = new Uint8Array(3_000_000).map((_, i) => (i * 31) >> 3)

const bodyChecks: ReadonlyArray<ChainStoreCheck> = [
  ...opened(
    "stands at its base when it is empty",
    Effect.fnUntraced(function*(store) {
      yield* expectSame("identity", store.identity, storeIdentity)
      yield* expectSame("head", store.head, chain.base)
      yield* expectSame("pending", store.pending, { firstLevel: 1, ids: [] })
      yield* expectSame("base", store.appliedAt(0), chain.base.id)
      yield* expectSame("level of the base", store.appliedLevel(chain.base.id), 0)
      yield* expectSame("above", [store.appliedAt(1), store.appliedLevel(chain.at(1).header.id)], [
        undefined,
        undefined
      ])
      yield* expectSame("loose", store.looseHeaders, 0)
      yield* expectSame("held", [store.hasHeader(chain.base.id), store.unitsHeld(chain.base.id)], [false, 0])
      yield* expectSame("units", yield* store.readUnits(chain.at(1).header.id), [])
    })
  ),
  ...restarted(
    "keeps headers, gives them in the order asked for, once each",
    (store) => Effect.andThen(store.appendHeaders(headersOf(1, 20)), store.appendHeaders(headersOf(15, 22))),
    Effect.fnUntraced(function*(store) {
      const read = yield* store.readHeaders(
        [chain.at(22), chain.at(1), chain.at(23), chain.at(9)].map(({ header }) => header.id)
      )
      yield* expectSame("headers", read, [chain.at(22).header, chain.at(1).header, undefined, chain.at(9).header])
      yield* expectSame("has", [22, 23].map((level) => store.hasHeader(chain.at(level).header.id)), [true, false])
      yield* expectSame("loose", store.looseHeaders, 22)
    })
  ),
  ...opened(
    "counts a header that comes again as one",
    Effect.fnUntraced(function*(store) {
      yield* store.appendHeaders(headersOf(1, 5))
      yield* store.appendHeaders(headersOf(3, 6))
      yield* expectSame("loose", store.looseHeaders, 6)
    })
  ),
  ...restarted(
    "keeps units one by one, each under its own block and position",
    (store) =>
      Effect.andThen(
        store.appendUnits([...unitsOf(chain.at(3), 2), ...unitsOf(chain.at(4), 0, 1)]),
        store.appendUnits([...unitsOf(chain.at(3), 0, 2), ...unitsOf(branch[0]!, 1)])
      ),
    Effect.fnUntraced(function*(store) {
      const masks = [chain.at(3), chain.at(4), branch[0]!, chain.at(5)].map(({ header }) => store.unitsHeld(header.id))
      yield* expectSame("masks", masks, [0b101, 0b011, 0b010, 0])
      const { header, units } = chain.at(3)
      yield* expectSame("units", yield* store.readUnits(header.id), [units[0], undefined, units[2]])
      yield* expectSame("other", yield* store.readUnits(chain.at(4).header.id), chain.at(4).units.slice(0, 2))
      yield* expectSame("branch", yield* store.readUnits(branch[0]!.header.id), [undefined, branch[0]!.units[1]])
    })
  ),
  ...restarted(
    "keeps the last unit position, an empty body, a large body",
    (store) => {
      const block = chain.at(7).header.id
      return store.appendUnits([
        { block, unit: 30, body: large },
        { block, unit: 0, body: new Uint8Array(0) },
        { block, unit: 1, body: large.subarray(1) }
      ])
    },
    Effect.fnUntraced(function*(store) {
      const block = chain.at(7).header.id
      const units = yield* store.readUnits(block)
      yield* expectSame("mask", store.unitsHeld(block), 2 ** 30 + 3)
      const lengths = [units.length, units[0]?.length, units[1]?.length, units[30]?.length]
      yield* expectSame("lengths", lengths, [31, 0, 2_999_999, 3_000_000])
      yield* expectSame("content", Buffer.compare(units[30] ?? Buffer.alloc(0), large), 0)
    })
  ),
  ...opened(
    "owns what it was given, and gives away what it reads",
    Effect.fnUntraced(function*(store) {
      const { header, units } = chain.at(2)
      const body = units[0]!.slice()
      yield* store.appendUnits([{ block: header.id, unit: 0, body: body.length === 0 ? Uint8Array.of(1) : body }])
      const kept = (yield* store.readUnits(header.id))[0]!.slice()
      body.fill(255)
      ;(yield* store.readUnits(header.id))[0]!.fill(254)
      yield* expectSame("unit", (yield* store.readUnits(header.id))[0], kept)
    })
  ),
  ...restarted(
    "keeps all that is appended at the same time",
    (store) =>
      Effect.forEach(
        chain.main.slice(1),
        (block) => Effect.andThen(store.appendHeaders([block.header]), store.appendUnits(unitsOf(block, 0, 1, 2))),
        { concurrency: "unbounded", discard: true }
      ),
    Effect.fnUntraced(function*(store) {
      yield* expectSame("headers", yield* store.readHeaders(chain.ids(1, 40)), headersOf(1, 40))
      for (const { header, units } of chain.main.slice(1)) {
        yield* expectSame("units", yield* store.readUnits(header.id), units)
      }
    })
  ),
  ...restarted(
    "replaces documents as a whole",
    Effect.fnUntraced(function*(store) {
      yield* expectSame("missing", yield* store.readDocument("known-peers"), undefined)
      yield* store.writeDocument("known-peers", "a long first version")
      yield* store.writeDocument("known-peers", "zwei: ü")
    }),
    Effect.fnUntraced(function*(store) {
      yield* expectSame("document", yield* store.readDocument("known-peers"), "zwei: ü")
      yield* expectSame("other", yield* store.readDocument("big"), undefined)
    })
  ),
  ...opened(
    "refuses documents with a strange name or a large text",
    Effect.fnUntraced(function*(store) {
      yield* refusedWith("name to write", store.writeDocument("../up", "x"), "out-of-order")
      yield* refusedWith("name to read", store.readDocument("a/b"), "out-of-order")
      yield* refusedWith("size", store.writeDocument("big", "x".repeat(4 * 2 ** 20 + 1)), "too-large")
      yield* expectSame("left behind", yield* store.readDocument("big"), undefined)
    })
  ),
  ...opened(
    "refuses what is too large or does not fit, and keeps no trace of it",
    Effect.fnUntraced(function*(store) {
      const block = chain.at(1).header.id
      yield* apply(store, 1, 4)
      yield* refusedWith("unit 31", store.appendUnits([{ block, unit: 31, body: Uint8Array.of(1) }]), "too-large")
      yield* refusedWith("unit -1", store.appendUnits([{ block, unit: -1, body: Uint8Array.of(1) }]), "too-large")
      const header = { ...chain.at(1).header, bytes: new Uint8Array(8 * 2 ** 20 + 1) }
      yield* refusedWith("header", store.appendHeaders([header]), "too-large")
      yield* refusedWith("gap", apply(store, 6, 7), "out-of-order")
      yield* refusedWith("again", apply(store, 4, 5), "out-of-order")
      const rollback = (to: BlockRef) => store.appendApplied({ kind: "rollback", to })
      yield* refusedWith("above", rollback(refOf(chain.at(5))), "out-of-order")
      yield* refusedWith("other id", rollback({ id: branch[0]!.header.id, level: 3 }), "out-of-order")
      yield* refusedWith("below", rollback({ id: chain.base.id, level: -1 }), "out-of-order")
      const segment = mainSegment(5, 8)
      const evidence = { ...segment.evidence, baseLevel: 3 }
      yield* refusedWith("evidence", store.appendSegment({ ...segment, evidence }), "out-of-order")
      yield* refusedWith("base", store.appendSegment({ ...segment, firstLevel: 0 }), "out-of-order")
      yield* expectSame("head", store.head, refOf(chain.at(4)))
      yield* expectSame("held", [store.unitsHeld(block), store.hasHeader(block), store.pending.ids.length], [
        0,
        false,
        0
      ])
    })
  )
]

const placeChecks: ReadonlyArray<ChainStoreCheck> = [
  {
    name: "goes on with its own chain and refuses another's",
    run: atPlace(Effect.fnUntraced(function*(place) {
      yield* Effect.scoped(Effect.flatMap(place.open(storeIdentity), (store) => apply(store, 1, 2)))
      const others: ReadonlyArray<StoreIdentity> = [
        { ...storeIdentity, chainId: "other" },
        { ...storeIdentity, protocol: "other" },
        { ...storeIdentity, base: refOf(chain.at(1)) },
        { ...storeIdentity, base: { ...chain.base, level: 1 } }
      ]
      for (const other of others) yield* refusedWith("other", Effect.scoped(place.open(other)), "other-chain")
      const store = yield* place.open({ ...storeIdentity, base: { ...chain.base } })
      yield* expectSame("head", store.head, refOf(chain.at(2)))
    }))
  },
  {
    name: "is open once at a time",
    run: atPlace(Effect.fnUntraced(function*(place) {
      const store = yield* place.open(storeIdentity)
      yield* refusedWith("second opening", Effect.scoped(place.open(storeIdentity)), "in-use")
      yield* apply(store, 1, 3)
      yield* expectSame("head", store.head, refOf(chain.at(3)))
    }))
  }
]

const undone = Effect.fnUntraced(function*(store: ChainStoreService) {
  yield* expectSame("head", store.head, refOf(chain.at(10)))
  yield* expectSame("pending", store.pending, { firstLevel: 11, ids: [] })
  yield* expectSame("undone", [store.appliedAt(11), store.appliedLevel(chain.at(12).header.id)], [undefined, undefined])
  yield* expectSame("kept", store.appliedAt(10), chain.at(10).header.id)
})

const chainChecks: ReadonlyArray<ChainStoreCheck> = [
  ...restarted(
    "extends what is pending, and replaces it from a lower segment on",
    Effect.fnUntraced(function*(store) {
      yield* store.appendSegment(mainSegment(1, 8))
      yield* store.appendSegment(mainSegment(9, 14))
      yield* expectSame("extended", store.pending, { firstLevel: 1, ids: chain.ids(1, 14) })
      yield* store.appendSegment(branchSegment())
      yield* expectSame("replaced", store.pending, { firstLevel: 1, ids: [...chain.ids(1, 10), ...branchIds] })
      yield* store.appendSegment(mainSegment(11, 12))
    }),
    (store) => expectSame("after", store.pending, { firstLevel: 1, ids: chain.ids(1, 12) })
  ),
  ...opened(
    "takes no segment for pending that does not build on the head",
    Effect.fnUntraced(function*(store) {
      yield* store.appendSegment(mainSegment(3, 8))
      yield* expectSame("gap", store.pending, { firstLevel: 1, ids: [] })
      yield* apply(store, 1, 2)
      yield* expectSame("reached", store.pending, { firstLevel: 3, ids: chain.ids(3, 8) })
      yield* store.appendSegment(mainSegment(3, 4))
      yield* store.appendSegment(mainSegment(6, 8))
      yield* expectSame("hole", store.pending, { firstLevel: 3, ids: [] })
    })
  ),
  ...restarted(
    "finds applied blocks by level and id, and no longer among the pending ones",
    Effect.fnUntraced(function*(store) {
      yield* store.appendSegment(mainSegment(1, 20))
      yield* apply(store, 1, 5)
      yield* apply(store, 6, 9)
    }),
    Effect.fnUntraced(function*(store) {
      yield* expectSame("head", store.head, refOf(chain.at(9)))
      yield* expectSame("pending", store.pending, { firstLevel: 10, ids: chain.ids(10, 20) })
      const ids = [0, 1, 9].map((level) => chain.at(level).header.id)
      yield* expectSame("ids", [0, 1, 9, 10, -1].map((level) => store.appliedAt(level)), [...ids, undefined, undefined])
      const levels = [5, 9, 10].map((level) => store.appliedLevel(chain.at(level).header.id))
      yield* expectSame("levels", levels, [5, 9, undefined])
    })
  ),
  ...restarted(
    "undoes blocks by a rollback, and drops what builds on them",
    Effect.fnUntraced(function*(store) {
      yield* store.appendSegment(mainSegment(1, 20))
      yield* apply(store, 1, 12)
      yield* store.appendApplied({ kind: "rollback", to: refOf(chain.at(10)) })
      yield* undone(store)
    }),
    undone
  ),
  ...restarted(
    "has a branch pending that was chosen before the rollback, and applies it",
    Effect.fnUntraced(function*(store) {
      yield* store.appendSegment(mainSegment(1, 14))
      yield* apply(store, 1, 13)
      yield* store.appendSegment(branchSegment())
      yield* expectSame("not yet", store.pending.ids.length, 0)
      yield* store.appendApplied({ kind: "rollback", to: refOf(chain.at(10)) })
      yield* expectSame("pending", store.pending, { firstLevel: 11, ids: branchIds })
      yield* store.appendApplied({ kind: "apply", firstLevel: 11, ids: branchIds.slice(0, 2) })
    }),
    Effect.fnUntraced(function*(store) {
      yield* expectSame("head", store.head, refOf(branch[1]!))
      yield* expectSame("pending", store.pending, { firstLevel: 13, ids: branchIds.slice(2) })
      yield* expectSame("main", store.appliedLevel(chain.at(11).header.id), undefined)
      yield* expectSame("branch", store.appliedLevel(branch[0]!.header.id), 11)
    })
  ),
  ...opened(
    "is empty after a rollback to the base, and grows again",
    Effect.fnUntraced(function*(store) {
      yield* apply(store, 1, 3)
      yield* store.appendApplied({ kind: "rollback", to: chain.base })
      yield* expectSame("head", store.head, chain.base)
      yield* expectSame("undone", [store.appliedAt(1), store.appliedLevel(chain.at(3).header.id)], [
        undefined,
        undefined
      ])
      yield* apply(store, 1, 2)
      yield* expectSame("head", store.head, refOf(chain.at(2)))
    })
  ),
  ...restarted(
    "counts headers of no chosen segment as loose",
    Effect.fnUntraced(function*(store) {
      yield* store.appendHeaders(headersOf(1, 12))
      yield* store.appendSegment(mainSegment(1, 8))
      yield* expectSame("above", store.looseHeaders, 4)
      yield* store.appendHeaders(headersOf(8, 14))
      yield* expectSame("more", store.looseHeaders, 6)
      yield* store.appendSegment(mainSegment(9, 16))
      yield* expectSame("none", store.looseHeaders, 0)
      yield* store.appendHeaders([...headersOf(15, 18), branch[0]!.header])
    }),
    (store) => expectSame("left", store.looseHeaders, 3)
  ),
  ...restarted(
    "keeps evidence for good, and finds it by level",
    (store) =>
      Effect.forEach(
        [mainSegment(9, 14), mainSegment(1, 8), branchSegment(), mainSegment(11, 20)],
        (segment) => store.appendSegment(segment),
        { discard: true }
      ),
    Effect.fnUntraced(function*(store) {
      yield* expectSame("evidence of 3 to 8", yield* store.evidence(3, 8), [mainSegment(1, 8)])
      const touching = [mainSegment(1, 8), mainSegment(9, 14)]
      yield* expectSame("evidence of 8 to 9", yield* store.evidence(8, 9), touching)
      const all = [mainSegment(9, 14), branchSegment(), mainSegment(11, 20)]
      yield* expectSame("all evidence of 12", yield* store.evidence(12, 12), all)
      yield* expectSame("evidence above", yield* store.evidence(21, 99), [])
    })
  )
]

export const chainStoreExamples: ReadonlyArray<ChainStoreCheck> = [...bodyChecks, ...placeChecks, ...chainChecks]
