/** The store in files and the store in memory, built apart, answer alike after any appends, refusals, power cuts and reopenings. */
import { assert, describe, it } from "@effect/vitest"
import type { ChainStoreService, StoreIdentity } from "@peerstrap/chain-bootstrap"
import { MemoryChainStore } from "@peerstrap/chain-bootstrap"
import { makeSyntheticChain, type SyntheticBlock } from "@peerstrap/chain-bootstrap/testing"
import { MemoryFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import fc from "fast-check"
import { chainBlocks, observe, segmentOn, unitsOf } from "./StoreObservation.ts"
import { openInMemory } from "./StorePlaces.ts"

const chain = makeSyntheticChain({
  seed: 3,
  levels: 12,
  forks: [{ from: 4, length: 6 }, { from: 7, length: 4 }]
})
const identity: StoreIdentity = { protocol: "synthetic", chainId: "model", base: chain.base }
const blocks = chainBlocks(chain)
/** Three chains from the genesis on. */
const paths: ReadonlyArray<ReadonlyArray<SyntheticBlock>> = [
  chain.main,
  [...chain.main.slice(0, 5), ...chain.forks[0]!],
  [...chain.main.slice(0, 8), ...chain.forks[1]!]
]

type Append =
  | {
    readonly kind: "headers" | "units" | "segment" | "apply"
    readonly path: number
    readonly from: number
    readonly count: number
  }
  | { readonly kind: "rollback"; readonly path: number; readonly to: number }
  | { readonly kind: "continue"; readonly path: number; readonly count: number }
type Reopening = { readonly kind: "reopen" | "crash" }
type Command = Append | Reopening

const path = fc.nat({ max: 2 })
const level = fc.integer({ min: 0, max: 11 })
const count = fc.integer({ min: 0, max: 6 })
const ranged = fc.constantFrom("headers" as const, "units" as const, "segment" as const, "apply" as const)
const commands: fc.Arbitrary<ReadonlyArray<Command>> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: ranged, path, from: level, count }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("continue" as const), path, count }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("rollback" as const), path, to: level }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("reopen" as const, "crash" as const) }) }
  ),
  { minLength: 1, maxLength: 25 }
)

const idsOf = (some: ReadonlyArray<SyntheticBlock>): ReadonlyArray<string> => some.map(({ header }) => header.id)

const rangeOf = (command: { readonly path: number; readonly from: number; readonly count: number }) =>
  paths[command.path]!.slice(command.from, command.from + command.count)

/** Runs one command; `continue` applies on top of whatever the head is, when it is on the path. */
const run = (store: ChainStoreService, command: Append) => {
  if (command.kind === "rollback") {
    const block = paths[command.path]![Math.min(command.to, 10)]!
    return store.appendApplied({ kind: "rollback", to: { id: block.header.id, level: block.header.level } })
  }
  if (command.kind === "continue") {
    const from = store.head.level + 1
    const some = paths[command.path]!.slice(from, from + command.count)
    if (some[0]?.header.parent !== store.head.id) return Effect.void
    return store.appendApplied({ kind: "apply", firstLevel: from, ids: idsOf(some) })
  }
  const some = rangeOf(command)
  if (command.kind === "headers") return store.appendHeaders(some.map(({ header }) => header))
  if (command.kind === "units") return store.appendUnits(some.flatMap(unitsOf))
  const firstLevel = some[0]?.header.level ?? 1
  if (command.kind === "segment") {
    return store.appendSegment(segmentOn(some[0]?.header.parent ?? chain.base.id, firstLevel, idsOf(some)))
  }
  const fits = some[0] === undefined || some[0].header.parent === store.head.id || firstLevel !== store.head.level + 1
  return fits ? store.appendApplied({ kind: "apply", firstLevel, ids: idsOf(some) }) : Effect.void
}

const reasonOf = (effect: ReturnType<typeof run>) =>
  Effect.match(effect, { onFailure: ({ reason }): string => reason, onSuccess: () => "done" })

/** A store that can be closed, cut off and opened again. */
const reopening = Effect.fnUntraced(
  function*(open: Effect.Effect<ChainStoreService, unknown, Scope.Scope>, crash: () => void) {
    let scope = yield* Scope.make()
    let store = yield* Effect.orDie(Scope.provide(open, scope))
    return {
      get store() {
        return store
      },
      again: Effect.fnUntraced(function*(isCrash: boolean) {
        if (isCrash) crash()
        yield* Scope.close(scope, Exit.void)
        scope = yield* Scope.make()
        store = yield* Effect.orDie(Scope.provide(open, scope))
      }),
      close: Effect.suspend(() => Scope.close(scope, Exit.void))
    }
  }
)

const isReopening = (command: Command): command is Reopening => command.kind === "reopen" || command.kind === "crash"

const compare = Effect.fnUntraced(function*(list: ReadonlyArray<Command>) {
  const memory = MemoryFileSystem.make()
  const medium = MemoryChainStore.makeMedium()
  const files = yield* reopening(openInMemory(memory, { identity, fileBytes: 1500 }), () => memory.crash())
  const plain = yield* reopening(MemoryChainStore.open({ identity, medium }), () => undefined)
  for (const command of list) {
    if (isReopening(command)) {
      yield* files.again(command.kind === "crash")
      yield* plain.again(false)
    } else {
      assert.strictEqual(yield* reasonOf(run(files.store, command)), yield* reasonOf(run(plain.store, command)))
    }
    assert.deepStrictEqual(
      yield* observe(files.store, blocks),
      yield* observe(plain.store, blocks),
      JSON.stringify(command)
    )
  }
  yield* files.again(true)
  assert.deepStrictEqual(
    yield* observe(files.store, blocks),
    yield* observe(plain.store, blocks),
    "after the last reopening"
  )
  yield* Effect.andThen(files.close, plain.close)
})

describe("ChainStore", () => {
  it(
    "answers in files as in memory",
    () =>
      fc.assert(fc.asyncProperty(commands, (list) => Effect.runPromise(compare(list))), {
        seed: 20260101,
        numRuns: 200
      }),
    30_000
  )
})
