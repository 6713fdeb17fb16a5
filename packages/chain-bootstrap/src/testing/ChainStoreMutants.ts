/** Stores with one fault each, which `chainStoreSuite` must reject; a suite that accepts one of them tests too little. */
import * as Effect from "effect/Effect"
import type { BodyUnit } from "../contract/Block.ts"
import type { ChainStoreService } from "../contract/ChainStore.ts"
import type { ChainStoreSubject, StorePlace } from "./ChainStoreSuite.ts"

export interface ChainStoreMutant {
  readonly name: string
  readonly mutate: (subject: ChainStoreSubject) => ChainStoreSubject
}

const withPlace = (change: (place: StorePlace) => StorePlace) => (subject: ChainStoreSubject): ChainStoreSubject => ({
  ...subject,
  place: Effect.map(subject.place, change)
})

/** Spreading would read getters once; the prototype keeps them alive. */
const over = (store: ChainStoreService, changes: Partial<ChainStoreService>): ChainStoreService =>
  Object.defineProperties(Object.create(store), Object.getOwnPropertyDescriptors(changes))

const withStore = (change: (store: ChainStoreService) => Partial<ChainStoreService>) =>
  withPlace((place) => ({
    ...place,
    open: (identity) => Effect.map(place.open(identity), (store) => over(store, change(store)))
  }))

/** Keeps units in memory and writes them with the next append of any other kind. */
const lateUnits = (store: ChainStoreService): Partial<ChainStoreService> => {
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

export const chainStoreMutants: ReadonlyArray<ChainStoreMutant> = [
  { name: "reports units as durable before they are", mutate: withStore(lateUnits) },
  {
    name: "reports headers as durable and never writes them",
    mutate: withStore(() => ({ appendHeaders: () => Effect.void }))
  },
  {
    name: "writes duplicate headers as new loose ones",
    mutate: withStore((store) => {
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
    })
  },
  {
    name: "reads headers in the order of the log",
    mutate: withStore((store) => ({
      readHeaders: (ids) =>
        Effect.map(store.readHeaders(ids), (headers) => headers.toSorted((a, b) => (a?.level ?? 0) - (b?.level ?? 0)))
    }))
  },
  {
    name: "puts a unit under the block before it",
    mutate: withStore((store) => ({
      appendUnits: (units) =>
        store.appendUnits(units.map((unit, i) => ({ ...unit, block: units[Math.max(0, i - 1)]!.block })))
    }))
  },
  {
    name: "closes the gaps between units",
    mutate: withStore((store) => ({
      readUnits: (id) => Effect.map(store.readUnits(id), (units) => units.filter((unit) => unit !== undefined))
    }))
  },
  {
    name: "says that all lower units are held as well",
    mutate: withStore((store) => ({
      unitsHeld: (id) => {
        const mask = store.unitsHeld(id)
        return mask === 0 ? 0 : 2 ** (32 - Math.clz32(mask)) - 1
      }
    }))
  },
  {
    name: "hands out its own bytes",
    mutate: withStore((store) => {
      const cache = new Map<string, ReadonlyArray<Uint8Array | undefined>>()
      return {
        readUnits: (id) =>
          Effect.map(store.readUnits(id), (units) => {
            const kept = cache.get(id) ?? units
            cache.set(id, kept)
            return kept
          })
      }
    })
  },
  {
    name: "forgets rollbacks",
    mutate: withStore((store) => ({
      appendApplied: (step) => step.kind === "rollback" ? Effect.void : store.appendApplied(step)
    }))
  },
  {
    name: "keeps pending blocks after a rollback",
    mutate: withStore((store) => {
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
    })
  },
  {
    name: "finds undone blocks",
    mutate: withStore((store) => {
      const ever = new Map<string, number>()
      return {
        appendApplied: (step) => {
          if (step.kind === "apply") step.ids.forEach((id, i) => ever.set(id, step.firstLevel + i))
          return store.appendApplied(step)
        },
        appliedLevel: (id) => store.appliedLevel(id) ?? ever.get(id)
      }
    })
  },
  {
    name: "takes any applied step",
    mutate: withStore((store) => ({
      appendApplied: (step) => Effect.ignore(store.appendApplied(step))
    }))
  },
  {
    name: "shows every chosen block above the head as pending, linked or not",
    mutate: withStore((store) => {
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
    })
  },
  {
    name: "adds a lower segment behind the pending ones",
    mutate: withStore((store) => {
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
    })
  },
  {
    name: "forgets evidence that was replaced",
    mutate: withStore((store) => ({
      evidence: (from, to) => Effect.map(store.evidence(from, to), (all) => all.slice(-1))
    }))
  },
  {
    name: "finds evidence by its first level only",
    mutate: withStore((store) => ({
      evidence: (from, to) =>
        Effect.map(
          store.evidence(from, to),
          (all) => all.filter(({ firstLevel }) => firstLevel >= from && firstLevel <= to)
        )
    }))
  },
  {
    name: "writes a document only once",
    mutate: withStore((store) => ({
      writeDocument: (name, text) =>
        Effect.flatMap(
          store.readDocument(name),
          (held) => held === undefined ? store.writeDocument(name, text) : Effect.void
        )
    }))
  },
  {
    name: "takes any document name",
    mutate: withStore((store) => ({
      writeDocument: (name, text) => store.writeDocument(name.replaceAll(/[^a-z]/g, ""), text),
      readDocument: (name) => store.readDocument(name.replaceAll(/[^a-z]/g, ""))
    }))
  },
  {
    name: "opens another chain's store",
    mutate: withPlace((place) => ({
      ...place,
      open: (identity) => place.open({ ...identity, chainId: "any", protocol: "any" })
    }))
  },
  {
    name: "starts anew each time",
    mutate: (subject) => ({
      ...subject,
      place: Effect.map(subject.place, (place) => ({
        ...place,
        open: (identity) => Effect.flatMap(subject.place, (fresh) => fresh.open(identity))
      }))
    })
  }
]
