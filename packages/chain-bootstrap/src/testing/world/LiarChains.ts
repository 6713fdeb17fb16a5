/** The false chains of a world, made once: what liars follow, name and serve. */
import type { BlockId, HeaderFacts } from "../../contract/Block.ts"
import { forgeBlock, type SyntheticBlock, type SyntheticChain } from "../SyntheticChain.ts"
import { ChainView } from "./ChainView.ts"
import type { WorldRandom } from "./WorldRandom.ts"
import type { WorldSpec } from "./WorldSpec.ts"

const weightOf = (header: HeaderFacts): number =>
  new DataView(header.weight.buffer, header.weight.byteOffset).getUint32(0)

export const randomId = (random: WorldRandom): BlockId =>
  Array.from({ length: 64 }, () => random.int(0, 15).toString(16)).join("")

export class LiarChains {
  readonly forking: ChainView
  readonly deviating: ChainView
  readonly flood: ChainView
  readonly badHeader: ChainView
  readonly highHead: SyntheticBlock
  readonly futureHead: SyntheticBlock
  /** A lost block of a settled level; honest peers have it stored, too. */
  readonly orphan: SyntheticBlock
  /** Blocks that are not in the tree of the synthetic chain. */
  readonly forged = new Map<BlockId, SyntheticBlock>()

  constructor(chain: SyntheticChain, spec: WorldSpec, random: WorldRandom) {
    const top = spec.levels
    const fork = (from: number, name: string, weight: number): ChainView => {
      const at = Math.max(0, Math.min(top - 1, from))
      return new ChainView(chain, at, chain.grow(chain.at(at).header.id, top - at + 3, name, weight))
    }
    const has = (fault: string): boolean => spec.peers.some((peer) => peer.fault === fault)
    const honest = new ChainView(chain)
    this.forking = has("forking") || has("equivocating")
      ? fork(top - spec.forkDepth, "liars", spec.forkWeight)
      : honest
    const below = spec.baseLevel > 2 ? spec.baseLevel - 2 : spec.baseLevel + Math.floor((top - spec.baseLevel) / 4)
    this.deviating = has("deviating") ? fork(below, "deviating", 1) : honest
    this.flood = has("flood") ? fork(spec.baseLevel, "flood", 1) : honest
    this.badHeader = has("bad-header") ? this.breakRule(chain, top, random) : honest
    const head = chain.head.header
    this.highHead = this.forge({ ...head, level: 1_000_000 }, 1_000_000, head.timeSeconds, "high")
    this.futureHead = this.forge(head, weightOf(head) + 1, head.timeSeconds + 3_600 * 24 * 365, "future")
    const orphanLevel = random.int(spec.baseLevel + 1, Math.max(spec.baseLevel + 1, top - 12))
    this.orphan = chain.grow(chain.at(orphanLevel - 1).header.id, 1, "orphan", 0)[0]!
  }

  private forge(parent: HeaderFacts, weight: number, timeSeconds: number, salt: string): SyntheticBlock {
    const block = forgeBlock({ parent: parent.id, level: parent.level + 1, timeSeconds, weight, salt }, [
      new Uint8Array(3)
    ])
    this.forged.set(block.header.id, block)
    return block
  }

  /** A branch whose third block is not later, or not heavier, than its parent. */
  private breakRule(chain: SyntheticChain, top: number, random: WorldRandom): ChainView {
    const from = Math.max(0, top - random.int(8, 20))
    const side: Array<SyntheticBlock> = []
    const kind = random.int(0, 1)
    for (let n = 0; n < 8 && from + n < top; n++) {
      const parent = (side.at(-1) ?? chain.at(from)).header
      const weight = weightOf(parent) + (n === 2 && kind === 0 ? 0 : 1)
      const timeSeconds = parent.timeSeconds + (n === 2 && kind === 1 ? 0 : 6)
      side.push(this.forge(parent, weight, timeSeconds, "bad"))
    }
    return new ChainView(chain, from, side)
  }
}
