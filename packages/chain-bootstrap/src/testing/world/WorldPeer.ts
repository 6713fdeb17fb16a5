/** A peer of a world: what it believes, what it has, and what it answers. */
import type { BlockId, HeaderFacts } from "../../contract/Block.ts"
import type { Answer, BranchEntry, Request } from "../../contract/PeerMessage.ts"
import type { SyntheticBlock } from "../SyntheticChain.ts"
import { type ChainView, locatorOf } from "./ChainView.ts"
import { type LiarChains, randomId } from "./LiarChains.ts"
import type { WorldRandom } from "./WorldRandom.ts"
import type { PeerSpec } from "./WorldSpec.ts"

/** What a peer must know of the world around it. */
export interface Surroundings {
  readonly liars: LiarChains
  /** Any block of any chain. */
  find(id: BlockId): SyntheticBlock | undefined
  proof(block: SyntheticBlock): Uint8Array
  /** Lost blocks that honest peers have kept. */
  readonly side: ReadonlySet<BlockId>
  readonly points: ReadonlyArray<string>
}

/** A head without a history. */
const alone = ({ header }: SyntheticBlock): Extract<Answer, { kind: "branch" }> => ({
  kind: "branch",
  head: header,
  entries: [{ id: header.id, level: header.level, exact: true }]
})

export class WorldPeer {
  readonly spec: PeerSpec
  view: ChainView
  /** Level of its head. */
  top: number
  private readonly around: Surroundings
  private readonly random: WorldRandom

  constructor(spec: PeerSpec, view: ChainView, top: number, around: Surroundings, random: WorldRandom) {
    this.spec = spec
    this.view = view
    this.top = top
    this.around = around
    this.random = random
  }

  get honest(): boolean {
    return this.spec.fault === undefined
  }

  get lowest(): number {
    return Math.max(0, this.top - this.spec.keeps)
  }

  get head(): HeaderFacts {
    return this.view.at(this.top).header
  }

  answers(request: Request): ReadonlyArray<Answer> {
    const { fault } = this.spec
    if (fault === "silent") return []
    switch (request.kind) {
      case "get-branch":
        return [this.branch()]
      case "get-head":
        return [{ kind: "head", header: this.branch().head }]
      case "get-headers":
        return fault === "no-headers" ? [] : request.ids.flatMap((id) => this.header(id))
      case "get-ancestor":
        return this.ancestor(request.of, request.offset)
      case "get-units":
        return fault === "no-units" ? [] : request.items.flatMap(({ block, unit }) => this.unit(block, unit))
      case "get-peers":
        return [{ kind: "peers", points: this.around.points }]
      case "swap-request":
        return []
    }
  }

  branch(): Extract<Answer, { kind: "branch" }> {
    const { liars } = this.around
    const head = this.head
    const entries = locatorOf(this.view, this.top, { firstStep: this.spec.firstStep, lowest: this.lowest })
    switch (this.spec.fault) {
      case "fake-high-head":
        return alone(liars.highHead)
      case "future-head":
        return alone(liars.futureHead)
      case "bogus-steps":
        return {
          kind: "branch",
          head,
          entries: entries.map((entry, n) => n === 0 ? entry : { ...entry, level: (entry.level ?? 0) + 3 })
        }
      case "dead-hash":
        return {
          kind: "branch",
          head,
          entries: entries.map((entry, n) => n % 2 === 0 ? entry : { ...entry, id: randomId(this.random.fork(n)) })
        }
      case "equivocating":
        return { kind: "branch", head, entries: entries.map((entry, n) => n % 2 === 0 ? entry : this.other(entry)) }
      case "orphan": {
        const { id, level } = liars.orphan.header
        const above = entries.filter((entry) => (entry.level ?? 0) > this.top - 3)
        const last = entries.at(-1)
        return {
          kind: "branch",
          head,
          entries: [...above, { id, level, exact: true }, ...(last?.exact === false ? [last] : [])]
        }
      }
      default:
        return { kind: "branch", head, entries }
    }
  }

  /** The liars' block of the same level. */
  private other(entry: BranchEntry): BranchEntry {
    const { forking } = this.around.liars
    const { level } = entry
    return !entry.exact || level === undefined || level > forking.topLevel
      ? entry
      : { ...entry, id: forking.at(level).header.id }
  }

  private has(block: SyntheticBlock): boolean {
    const { id, level } = block.header
    if (this.spec.fault !== undefined) return true
    if (this.around.side.has(id)) return true
    return level <= this.top && level >= this.lowest && this.view.holds(id, level)
  }

  private header(id: BlockId): ReadonlyArray<Answer> {
    const block = this.around.find(id)
    if (block === undefined || !this.has(block)) return []
    if (this.spec.fault === "own-targets-only" && !this.branch().entries.some((entry) => entry.id === id)) return []
    return [{ kind: "header", header: block.header }]
  }

  private ancestor(of: BlockId, offset: number): ReadonlyArray<Answer> {
    const block = this.around.find(of)
    if (!this.spec.ancestors || block === undefined) return []
    const level = block.header.level - offset
    const { fault } = this.spec
    const lies = fault === "forking" || fault === "flood" || fault === "deviating"
    if (level < this.lowest || level > this.top || (!lies && !this.view.holds(of, block.header.level))) return []
    return [{ kind: "ancestor", of, offset, header: this.view.at(level).header }]
  }

  private unit(id: BlockId, unit: number): ReadonlyArray<Answer> {
    const block = this.around.find(id)
    const body = block?.units[unit]
    if (block === undefined || body === undefined || !this.has(block)) return []
    const proof = this.around.proof(block)
    const wrong = this.spec.fault === "bad-proof"
    return [{ kind: "unit", block: id, unit, body: wrong ? Uint8Array.of(...body, 1) : body, proof }]
  }

  /** What an unsolicited sender sends. */
  unasked(): Answer {
    const block = this.view.at(this.random.int(0, this.top))
    const body = block.units[0]
    return this.random.chance(0.5) || body === undefined
      ? { kind: "header", header: block.header }
      : { kind: "unit", block: block.header.id, unit: 0, body, proof: this.around.proof(block) }
  }
}
