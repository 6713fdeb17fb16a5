/**
 * A deterministic toy state machine: the state of a block is a checksum over the state of its parent, its header and its units. Keeps its own chain, one or
 * many branches, and judges blocks as it is told. For tests and simulations.
 */
import * as Effect from "effect/Effect"
import { crc32 } from "node:zlib"
import type { Block, BlockId, BlockRef } from "../contract/Block.ts"
import { ApplierFailed, type ApplyResult, type BlockApplierService } from "../contract/BlockApplier.ts"
import type { Verdict } from "./CallbackApplier.ts"

/** Where the toy state begins, and how it judges. */
export interface SimulatorOptions {
  readonly base: BlockRef
  /** Default `many`. */
  readonly branches?: "one" | "many"
  /** Judges a block each time that it is tried. Default: `ok`. */
  readonly judge?: (block: Block) => Verdict
  /** Taken for each block. Default 0. */
  readonly costMillis?: number
  /** How time passes. Default: Effect's clock. */
  readonly sleep?: (millis: number) => Effect.Effect<void>
  /** Side branches kept at a time; a further one is `transient`. Default: no bound. */
  readonly maxBranches?: number
}

/** The toy applier with its state open to tests. */
export interface Simulator extends BlockApplierService {
  /** State after a block, or undefined when it is not applied. */
  stateOf(id: BlockId): number | undefined
  /** Everything applied, in the order of application; the base is not among them. */
  readonly applied: ReadonlyArray<BlockId>
  readonly current: BlockRef
  /** Blocks tried, the refused ones included. */
  readonly tries: number
}

/** The state that follows from a parent's state and a block. */
export const simulatedState = (parent: number, { header, units }: Block): number =>
  units.reduce((state, unit) => crc32(unit, state), crc32(header.bytes, parent))

interface Node {
  readonly parent: BlockId | undefined
  readonly level: number
  readonly state: number
}

class SimulatedChain {
  readonly nodes = new Map<BlockId, Node>()
  head: BlockRef
  tries = 0
  private readonly options: SimulatorOptions

  constructor(options: SimulatorOptions) {
    this.options = options
    this.head = options.base
    this.nodes.set(options.base.id, { parent: undefined, level: options.base.level, state: 0 })
  }

  /** Tries one block. */
  take(block: Block): Verdict {
    this.tries++
    const { id, level, parent } = block.header
    if (this.nodes.has(id)) return "ok"
    const below = this.nodes.get(parent)
    if (below === undefined || below.level + 1 !== level) return { retry: `${parent} is not applied` }
    const extends_ = parent === this.head.id
    if (!extends_ && this.options.branches === "one") return { retry: `${parent} is not the head` }
    const isNewBranch = !extends_ && !this.tips().includes(parent)
    if (isNewBranch && this.tips().length >= (this.options.maxBranches ?? Number.POSITIVE_INFINITY) + 1) {
      return { retry: `${this.options.maxBranches} side branches are kept already` }
    }
    const verdict = this.options.judge?.(block) ?? "ok"
    if (verdict !== "ok") return verdict
    this.nodes.set(id, { parent, level, state: simulatedState(below.state, block) })
    if (extends_) this.head = { id, level }
    return "ok"
  }

  /** Whether a block is the head or below it on its chain. */
  isBelowHead(id: BlockId): boolean {
    for (let at: BlockId | undefined = this.head.id; at !== undefined; at = this.nodes.get(at)?.parent) {
      if (at === id) return true
    }
    return false
  }

  /** Removes a block with all that builds on it; the head falls back to what is left of its chain. */
  remove(id: BlockId): void {
    const gone = new Set([id])
    for (const [one, { parent }] of this.nodes) if (parent !== undefined && gone.has(parent)) gone.add(one)
    const parent = this.nodes.get(id)?.parent
    if (gone.has(this.head.id) && parent !== undefined) {
      this.head = { id: parent, level: this.nodes.get(parent)!.level }
    }
    for (const one of gone) this.nodes.delete(one)
  }

  /** Undoes the head's chain above a block; side branches that build on undone blocks go with it. */
  rollback(to: BlockRef): void {
    for (const [id, { parent }] of this.nodes) {
      if (parent !== to.id || !this.isBelowHead(id)) continue
      this.remove(id)
      break
    }
    this.head = to
  }

  private tips(): ReadonlyArray<BlockId> {
    const parents = new Set([...this.nodes.values()].map(({ parent }) => parent))
    return [...this.nodes.keys()].filter((id) => !parents.has(id))
  }
}

const known = (to: BlockRef, what: string, isFit: boolean): Effect.Effect<void, ApplierFailed> =>
  isFit
    ? Effect.void
    : Effect.fail(
      new ApplierFailed({ applier: "simulator", message: `${what} ${to.id} at level ${to.level}: not applied` })
    )

/** An applier that simulates; its extra members let a test look at it. */
export const simulator = (options: SimulatorOptions): Simulator => {
  const chain = new SimulatedChain(options)
  const branches = options.branches ?? "many"
  const sleep = options.sleep ?? ((millis: number) => Effect.sleep(millis))
  const cost = options.costMillis ?? 0
  return {
    name: "simulator",
    needsBodies: true,
    branches,
    get head() {
      return Effect.sync(() => chain.head)
    },
    apply: (blocks) =>
      Effect.andThen(
        cost === 0 ? Effect.void : sleep(cost * blocks.length),
        Effect.sync((): ApplyResult => {
          let applied = 0
          for (const block of blocks) {
            const verdict = chain.take(block)
            if (verdict !== "ok") {
              return "invalid" in verdict
                ? { applied, outcome: "invalid", reason: verdict.invalid }
                : { applied, outcome: "transient", reason: verdict.retry }
            }
            applied++
          }
          return { applied, outcome: "ok", reason: "" }
        })
      ),
    rollback: (to) =>
      Effect.andThen(
        Effect.suspend(() => known(to, "rollback to", chain.isBelowHead(to.id))),
        Effect.sync(() => chain.rollback(to))
      ),
    moveHead: (to) =>
      Effect.andThen(
        Effect.suspend(() => known(to, "move of the head to", chain.nodes.has(to.id))),
        Effect.sync(() => {
          chain.head = to
        })
      ),
    forget: (id) => Effect.sync(() => chain.isBelowHead(id) ? undefined : chain.remove(id)),
    stateOf: (id) => chain.nodes.get(id)?.state,
    get applied() {
      return [...chain.nodes.keys()].slice(1)
    },
    get current() {
      return chain.head
    },
    get tries() {
      return chain.tries
    }
  }
}
