// Blocks that the server of tests takes as an Octez node does: any links, fitness by level and round.
import type { Block, BlockRef } from "@peerstrap/chain-bootstrap"
import { makeTezosRules } from "@peerstrap/tezos-bootstrap"
import { encodeHeader, merkleRoot, operationListHash, operationListListHash } from "@peerstrap/tezos-wire"
import { joinOperations } from "../src/engine/OperationList.ts"
import { bytes, chainFacts, crypto, facts } from "./chains.ts"

const rules = makeTezosRules(crypto, chainFacts)
/** The chain that the server of tests is on. */
export const network = { chainId: "NetXdQprcVkpaWU", chainName: "TEZOS" }

/** A block of four passes with one operation in the last. Another salt makes another block of the same fitness. */
export const blockOn = (parent: BlockRef, round = 0, salt = 0): Block => {
  const operation = new Uint8Array(60).fill(parent.level + 1 + 100 * salt)
  const passes = [[], [], [], [operation]]
  const header = facts(
    rules,
    encodeHeader({
      level: parent.level + 1,
      proto: 1,
      predecessor: bytes(parent.id),
      timestamp: 1_000 + parent.level,
      validationPass: 4,
      operationsHash: operationListListHash(crypto, passes.map((pass) => operationListHash(crypto, pass))),
      fitness: [Uint8Array.of(0, parent.level + 1, round)],
      context: merkleRoot(crypto, []),
      protocolData: new Uint8Array(4)
    })
  )
  return { header, units: passes.map(joinOperations) }
}
