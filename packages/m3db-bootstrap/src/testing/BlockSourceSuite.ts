/** The conformance kit of sources of blocks, the contract through which streaming asks its peers: checks, capabilities, mutants. */
import { type Kit, suiteOf } from "@peerstrap/conformance"
import type { PeerBlocks } from "../contract/PeerBlocks.ts"
import {
  blockSourceCapabilities,
  type BlockSourceCapability,
  blockSourceChecks,
  type SourceWorld
} from "./BlockSourceChecks.ts"
import { blockSourceMutants } from "./BlockSourceMutants.ts"

/** Subject: `PeerBlocks`, whose first peer holds `sourceReplica()`, and what of its inside can be seen. */
export const blockSourceKit: Kit<PeerBlocks | SourceWorld, BlockSourceCapability> = {
  contract: "BlockSource",
  capabilities: blockSourceCapabilities,
  checks: blockSourceChecks,
  mutants: blockSourceMutants
}

/**
 * Registers a test for each check that the source's capabilities allow. The layer gives `PeerBlocks` and `SourceWorld` (`{}` when nothing can be
 * seen); the first peer holds the data of `sourceReplica()`.
 */
export const blockSourceSuite = suiteOf(blockSourceKit)
