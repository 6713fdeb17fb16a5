/**
 * What every `ChainStore` must keep, as checks that any test runner can run: on a store, across a reopening, across a power cut. `chainStoreMutants`
 * are the stores that it must reject.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { BlockId, BlockRef, BodyUnit, HeaderFacts } from "../contract/Block.ts"
import type { ChainStoreService, ChosenSegment, StoreError, StoreIdentity } from "../contract/ChainStore.ts"
import { makeSyntheticChain, type SyntheticBlock } from "./SyntheticChain.ts"

/** A place for one store. */
export interface StorePlace {
  /** Opens the store there, new or continued. It closes with the scope. */
  open(identity: StoreIdentity): Effect.Effect<ChainStoreService, StoreError, Scope.Scope>
  /** What was not durable is gone, and whoever had the store open is as well. */
  readonly crash: Effect.Effect<void>
}

export interface ChainStoreSubject {
  readonly name: string
  /** An empty place; rules are `syntheticRules`. */
  readonly place: Effect.Effect<StorePlace, never, Scope.Scope>
}

export class ChainStoreCheckFailed extends Data.TaggedError("ChainStoreCheckFailed")<{ readonly message: string }> {}

export interface ChainStoreCheck {
  readonly name: string
  run(subject: ChainStoreSubject): Effect.Effect<void, ChainStoreCheckFailed | StoreError, Scope.Scope>
}

type Body = (place: StorePlace) => Effect.Effect<void, ChainStoreCheckFailed | StoreError, Scope.Scope>

/** Main chain of 40 blocks with three units each, and a branch of six blocks above level 10. */
const chain = makeSyntheticChain({ seed: 4711, levels: 40, unitsPerBlock: 3, forks: [{ from: 10, length: 6 }] })
const branch = chain.forks[0]!
export const suiteIdentity: StoreIdentity = { protocol: "synthetic", chainId: "kit", base: chain.base }

const fail = (message: string) => Effect.fail(new ChainStoreCheckFailed({ message }))

/** Text of a value in which equal values are equal: bytes as hex, keys in order. */
const plain = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) => {
    if (inner instanceof Uint8Array) return Buffer.from(inner).toString("hex")
    if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return inner ?? null
    return Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => a < b ? -1 : 1))
  })

const same = (what: string, actual: unknown, expected: unknown): Effect.Effect<void, ChainStoreCheckFailed> =>
  plain(actual) === plain(expected) ? Effect.void : fail(`${what}: ${plain(actual)}, expected ${plain(expected)}`)

const refusedWith = <A>(
  what: string,
  effect: Effect.Effect<A, StoreError, Scope.Scope>,
  reason: StoreError["reason"]
): Effect.Effect<void, ChainStoreCheckFailed, Scope.Scope> =>
  Effect.matchEffect(effect, {
    onFailure: (error) => same(what, error.reason, reason),
    onSuccess: () => fail(`${what}: accepted, expected ${reason}`)
  })

const headersOf = (from: number, to: number): ReadonlyArray<HeaderFacts> =>
  chain.main.slice(from, to + 1).map(({ header }) => header)

const unitsOf = (block: SyntheticBlock, ...units: ReadonlyArray<number>): ReadonlyArray<BodyUnit> =>
  units.map((unit) => ({ block: block.header.id, unit, body: block.units[unit]! }))

const refOf = ({ header }: SyntheticBlock): BlockRef => ({ id: header.id, level: header.level })

/** Evidence with two supporters of three, for a run of blocks on top of `parent`. */
const segmentOn = (parent: BlockId, firstLevel: number, ids: ReadonlyArray<BlockId>): ChosenSegment => {
  const topLevel = firstLevel + ids.length - 1
  const run = {
    rule: "settled" as const,
    witnessId: ids[ids.length - 1]!,
    witnessLevel: topLevel,
    supporters: [0, 1, 2],
    electorate: [0, 1, 2]
  }
  return {
    ids,
    firstLevel,
    peers: ["alice", "bob", "carol"],
    evidence: {
      baseId: parent,
      baseLevel: firstLevel - 1,
      topId: ids[ids.length - 1]!,
      topLevel,
      minSupporters: 3,
      electors: [0, 1, 2],
      runs: [{ ...run, fromLevel: firstLevel, toLevel: topLevel }]
    }
  }
}

const mainSegment = (from: number, to: number): ChosenSegment =>
  segmentOn(chain.at(from - 1).header.id, from, chain.ids(from, to))
const branchSegment = (): ChosenSegment => segmentOn(chain.at(10).header.id, 11, branch.map(({ header }) => header.id))

const apply = (store: ChainStoreService, from: number, to: number) =>
  store.appendApplied({ kind: "apply", firstLevel: from, ids: chain.ids(from, to) })

/** Opens, does something, cuts the power, opens again: `then` sees what was left. */
const acrossCrash = Effect.fnUntraced(function*<A>(
  place: StorePlace,
  first: (store: ChainStoreService) => Effect.Effect<A, ChainStoreCheckFailed | StoreError, Scope.Scope>,
  then: (store: ChainStoreService) => Effect.Effect<void, ChainStoreCheckFailed | StoreError, Scope.Scope>
) {
  const scope = yield* Scope.make()
  yield* Scope.provide(Effect.flatMap(place.open(suiteIdentity), first), scope)
  yield* place.crash
  yield* Scope.close(scope, Exit.void)
  yield* Effect.scoped(Effect.flatMap(place.open(suiteIdentity), then))
})

const opened = (check: (store: ChainStoreService) => ReturnType<Body>): Body => (place) =>
  Effect.flatMap(place.open(suiteIdentity), check)

const bodyChecks: ReadonlyArray<readonly [string, Body]> = [
  [
    "an empty store stands at its base",
    opened(Effect.fnUntraced(function*(store) {
      yield* same("identity", store.identity, suiteIdentity)
      yield* same("head", store.head, chain.base)
      yield* same("pending", store.pending, { firstLevel: 1, ids: [] })
      yield* same("base", store.appliedAt(0), chain.base.id)
      yield* same("level of the base", store.appliedLevel(chain.base.id), 0)
      yield* same("above", [store.appliedAt(1), store.appliedLevel(chain.at(1).header.id)], [null, null])
      yield* same("loose", store.looseHeaders, 0)
      yield* same("held", [store.hasHeader(chain.base.id), store.unitsHeld(chain.base.id)], [false, 0])
      yield* same("units", yield* store.readUnits(chain.at(1).header.id), [])
    }))
  ],
  [
    "headers: durable when told so, in the order asked for, once each",
    (place) =>
      acrossCrash(
        place,
        (store) => Effect.andThen(store.appendHeaders(headersOf(1, 20)), store.appendHeaders(headersOf(15, 22))),
        (store) =>
          Effect.gen(function*() {
            const read = yield* store.readHeaders(
              [chain.at(22), chain.at(1), chain.at(23), chain.at(9)].map(({ header }) => header.id)
            )
            yield* same("headers", read, [chain.at(22).header, chain.at(1).header, undefined, chain.at(9).header])
            yield* same("has", [store.hasHeader(chain.at(22).header.id), store.hasHeader(chain.at(23).header.id)], [
              true,
              false
            ])
            yield* same("loose", store.looseHeaders, 22)
          })
      )
  ],
  [
    "units: one by one, each under its own block and position",
    (place) =>
      acrossCrash(
        place,
        (store) =>
          Effect.andThen(
            store.appendUnits([...unitsOf(chain.at(3), 2), ...unitsOf(chain.at(4), 0, 1)]),
            store.appendUnits([...unitsOf(chain.at(3), 0, 2), ...unitsOf(branch[0]!, 1)])
          ),
        Effect.fnUntraced(function*(store) {
          const masks = [chain.at(3), chain.at(4), branch[0]!, chain.at(5)].map(({ header }) =>
            store.unitsHeld(header.id)
          )
          yield* same("masks", masks, [0b101, 0b011, 0b010, 0])
          const { header, units } = chain.at(3)
          yield* same("units", yield* store.readUnits(header.id), [units[0], undefined, units[2]])
          yield* same("other", yield* store.readUnits(chain.at(4).header.id), chain.at(4).units.slice(0, 2))
          yield* same("branch", yield* store.readUnits(branch[0]!.header.id), [undefined, branch[0]!.units[1]])
        })
      )
  ],
  [
    "the last unit position, an empty body, a large body",
    (place) => {
      const block = chain.at(7).header.id
      const large = new Uint8Array(3_000_000).map((_, i) => (i * 31) >> 3)
      return acrossCrash(
        place,
        (store) =>
          store.appendUnits([{ block, unit: 30, body: large }, { block, unit: 0, body: new Uint8Array(0) }, {
            block,
            unit: 1,
            body: large.subarray(1)
          }]),
        Effect.fnUntraced(function*(store) {
          const units = yield* store.readUnits(block)
          yield* same("mask", store.unitsHeld(block), 2 ** 30 + 3)
          yield* same("lengths", [units.length, units[0]?.length, units[1]?.length, units[30]?.length], [
            31,
            0,
            2_999_999,
            3_000_000
          ])
          yield* same("content", Buffer.compare(units[30] ?? Buffer.alloc(0), large), 0)
        })
      )
    }
  ],
  [
    "what was handed over or read belongs to its holder",
    opened(Effect.fnUntraced(function*(store) {
      const { header, units } = chain.at(2)
      const body = units[0]!.slice()
      yield* store.appendUnits([{ block: header.id, unit: 0, body: body.length === 0 ? Uint8Array.of(1) : body }])
      const kept = (yield* store.readUnits(header.id))[0]!.slice()
      body.fill(255)
      ;(yield* store.readUnits(header.id))[0]!.fill(254)
      yield* same("unit", (yield* store.readUnits(header.id))[0], kept)
    }))
  ],
  [
    "appends at the same time are all durable",
    (place) =>
      acrossCrash(
        place,
        (store) =>
          Effect.forEach(
            chain.main.slice(1),
            (block) => Effect.andThen(store.appendHeaders([block.header]), store.appendUnits(unitsOf(block, 0, 1, 2))),
            { concurrency: "unbounded", discard: true }
          ),
        Effect.fnUntraced(function*(store) {
          yield* same("headers", yield* store.readHeaders(chain.ids(1, 40)), headersOf(1, 40))
          for (const { header, units } of chain.main.slice(1)) {
            yield* same("units", yield* store.readUnits(header.id), units)
          }
        })
      )
  ],
  [
    "documents are replaced as a whole",
    (place) =>
      acrossCrash(
        place,
        Effect.fnUntraced(function*(store) {
          yield* same("missing", yield* store.readDocument("known-peers"), undefined)
          yield* store.writeDocument("known-peers", "a long first version")
          yield* store.writeDocument("known-peers", "zwei: ü")
          yield* refusedWith("name", store.writeDocument("../up", "x"), "out-of-order")
          yield* refusedWith("name", store.readDocument("a/b"), "out-of-order")
          yield* refusedWith("size", store.writeDocument("big", "x".repeat(4 * 2 ** 20 + 1)), "too-large")
        }),
        Effect.fnUntraced(function*(store) {
          yield* same("document", yield* store.readDocument("known-peers"), "zwei: ü")
          yield* same("other", yield* store.readDocument("big"), undefined)
        })
      )
  ],
  [
    "another chain's store is refused, the same one continues, one process at a time",
    Effect.fnUntraced(function*(place) {
      yield* Effect.scoped(Effect.flatMap(place.open(suiteIdentity), (store) => apply(store, 1, 2)))
      const others: ReadonlyArray<StoreIdentity> = [
        { ...suiteIdentity, chainId: "other" },
        { ...suiteIdentity, protocol: "other" },
        { ...suiteIdentity, base: refOf(chain.at(1)) },
        { ...suiteIdentity, base: { ...chain.base, level: 1 } }
      ]
      for (const other of others) yield* refusedWith("other", Effect.scoped(place.open(other)), "other-chain")
      const store = yield* place.open({ ...suiteIdentity, base: { ...chain.base } })
      yield* same("head", store.head, refOf(chain.at(2)))
      yield* refusedWith("second", Effect.scoped(place.open(suiteIdentity)), "in-use")
      yield* apply(store, 3, 3)
    })
  ],
  [
    "what is too large or does not fit is refused and leaves no trace",
    opened(Effect.fnUntraced(function*(store) {
      const block = chain.at(1).header.id
      yield* apply(store, 1, 4)
      yield* refusedWith("unit", store.appendUnits([{ block, unit: 31, body: Uint8Array.of(1) }]), "too-large")
      yield* refusedWith("unit", store.appendUnits([{ block, unit: -1, body: Uint8Array.of(1) }]), "too-large")
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
      yield* same("head", store.head, refOf(chain.at(4)))
      yield* same("held", [store.unitsHeld(block), store.hasHeader(block), store.pending.ids.length], [0, false, 0])
    }))
  ]
]

const chainChecks: ReadonlyArray<readonly [string, Body]> = [
  [
    "segments extend what is pending, a lower one replaces it from there on",
    (place) =>
      acrossCrash(
        place,
        Effect.fnUntraced(function*(store) {
          yield* store.appendSegment(mainSegment(1, 8))
          yield* store.appendSegment(mainSegment(9, 14))
          yield* same("extended", store.pending, { firstLevel: 1, ids: chain.ids(1, 14) })
          yield* store.appendSegment(branchSegment())
          const ids = [...chain.ids(1, 10), ...branch.map(({ header }) => header.id)]
          yield* same("replaced", store.pending, { firstLevel: 1, ids })
          yield* store.appendSegment(mainSegment(11, 12))
        }),
        (store) => same("after", store.pending, { firstLevel: 1, ids: chain.ids(1, 12) })
      )
  ],
  [
    "a segment that does not build on the head is not pending",
    opened(Effect.fnUntraced(function*(store) {
      yield* store.appendSegment(mainSegment(3, 8))
      yield* same("gap", store.pending, { firstLevel: 1, ids: [] })
      yield* apply(store, 1, 2)
      yield* same("reached", store.pending, { firstLevel: 3, ids: chain.ids(3, 8) })
      yield* store.appendSegment(mainSegment(3, 4))
      yield* store.appendSegment(mainSegment(6, 8))
      yield* same("hole", store.pending, { firstLevel: 3, ids: [] })
    }))
  ],
  [
    "applied blocks leave the pending ones and are found by level and id",
    (place) =>
      acrossCrash(
        place,
        Effect.fnUntraced(function*(store) {
          yield* store.appendSegment(mainSegment(1, 20))
          yield* apply(store, 1, 5)
          yield* apply(store, 6, 9)
        }),
        Effect.fnUntraced(function*(store) {
          yield* same("head", store.head, refOf(chain.at(9)))
          yield* same("pending", store.pending, { firstLevel: 10, ids: chain.ids(10, 20) })
          yield* same("ids", [0, 1, 9, 10, -1].map((level) => store.appliedAt(level) ?? null), [
            ...[0, 1, 9].map((level) => chain.at(level).header.id),
            null,
            null
          ])
          yield* same("levels", [5, 9, 10].map((level) => store.appliedLevel(chain.at(level).header.id) ?? null), [
            5,
            9,
            null
          ])
        })
      )
  ],
  [
    "a rollback undoes blocks and drops what builds on them",
    (place) => {
      const expected = Effect.fnUntraced(function*(store: ChainStoreService) {
        yield* same("head", store.head, refOf(chain.at(10)))
        yield* same("pending", store.pending, { firstLevel: 11, ids: [] })
        yield* same("undone", [store.appliedAt(11), store.appliedLevel(chain.at(12).header.id)], [null, null])
        yield* same("kept", store.appliedAt(10), chain.at(10).header.id)
      })
      return acrossCrash(
        place,
        Effect.fnUntraced(function*(store) {
          yield* store.appendSegment(mainSegment(1, 20))
          yield* apply(store, 1, 12)
          yield* store.appendApplied({ kind: "rollback", to: refOf(chain.at(10)) })
          yield* expected(store)
        }),
        expected
      )
    }
  ],
  [
    "a branch chosen before the rollback is pending after it, and can be applied",
    (place) =>
      acrossCrash(
        place,
        Effect.fnUntraced(function*(store) {
          yield* store.appendSegment(mainSegment(1, 14))
          yield* apply(store, 1, 13)
          yield* store.appendSegment(branchSegment())
          yield* same("not yet", store.pending.ids.length, 0)
          yield* store.appendApplied({ kind: "rollback", to: refOf(chain.at(10)) })
          yield* same("pending", store.pending, { firstLevel: 11, ids: branch.map(({ header }) => header.id) })
          const ids = branch.slice(0, 2).map(({ header }) => header.id)
          yield* store.appendApplied({ kind: "apply", firstLevel: 11, ids })
        }),
        Effect.fnUntraced(function*(store) {
          yield* same("head", store.head, refOf(branch[1]!))
          yield* same("pending", store.pending, { firstLevel: 13, ids: branch.slice(2).map(({ header }) => header.id) })
          yield* same("main", store.appliedLevel(chain.at(11).header.id), undefined)
          yield* same("branch", store.appliedLevel(branch[0]!.header.id), 11)
        })
      )
  ],
  [
    "a rollback to the base empties the chain, and it grows again",
    opened(Effect.fnUntraced(function*(store) {
      yield* apply(store, 1, 3)
      yield* store.appendApplied({ kind: "rollback", to: chain.base })
      yield* same("head", store.head, chain.base)
      yield* same("undone", [store.appliedAt(1), store.appliedLevel(chain.at(3).header.id)], [null, null])
      yield* apply(store, 1, 2)
      yield* same("head", store.head, refOf(chain.at(2)))
    }))
  ],
  [
    "headers of no chosen segment are loose",
    (place) =>
      acrossCrash(
        place,
        Effect.fnUntraced(function*(store) {
          yield* store.appendHeaders(headersOf(1, 12))
          yield* store.appendSegment(mainSegment(1, 8))
          yield* same("above", store.looseHeaders, 4)
          yield* store.appendHeaders(headersOf(8, 14))
          yield* same("more", store.looseHeaders, 6)
          yield* store.appendSegment(mainSegment(9, 16))
          yield* same("none", store.looseHeaders, 0)
          yield* store.appendHeaders([...headersOf(15, 18), branch[0]!.header])
        }),
        (store) => same("left", store.looseHeaders, 3)
      )
  ],
  [
    "evidence is kept for good and found by level",
    (place) =>
      acrossCrash(
        place,
        (store) =>
          Effect.forEach([mainSegment(9, 14), mainSegment(1, 8), branchSegment(), mainSegment(11, 20)], (segment) =>
            store.appendSegment(segment)),
        Effect.fnUntraced(function*(store) {
          yield* same("one", yield* store.evidence(3, 8), [mainSegment(1, 8)])
          yield* same("touching", yield* store.evidence(8, 9), [mainSegment(1, 8), mainSegment(9, 14)])
          yield* same("all of a level", yield* store.evidence(12, 12), [
            mainSegment(9, 14),
            branchSegment(),
            mainSegment(11, 20)
          ])
          yield* same("none", yield* store.evidence(21, 99), [])
        })
      )
  ]
]

/** All checks; each takes a place of its own from the subject. */
export const chainStoreSuite: ReadonlyArray<ChainStoreCheck> = [...bodyChecks, ...chainChecks].map(([name, body]) => ({
  name,
  run: (subject) => Effect.flatMap(subject.place, body)
}))
