/** The contracts of the chain side that plugins implement. */
import { one } from "@peerstrap/plugin-host"
import { BlockApplier } from "../contract/BlockApplier.ts"
import { ChainBase } from "../contract/ChainBase.ts"
import { ChainProtocol } from "../contract/ChainProtocol.ts"
import { ChainStore } from "../contract/ChainStore.ts"
import { ReorganisationStrategy } from "../contract/Reorganisation.ts"

/** Kind `chain.protocol`: a chain's wire and rules. */
export const protocolKind = one("chain.protocol", ChainProtocol, {
  summary: "The chain's wire and its rules: how a connection becomes a session with an identified peer."
})

/** Kind `chain.base`: where a new store begins. */
export const baseKind = one("chain.base", ChainBase, { summary: "Where a new store begins." })

/** Kind `chain.store`: where a chain is kept. */
export const storeKind = one("chain.store", ChainStore, {
  summary: "Keeps headers, bodies, chosen segments with their evidence, and what is applied."
})

/** Kind `chain.applier`: what applying a block means. */
export const applierKind = one("chain.applier", BlockApplier, { summary: "What applying a block means." })

/** Kind `chain.strategy`: what is done when a quorum moves. */
export const strategyKind = one("chain.strategy", ReorganisationStrategy, {
  summary: "What is done when a quorum moves to another branch.",
  metered: false
})
