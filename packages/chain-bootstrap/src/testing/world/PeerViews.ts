/** Which chain each peer of a world follows, and how far. */
import type { BlockId } from "../../contract/Block.ts"
import type { SyntheticChain } from "../SyntheticChain.ts"
import { ChainView } from "./ChainView.ts"
import type { LiarChains } from "./LiarChains.ts"
import type { PeerSpec } from "./WorldSpec.ts"

interface Chains {
  readonly chain: SyntheticChain
  readonly liars: LiarChains
  readonly canonical: ChainView
}

const whole = (view: ChainView) => ({ view, top: view.topLevel })

export const viewOf = (
  { canonical, chain, liars }: Chains,
  spec: PeerSpec,
  side: Set<BlockId>
): { readonly view: ChainView; readonly top: number } => {
  switch (spec.fault) {
    case "forking":
      return whole(liars.forking)
    case "deviating":
      return whole(liars.deviating)
    case "flood":
      return whole(liars.flood)
    case "bad-header":
      return whole(liars.badHeader)
    default: {
      if (spec.stale === 0) return { view: canonical, top: Math.max(1, canonical.topLevel - spec.behind) }
      // A branch that was the honest one for a moment, and is where this peer stopped.
      const from = Math.max(0, canonical.topLevel - spec.behind - spec.stale)
      const blocks = chain.grow(chain.at(from).header.id, spec.stale, `stale ${spec.name}`, 0)
      for (const { header } of blocks) side.add(header.id)
      return whole(new ChainView(chain, from, blocks))
    }
  }
}
