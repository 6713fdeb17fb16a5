/** Stores with one fault each, which the kit must reject; a kit that accepts one of them tests too little. */
import type { Mutant } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type { BodyUnit } from "../contract/Block.ts"
import type { ChainStoreService } from "../contract/ChainStore.ts"
import { ChainStorePlace, type ChainStorePlaceService, fileStorePlace, memoryStorePlace } from "./ChainStorePlace.ts"

type Change = (store: ChainStoreService) => Partial<ChainStoreService>
type StoreMutant = Mutant<ChainStorePlace>

const placeWith = (change: (place: ChainStorePlaceService) => ChainStorePlaceService): Layer.Layer<ChainStorePlace> =>
  Layer.effect(ChainStorePlace, Effect.map(ChainStorePlace, change)).pipe(Layer.provide(memoryStorePlace))

/** Spreading would read getters once; the prototype keeps them alive. */
const over = (store: ChainStoreService, changes: Partial<ChainStoreService>): ChainStoreService =>
  Object.defineProperties(Object.create(store), Object.getOwnPropertyDescriptors(changes))

const storeWith = (change: Change): Layer.Layer<ChainStorePlace> =>
  placeWith((place) => ({
    ...place,
    open: (identity) => Effect.map(place.open(identity), (store) => over(store, change(store)))
  }))

const mutant = (name: string, rejectedBy: string, because: RegExp | "hangs", change: Change): StoreMutant => ({
  name,
  rejectedBy,
  because,
  layer: storeWith(change)
})

/** Keeps units in memory and writes them with the next append of any other kind. */
const lateUnits: Change = (store) => {
  let waiting: ReadonlyArray<BodyUnit> = []
  const flush = Effect.suspend(() => {
    const units = waiting
    waiting = []
    return store.appendUnits(units)
  })
  return {
    appendUnits: (units) =>
      Effect.sync(() => {
        waiting = [...waiting, ...units]
      }),
    readUnits: (id) => Effect.andThen(flush, store.readUnits(id)),
    appendHeaders: (headers) => Effect.andThen(flush, store.appendHeaders(headers))
  }
}

const bodies: ReadonlyArray<StoreMutant> = [
  mutant(
    "reports units as durable before they are",
    "keeps units one by one, each under its own block and position, after a power cut",
    /masks: saw \[0,0,0,0\]/,
    lateUnits
  ),
  mutant(
    "reports headers as durable and never writes them",
    "keeps headers, gives them in the order asked for, once each, when opened again",
    /headers: saw \[undefined,undefined,undefined,undefined\]/,
    () => ({ appendHeaders: () => Effect.void })
  ),
  mutant(
    "takes a header that comes again for a new one",
    "counts a header that comes again as one",
    /loose: saw 9/,
    (store) => {
      let extra = 0
      return {
        appendHeaders: (headers) => {
          extra += headers.filter(({ id }) => store.hasHeader(id)).length
          return store.appendHeaders(headers)
        },
        get looseHeaders() {
          return store.looseHeaders + extra
        }
      }
    }
  ),
  mutant(
    "reads headers in the order of their levels",
    "keeps headers, gives them in the order asked for, once each, after a power cut",
    /headers: saw .*"level":1,.*"level":9,.*"level":22,.* expected/,
    (store) => ({
      readHeaders: (ids) =>
        Effect.map(store.readHeaders(ids), (headers) => headers.toSorted((a, b) => (a?.level ?? 0) - (b?.level ?? 0)))
    })
  ),
  mutant(
    "puts a unit under the block before it",
    "keeps units one by one, each under its own block and position, when opened again",
    /masks: saw/,
    (store) => ({
      appendUnits: (units) =>
        store.appendUnits(units.map((unit, i) => ({ ...unit, block: units[Math.max(0, i - 1)]!.block })))
    })
  ),
  mutant(
    "closes the gaps between units",
    "keeps units one by one, each under its own block and position, when opened again",
    /units: saw/,
    (store) => ({
      readUnits: (id) => Effect.map(store.readUnits(id), (units) => units.filter((unit) => unit !== undefined))
    })
  ),
  mutant(
    "says that all lower units are held as well",
    "keeps units one by one, each under its own block and position, when opened again",
    /masks: saw \[7/,
    (store) => ({
      unitsHeld: (id) => {
        const mask = store.unitsHeld(id)
        return mask === 0 ? 0 : 2 ** (32 - Math.clz32(mask)) - 1
      }
    })
  ),
  mutant(
    "cuts large bodies",
    "keeps the last unit position, an empty body, a large body, when opened again",
    /lengths: saw \[31,0,2097152,2097152\]/,
    (store) => ({
      appendUnits: (units) =>
        store.appendUnits(units.map((unit) => ({ ...unit, body: unit.body.subarray(0, 2 ** 21) })))
    })
  ),
  mutant(
    "hands out its own bytes",
    "owns what it was given, and gives away what it reads",
    /unit: saw 0xfefe/,
    (store) => {
      const cache = new Map<string, ReadonlyArray<Uint8Array | undefined>>()
      return {
        readUnits: (id) =>
          Effect.map(store.readUnits(id), (units) => {
            const kept = cache.get(id) ?? units
            cache.set(id, kept)
            return kept
          })
      }
    }
  ),
  mutant(
    "loses what is appended meanwhile",
    "keeps all that is appended at the same time, after a power cut",
    /headers: saw/,
    (store) => {
      let isBusy = false
      return {
        appendHeaders: (headers) =>
          Effect.suspend(() => {
            if (isBusy) return Effect.void
            isBusy = true
            return Effect.ensuring(
              Effect.andThen(Effect.yieldNow, store.appendHeaders(headers)),
              Effect.sync(() => (isBusy = false))
            )
          })
      }
    }
  ),
  mutant(
    "writes a document only once",
    "replaces documents as a whole, when opened again",
    /document: saw "a long first/,
    (store) => ({
      writeDocument: (name, text) =>
        Effect.flatMap(
          store.readDocument(name),
          (held) => held === undefined ? store.writeDocument(name, text) : Effect.void
        )
    })
  ),
  mutant(
    "takes any document name",
    "refuses documents with a strange name or a large text",
    /name to write: accepted, expected out-of-order/,
    (store) => ({
      writeDocument: (name, text) => store.writeDocument(name.replaceAll(/[^a-z]/g, ""), text),
      readDocument: (name) => store.readDocument(name.replaceAll(/[^a-z]/g, ""))
    })
  )
]

const chains: ReadonlyArray<StoreMutant> = [
  mutant(
    "forgets rollbacks",
    "undoes blocks by a rollback, and drops what builds on them, when opened again",
    /head: saw .*"level":12/,
    (store) => ({
      appendApplied: (step) => step.kind === "rollback" ? Effect.void : store.appendApplied(step)
    })
  ),
  mutant(
    "keeps pending blocks after a rollback",
    "undoes blocks by a rollback, and drops what builds on them, when opened again",
    /pending: saw/,
    (store) => {
      let kept: ChainStoreService["pending"] | undefined
      return {
        appendApplied: (step) => {
          if (step.kind === "rollback") kept = store.pending
          return store.appendApplied(step)
        },
        get pending() {
          return kept ?? store.pending
        }
      }
    }
  ),
  mutant(
    "finds undone blocks",
    "is empty after a rollback to the base, and grows again",
    /undone: saw \[undefined,3\]/,
    (store) => {
      const ever = new Map<string, number>()
      return {
        appendApplied: (step) => {
          if (step.kind === "apply") step.ids.forEach((id, i) => ever.set(id, step.firstLevel + i))
          return store.appendApplied(step)
        },
        appliedLevel: (id) => store.appliedLevel(id) ?? ever.get(id)
      }
    }
  ),
  mutant(
    "takes any applied step",
    "refuses what is too large or does not fit, and keeps no trace of it",
    /gap: accepted, expected out-of-order/,
    (store) => ({ appendApplied: (step) => Effect.ignore(store.appendApplied(step)) })
  ),
  mutant(
    "shows every chosen block above the head as pending, linked or not",
    "takes no segment for pending that does not build on the head",
    /gap: saw .*"firstLevel":3/,
    (store) => {
      let last: ChainStoreService["pending"] = store.pending
      return {
        appendSegment: (segment) => {
          last = segment
          return store.appendSegment(segment)
        },
        get pending() {
          return store.pending.ids.length > 0 ? store.pending : { firstLevel: last.firstLevel, ids: last.ids }
        }
      }
    }
  ),
  mutant(
    "adds a lower segment behind the pending ones",
    "extends what is pending, and replaces it from a lower segment on, when opened again",
    /replaced: saw/,
    (store) => {
      let ids: ReadonlyArray<string> | undefined
      return {
        appendSegment: (segment) => {
          ids = [...store.pending.ids, ...segment.ids]
          return store.appendSegment(segment)
        },
        appendApplied: (step) => {
          ids = undefined
          return store.appendApplied(step)
        },
        get pending() {
          return ids === undefined ? store.pending : { firstLevel: store.pending.firstLevel, ids }
        }
      }
    }
  ),
  mutant(
    "drops a branch with the rollback that it was chosen for",
    "has a branch pending that was chosen before the rollback, and applies it, when opened again",
    /pending: saw .*"ids":\[\]/,
    (store) => {
      let dropped = false
      return {
        appendApplied: (step) => {
          dropped = step.kind === "rollback"
          return store.appendApplied(step)
        },
        get pending() {
          return dropped ? { firstLevel: store.head.level + 1, ids: [] } : store.pending
        }
      }
    }
  ),
  mutant(
    "counts chosen headers as loose",
    "counts headers of no chosen segment as loose, when opened again",
    /above: saw 12, expected 4/,
    (store) => {
      const ever = new Set<string>()
      return {
        appendHeaders: (headers) => {
          for (const { id } of headers) ever.add(id)
          return store.appendHeaders(headers)
        },
        get looseHeaders() {
          return Math.max(store.looseHeaders, ever.size)
        }
      }
    }
  ),
  mutant(
    "forgets evidence that was replaced",
    "keeps evidence for good, and finds it by level, when opened again",
    /evidence of 8 to 9: saw/,
    (store) => ({ evidence: (from, to) => Effect.map(store.evidence(from, to), (all) => all.slice(-1)) })
  ),
  mutant(
    "finds evidence by its first level only",
    "keeps evidence for good, and finds it by level, when opened again",
    /evidence of 3 to 8: saw \[\]/,
    (store) => ({
      evidence: (from, to) =>
        Effect.map(
          store.evidence(from, to),
          (all) => all.filter(({ firstLevel }) => firstLevel >= from && firstLevel <= to)
        )
    })
  ),
  mutant(
    "applies block by block, so that an interruption leaves half a batch",
    "keeps an append that is interrupted at any step as a whole or not at all",
    /not so: the head of level \d+ after an interruption at step \d+ ends a batch/,
    (store) => ({
      appendApplied: (step) =>
        step.kind === "rollback" ? store.appendApplied(step) : Effect.forEach(
          step.ids,
          (id, i) =>
            Effect.andThen(
              store.appendApplied({ kind: "apply", ids: [id], firstLevel: step.firstLevel + i }),
              Effect.yieldNow
            ),
          { discard: true }
        )
    })
  ),
  mutant(
    "never appends again after an interruption",
    "keeps an append that is interrupted at any step as a whole or not at all",
    "hangs",
    (store) => {
      let isBusy = false
      return {
        appendApplied: (step) =>
          Effect.suspend(() => {
            if (isBusy) return Effect.never
            isBusy = true
            const append = Effect.andThen(Effect.yieldNow, store.appendApplied(step))
            return Effect.onExit(append, (exit) => Effect.sync(() => (isBusy = !Exit.isSuccess(exit))))
          })
      }
    }
  ),
  mutant(
    "loses a rollback of more than three blocks",
    "answers as plain maps do after any history, closed and opened again",
    /seed 11, step \d+, rollback to \d+: \w+ differs/,
    (store) => ({
      appendApplied: (step) =>
        step.kind === "rollback" && step.to.level < store.head.level - 3 && store.appliedLevel(step.to.id) !== undefined
          ? Effect.void
          : store.appendApplied(step)
    })
  )
]

const places: ReadonlyArray<StoreMutant> = [
  {
    name: "opens another chain's store",
    rejectedBy: "goes on with its own chain and refuses another's",
    because: /other: accepted, expected other-chain/,
    layer: placeWith((place) => ({
      ...place,
      open: (identity) => place.open({ ...identity, chainId: "any", protocol: "any" })
    }))
  },
  {
    name: "lets two have it open",
    rejectedBy: "is open once at a time",
    because: /second opening: accepted, expected in-use/,
    layer: placeWith((place) => ({
      ...place,
      open: (identity) => Effect.andThen(place.powerCut ?? Effect.void, place.open(identity))
    }))
  },
  {
    name: "starts anew each time",
    rejectedBy: "finds applied blocks by level and id, and no longer among the pending ones, when opened again",
    because: /head: saw .*"level":0/,
    layer: placeWith((place) => ({
      ...place,
      open: (identity) =>
        Effect.flatMap(
          Effect.provide(ChainStorePlace, memoryStorePlace, { local: true }),
          (fresh) => fresh.open(identity)
        )
    }))
  },
  {
    name: "starts anew after a power cut",
    rejectedBy: "answers as plain maps do after any history with power cuts",
    because: /seed 12, step \d+, opened again: \w+ differs/,
    layer: placeWith((place) => {
      let now = place
      return {
        ...place,
        open: (identity) => Effect.suspend(() => now.open(identity)),
        powerCut: Effect.gen(function*() {
          now = yield* Effect.provide(ChainStorePlace, memoryStorePlace, { local: true })
        })
      }
    })
  },
  {
    name: "forgets fsync",
    rejectedBy: "keeps all that is appended at the same time, after a power cut",
    because: /headers: saw \[undefined/,
    layer: fileStorePlace((fileSystem) => ({
      ...fileSystem,
      create: (path, options) =>
        Effect.map(fileSystem.create(path, options), (file) => ({ ...file, sync: Effect.void }))
    }))
  },
  {
    name: "leaves its lock when its opening is interrupted",
    rejectedBy: "leaves its place free when its opening is interrupted at any step",
    because: /has this medium open/,
    layer: placeWith((place) => ({
      ...place,
      open: (identity) =>
        Effect.gen(function*() {
          const scope = yield* Scope.make()
          const store = yield* Scope.provide(place.open(identity), scope)
          yield* Effect.yieldNow
          yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
          return store
        })
    }))
  },
  {
    name: "leaks a handle",
    rejectedBy: "gives back every handle when it closes",
    because: /handles after closing: saw [1-9]/,
    layer: fileStorePlace((fileSystem) => ({
      ...fileSystem,
      openRead: (path) => Effect.map(fileSystem.openRead(path), (file) => ({ ...file, close: Effect.void }))
    }))
  }
]

/** All stores with a fault, each with the check that must reject it. */
export const chainStoreMutants: ReadonlyArray<StoreMutant> = [...bodies, ...chains, ...places]
