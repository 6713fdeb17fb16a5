/** A chain as one peer sees it: the main chain up to a level, then a branch of its own; and the locator it makes of that. */
import type { BlockId } from "../../contract/Block.ts"
import type { BranchEntry } from "../../contract/PeerMessage.ts"
import type { SyntheticBlock, SyntheticChain } from "../SyntheticChain.ts"

export class ChainView {
  readonly chain: SyntheticChain
  /** Last level shared with the main chain. */
  readonly forkLevel: number
  /** Blocks above it, lowest first; may grow. */
  readonly side: Array<SyntheticBlock>

  constructor(chain: SyntheticChain, forkLevel = Infinity, side: ReadonlyArray<SyntheticBlock> = []) {
    this.chain = chain
    this.forkLevel = forkLevel
    this.side = [...side]
  }

  get topLevel(): number {
    return this.forkLevel === Infinity ? this.chain.main.length - 1 : this.forkLevel + this.side.length
  }

  at(level: number): SyntheticBlock {
    if (level <= this.forkLevel) return this.chain.at(level)
    const block = this.side[level - this.forkLevel - 1]
    if (block === undefined) throw new Error(`the view ends at level ${this.topLevel}, not ${level}`)
    return block
  }

  holds(id: BlockId, level: number): boolean {
    return level >= 0 && level <= this.topLevel && this.at(level).header.id === id
  }
}

export interface LocatorStyle {
  /** First distance between entries; it doubles every ten entries. */
  readonly firstStep: number
  /** Lowest level that the peer has. */
  readonly lowest: number
}

/** Entries from a head downwards; the last one is the peer's lowest block, at a level that is only a bound. */
export const locatorOf = (view: ChainView, top: number, style: LocatorStyle): Array<BranchEntry> => {
  const entries: Array<BranchEntry> = [{ id: view.at(top).header.id, level: top, exact: true }]
  let step = style.firstStep
  for (let level = top - step, count = 1;; level -= step, count++) {
    if (level <= style.lowest) {
      entries.push({ id: view.at(style.lowest).header.id, level, exact: false })
      return entries
    }
    entries.push({ id: view.at(level).header.id, level, exact: true })
    if (count % 10 === 0) step *= 2
  }
}
