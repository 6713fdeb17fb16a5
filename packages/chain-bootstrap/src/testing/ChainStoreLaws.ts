/** The laws of the kit of `ChainStore`: interruption at each step, handles, and histories by seed against the plain store in memory. */
import { atEachStep, expectSame, expectTrue, fail, plainText, SeededRandom } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as MemoryChainStore from "../adapter/store/MemoryChainStore.ts"
import type { ChainStoreService } from "../contract/ChainStore.ts"
import { atPlace, type ChainStoreCheck } from "./ChainStoreChecks.ts"
import type { ChainStorePlaceService } from "./ChainStorePlace.ts"
import {
  apply,
  branch,
  chain,
  cutPower,
  headersOf,
  mainSegment,
  observe,
  refOf,
  type Restart,
  segmentOn,
  storeIdentity,
  unitsOf
} from "./ChainStoreSamples.ts"
import type { SyntheticBlock } from "./SyntheticChain.ts"

const use = <A, E>(
  place: ChainStorePlaceService,
  run: (store: ChainStoreService) => Effect.Effect<A, E, Scope.Scope>
) => Effect.scoped(Effect.flatMap(place.open(storeIdentity), run))

const openingInterrupted = (place: ChainStorePlaceService) =>
  atEachStep(
    use(place, () => Effect.void),
    () => use(place, (store) => expectSame("head", store.head, chain.base))
  )

/**
 * Four blocks each time: as long as nothing is wrong, the head stands at a multiple of four. What was interrupted may still be under way, but not once
 * a later append has completed.
 */
const appendInterrupted = Effect.fnUntraced(function*(place: ChainStorePlaceService) {
  const left = yield* use(place, (store) =>
    Effect.gen(function*() {
      const next = Effect.suspend(() => {
        const { level } = store.head
        return level === 40
          ? store.appendApplied({ kind: "rollback", to: chain.base })
          : apply(store, level + 1, level + 4)
      })
      const later = store.appendSegment(mainSegment(1, 4))
      yield* atEachStep(
        next,
        Effect.fnUntraced(function*(step) {
          yield* later
          const { id, level } = store.head
          yield* expectTrue(
            `the head of level ${level} after an interruption at step ${step} ends a batch`,
            level % 4 === 0
          )
          const found = [store.appliedAt(level), store.appliedLevel(id)]
          yield* expectSame("head on the chain", found, [chain.at(level).header.id, level])
        })
      )
      const block = chain.at(20)
      const units = Effect.andThen(store.appendUnits(unitsOf(block, 0, 1, 2)), store.appendHeaders([block.header]))
      yield* atEachStep(units, () => Effect.void)
      yield* expectSame("units", yield* store.readUnits(block.header.id), block.units)
      return store.head
    }))
  yield* use(place, (store) => expectSame("head when opened again", store.head, left))
})

const givesBackHandles = Effect.fnUntraced(function*(place: ChainStorePlaceService) {
  const handles = place.handles ?? Effect.die(new TypeError("the place declares counted-handles and has none"))
  const work = (store: ChainStoreService) =>
    Effect.gen(function*() {
      yield* store.appendHeaders(headersOf(1, 10))
      for (const block of chain.main.slice(1, 6)) yield* store.appendUnits(unitsOf(block, 0, 1, 2))
      yield* store.readUnits(chain.at(3).header.id)
      yield* store.writeDocument("status", "fine")
      return yield* handles
    })
  for (let time = 0; time < 3; time++) {
    yield* expectTrue("an open store holds a handle", (yield* use(place, work)) > 0)
    yield* expectSame("handles after closing", yield* handles, 0)
  }
})

const paths: ReadonlyArray<ReadonlyArray<SyntheticBlock>> = [
  chain.main.slice(0, 21),
  [...chain.main.slice(0, 11), ...branch]
]
const seen = [...chain.main.slice(1, 21), ...branch]
const idsOf = (blocks: ReadonlyArray<SyntheticBlock>): ReadonlyArray<string> => blocks.map(({ header }) => header.id)

type Append = (store: ChainStoreService) => ReturnType<ChainStoreService["appendHeaders"]>

/** One step of a history: a name, and what it does to a store. About one in five is refused. */
const stepOf = (random: SeededRandom): { readonly name: string; readonly run: Append } => {
  const path = paths[random.int(0, 1)]!
  const from = random.int(1, 12)
  const blocks = path.slice(from, from + random.int(1, 5))
  const first = blocks[0]!.header
  switch (random.int(0, 5)) {
    case 0:
      return { name: `headers from ${from}`, run: (store) => store.appendHeaders(blocks.map(({ header }) => header)) }
    case 1:
      return {
        name: `units from ${from}`,
        run: (store) => store.appendUnits(blocks.flatMap((one) => unitsOf(one, 2, 0)))
      }
    case 2:
      return {
        name: `segment from ${from}`,
        run: (store) => store.appendSegment(segmentOn(first.parent, first.level, idsOf(blocks)))
      }
    case 3:
      return {
        name: `rollback to ${from}`,
        run: (store) => store.appendApplied({ kind: "rollback", to: refOf(path[from]!) })
      }
    default:
      return {
        name: `apply ${blocks.length}`,
        run: (store) => {
          const next = path.slice(store.head.level + 1, store.head.level + 1 + blocks.length)
          return next[0]?.header.parent === store.head.id
            ? store.appendApplied({ kind: "apply", firstLevel: store.head.level + 1, ids: idsOf(next) })
            : Effect.void
        }
      }
  }
}

const outcome = (effect: ReturnType<Append>) =>
  Effect.match(effect, { onFailure: ({ reason }): string => reason, onSuccess: () => "done" })

const compare = Effect.fnUntraced(
  function*(when: string, store: ChainStoreService, reference: ChainStoreService) {
    const [one, other] = [yield* observe(store, seen), yield* observe(reference, seen)]
    for (const key of Object.keys(other) as Array<keyof typeof other>) {
      if (plainText(one[key]) !== plainText(other[key])) {
        return yield* fail(`${when}: ${key} differs from the plain store's`)
      }
    }
  }
)

/** The same steps on the store and on plain maps; the store is opened again now and then. */
const history = Effect.fnUntraced(function*(place: ChainStorePlaceService, seed: number, how: Restart) {
  const random = new SeededRandom(seed)
  const reference = yield* MemoryChainStore.open({ identity: storeIdentity })
  let scope = yield* Scope.make()
  let store = yield* Scope.provide(place.open(storeIdentity), scope)
  for (let step = 1; step <= 80; step++) {
    const when = `seed ${seed}, step ${step}`
    if (random.oneIn(10)) {
      if (how === "power cut") yield* cutPower(place)
      yield* Scope.close(scope, Exit.void)
      scope = yield* Scope.make()
      store = yield* Scope.provide(place.open(storeIdentity), scope)
      yield* compare(`${when}, opened again`, store, reference)
      continue
    }
    const { name, run } = stepOf(random)
    yield* expectSame(`${when}, ${name}`, yield* outcome(run(store)), yield* outcome(run(reference)))
    // All that can be asked is much: after what changes most, and now and then.
    if (name.startsWith("rollback") || step % 4 === 0) yield* compare(`${when}, ${name}`, store, reference)
  }
  yield* Scope.close(scope, Exit.void)
})

export const chainStoreLaws: ReadonlyArray<ChainStoreCheck> = [
  { name: "leaves its place free when its opening is interrupted at any step", run: atPlace(openingInterrupted) },
  { name: "keeps an append that is interrupted at any step as a whole or not at all", run: atPlace(appendInterrupted) },
  { name: "gives back every handle when it closes", needs: ["counted-handles"], run: atPlace(givesBackHandles) },
  {
    name: "answers as plain maps do after any history, closed and opened again",
    run: atPlace((place) => history(place, 11, "closed"))
  },
  {
    name: "answers as plain maps do after any history with power cuts",
    needs: ["power-cut"],
    run: atPlace((place) => history(place, 12, "power cut"))
  }
]
