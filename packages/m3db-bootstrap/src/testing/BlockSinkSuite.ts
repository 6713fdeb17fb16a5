/** The conformance kit of `BlockSink`: checks, capabilities, and the mutants that the checks reject. */
import { type Kit, suiteOf } from "@peerstrap/conformance"
import type { BlockSink } from "../contract/BlockSink.ts"
import { blockSinkCapabilities, type BlockSinkCapability, sinkExamples } from "./BlockSinkChecks.ts"
import { sinkLaws } from "./BlockSinkLaws.ts"
import { blockSinkMutants } from "./BlockSinkMutants.ts"
import type { SinkStore } from "./SinkStore.ts"

/** Subject: the sink over an empty store, and eyes on that store. */
export const blockSinkKit: Kit<BlockSink | SinkStore, BlockSinkCapability> = {
  contract: "BlockSink",
  capabilities: blockSinkCapabilities,
  checks: [...sinkExamples, ...sinkLaws],
  mutants: blockSinkMutants
}

/**
 * Registers a test for each check that the sink's capabilities allow:
 * `blockSinkSuite("MySink", layer, { capabilities: { readable: true, … }, test: it })`. The layer gives `BlockSink` and `SinkStore`; without eyes on
 * the store, `SinkStore` is `{}` and all capabilities are false.
 */
export const blockSinkSuite = suiteOf(blockSinkKit)
