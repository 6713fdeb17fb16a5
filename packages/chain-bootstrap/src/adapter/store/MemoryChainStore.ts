/**
 * A chain store in memory, for simulations and dry runs: plain maps and arrays. A `MemoryMedium` is what would be the disk: a store that is opened on it
 * again replays what had been reported as durable.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { BlockId, BlockRef, BodyUnit, HeaderFacts } from "../../contract/Block.ts"
import {
  type AppliedStep,
  type ChainStoreService,
  type ChosenSegment,
  StoreError,
  type StoreIdentity
} from "../../contract/ChainStore.ts"
import {
  identityDifference,
  type Refusal,
  refuseDocument,
  refuseHeaders,
  refuseSegment,
  refuseStep,
  refuseUnits
} from "../../engine/store/StoreInput.ts"

type Entry =
  | { readonly kind: "headers"; readonly headers: ReadonlyArray<HeaderFacts> }
  | { readonly kind: "units"; readonly units: ReadonlyArray<BodyUnit> }
  | { readonly kind: "segment"; readonly segment: ChosenSegment }
  | { readonly kind: "applied"; readonly step: AppliedStep }

/** What outlives a store in memory. Opaque; one store at a time. */
export interface MemoryMedium {
  identity: StoreIdentity | undefined
  open: boolean
  readonly entries: Array<Entry>
  readonly documents: Map<string, string>
}

/** Makes an empty medium. */
export const makeMedium = (): MemoryMedium => ({
  identity: undefined,
  open: false,
  entries: [],
  documents: new Map()
})

/** Whose chain is kept, on which medium, and what a simulated disk does. */
export interface MemoryStoreOptions {
  readonly identity: StoreIdentity
  /** Default: a medium of its own. */
  readonly medium?: MemoryMedium
  /** Runs before an append becomes durable and visible, with its bytes: a simulated disk waits or fails here. */
  readonly beforeDurable?: (bytes: number) => Effect.Effect<void, StoreError>
}

/** A linked run of chosen blocks; `parent` is what the first one builds on. */
interface ChosenRun {
  readonly parent: BlockId
  readonly first: number
  readonly ids: ReadonlyArray<BlockId>
}

class MemoryChain {
  readonly base: BlockRef
  readonly headers = new Map<BlockId, HeaderFacts>()
  readonly units = new Map<BlockId, Array<Uint8Array | undefined>>()
  readonly segments: Array<ChosenSegment> = []
  readonly everChosen = new Set<BlockId>()
  readonly levels = new Map<BlockId, number>()
  applied: Array<BlockId>
  run: ChosenRun = { parent: "", first: 0, ids: [] }

  constructor(base: BlockRef) {
    this.base = base
    this.applied = [base.id]
    this.levels.set(base.id, base.level)
  }

  get head(): BlockRef {
    return { id: this.applied[this.applied.length - 1]!, level: this.base.level + this.applied.length - 1 }
  }

  appliedAt(level: number): BlockId | undefined {
    return this.applied[level - this.base.level]
  }

  /** Chosen id at a level; the parent of the run counts as one level below it. */
  chosenAt(level: number): BlockId | undefined {
    return level === this.run.first - 1 ? this.run.parent : this.run.ids[level - this.run.first]
  }

  get pending(): { readonly firstLevel: number; readonly ids: ReadonlyArray<BlockId> } {
    const { id, level } = this.head
    const builds = this.run.ids.length > 0 && this.chosenAt(level) === id
    return { firstLevel: level + 1, ids: builds ? this.run.ids.slice(level + 1 - this.run.first) : [] }
  }

  add(entry: Entry): void {
    if (entry.kind === "headers") {
      for (const header of entry.headers) if (!this.headers.has(header.id)) this.headers.set(header.id, header)
    } else if (entry.kind === "units") {
      for (const { block, body, unit } of entry.units) {
        const held = this.units.get(block) ?? []
        held[unit] ??= body
        this.units.set(block, held)
      }
    } else if (entry.kind === "segment") this.choose(entry.segment)
    else this.step(entry.step)
  }

  private choose(segment: ChosenSegment): void {
    const { evidence, firstLevel, ids } = segment
    if (ids.length === 0) return
    this.segments.push(segment)
    for (const id of ids) this.everChosen.add(id)
    const extends_ = firstLevel > this.run.first && this.chosenAt(firstLevel - 1) === evidence.baseId
    this.run = extends_
      ? { ...this.run, ids: [...this.run.ids.slice(0, firstLevel - this.run.first), ...ids] }
      : { parent: evidence.baseId, first: firstLevel, ids }
  }

  private step(step: AppliedStep): void {
    if (step.kind === "apply") {
      for (const id of step.ids) {
        this.applied.push(id)
        this.levels.set(id, this.head.level)
      }
      return
    }
    const above = step.to.level + 1
    const undone = this.appliedAt(above)
    for (const id of this.applied.splice(above - this.base.level)) this.levels.delete(id)
    if (this.run.first > above) this.run = { ...this.run, ids: [] }
    else if (undone !== undefined && this.chosenAt(above) === undone) {
      this.run = { ...this.run, ids: this.run.ids.slice(0, above - this.run.first) }
    }
  }
}

const path = "memory"
const refused = (refusal: Refusal): StoreError =>
  new StoreError({ reason: refusal.reason, path, message: refusal.message })

const ownedHeader = (header: HeaderFacts): HeaderFacts => ({ ...header, bytes: header.bytes.slice() })

const entryBytes = (entry: Entry): number => {
  if (entry.kind === "headers") return entry.headers.reduce((sum, { bytes }) => sum + bytes.length, 0)
  if (entry.kind === "units") return entry.units.reduce((sum, { body }) => sum + body.length, 0)
  if (entry.kind === "segment") return entry.segment.ids.length * 32
  return entry.step.kind === "apply" ? entry.step.ids.length * 32 : 32
}

const overlaps = (segment: ChosenSegment, from: number, to: number): boolean =>
  segment.firstLevel <= to && segment.firstLevel + segment.ids.length - 1 >= from

const serviceOf = (medium: MemoryMedium, options: MemoryStoreOptions): ChainStoreService => {
  const { identity } = options
  const chain = new MemoryChain(identity.base)
  for (const entry of medium.entries) chain.add(entry)
  const beforeDurable = options.beforeDurable ?? (() => Effect.void)
  const inOrder = Semaphore.makeUnsafe(1).withPermits(1)
  const append = (refusal: () => Refusal | undefined, entry: () => Entry): Effect.Effect<void, StoreError> =>
    inOrder(Effect.suspend(() => {
      const why = refusal()
      if (why !== undefined) return Effect.fail(refused(why))
      const made = entry()
      return Effect.map(beforeDurable(entryBytes(made)), () => {
        medium.entries.push(made)
        chain.add(made)
      })
    }))
  return {
    identity,
    get head() {
      return chain.head
    },
    get pending() {
      return chain.pending
    },
    get looseHeaders() {
      let loose = 0
      for (const id of chain.headers.keys()) if (!chain.everChosen.has(id)) loose++
      return loose
    },
    appendHeaders: (headers) =>
      append(() => refuseHeaders(headers), () => ({ kind: "headers", headers: headers.map(ownedHeader) })),
    hasHeader: (id) => chain.headers.has(id),
    readHeaders: (ids) => Effect.sync(() => ids.map((id) => chain.headers.get(id))),
    appendUnits: (units) =>
      append(() => refuseUnits(units), () => ({
        kind: "units",
        units: units.map((unit) => ({ ...unit, body: unit.body.slice() }))
      })),
    unitsHeld: (id) =>
      (chain.units.get(id) ?? []).reduce(
        (mask: number, body, unit) => body === undefined ? mask : mask | (1 << unit),
        0
      ),
    readUnits: (id) => Effect.sync(() => Array.from(chain.units.get(id) ?? [], (body) => body?.slice())),
    appendSegment: (segment) =>
      append(() => refuseSegment(segment, identity.base), () => ({ kind: "segment", segment })),
    appendApplied: (step) =>
      append(
        () => refuseStep(step, identity, chain.head, (level) => chain.appliedAt(level)),
        () => ({ kind: "applied", step })
      ),
    appliedAt: (level) => chain.appliedAt(level),
    appliedLevel: (id) => chain.levels.get(id),
    evidence: (from, to) =>
      Effect.sync(() =>
        chain.segments.filter((one) => overlaps(one, from, to)).toSorted((a, b) => a.firstLevel - b.firstLevel)
      ),
    writeDocument: (name, text) =>
      Effect.suspend(() => {
        const why = refuseDocument(name, Buffer.byteLength(text))
        if (why !== undefined) return Effect.fail(refused(why))
        return Effect.map(beforeDurable(text.length), () => void medium.documents.set(name, text))
      }),
    readDocument: (name) =>
      Effect.suspend(() => {
        const why = refuseDocument(name, 0)
        return why === undefined ? Effect.succeed(medium.documents.get(name)) : Effect.fail(refused(why))
      })
  }
}

/** Opens a store on its medium; another open store there is `in-use`, another chain's is `other-chain`. Ends with the scope. */
export const open = (options: MemoryStoreOptions): Effect.Effect<ChainStoreService, StoreError, Scope.Scope> => {
  const medium = options.medium ?? makeMedium()
  const acquire = Effect.suspend(() => {
    if (medium.open) {
      return Effect.fail(new StoreError({ reason: "in-use", path, message: "another store has this medium open" }))
    }
    medium.identity ??= options.identity
    const difference = identityDifference(medium.identity, options.identity)
    if (difference !== undefined) {
      return Effect.fail(new StoreError({ reason: "other-chain", path, message: difference }))
    }
    medium.open = true
    return Effect.succeed(serviceOf(medium, options))
  })
  return Effect.acquireRelease(acquire, () =>
    Effect.sync(() => {
      medium.open = false
    }))
}
