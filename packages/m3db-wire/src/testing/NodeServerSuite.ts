/** The kit of node servers in the shape that all kits have: checks with the capability `hostile`, and mutants. */
import { type Kit, suiteOf } from "@peerstrap/conformance"
import type { Transport } from "@peerstrap/transport"
import { CheckedNode } from "./CheckedNode.ts"
import { nodeServerChecks } from "./NodeServerKit.ts"
import { nodeServerMutants } from "./NodeServerMutants.ts"

/** The kit of node servers. */
export const nodeServerKit: Kit<CheckedNode | Transport, "hostile"> = {
  contract: "NodeServer",
  capabilities: { hostile: "it may be sent what crashes a real node's whole process" },
  checks: nodeServerChecks.map(({ hostile, name, run }) => ({
    name,
    needs: hostile ? ["hostile"] : [],
    run: CheckedNode.use(run)
  })),
  mutants: nodeServerMutants
}

/**
 * Registers a test for each check of a node: `nodeServerSuite("ours", layer, { capabilities: { hostile: true }, test: it })`; the layer gives the node's
 * facts as `CheckedNode` and the `Transport` over which it is reached. For a node without a test runner: `checkNodeServer`.
 */
export const nodeServerSuite = suiteOf(nodeServerKit)
