// The applier over a node's RPC passes the kit of appliers, with a local server in place of the node.
import { describe, it } from "@effect/vitest"
import type { Block } from "@peerstrap/chain-bootstrap"
import {
  ApplierBench,
  type ApplierBlocks,
  blockApplierSuite,
  judgeOf,
  restartable
} from "@peerstrap/chain-bootstrap/testing"
import { octezRpc } from "@peerstrap/tezos-bootstrap"
import { encodeHash } from "@peerstrap/tezos-wire"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { bytes, genesisId } from "./chains.ts"
import { blockOn, network } from "./octezBlocks.ts"
import { failure, type OctezServer, startOctez } from "./octezServer.ts"

const base = { id: genesisId, level: 0 }

const grown = (from: { readonly id: string; readonly level: number }, count: number, salt: number) => {
  const blocks: Array<Block> = []
  for (let at = 0; at < count; at++) blocks.push(blockOn(blocks.at(-1)?.header ?? from, 0, salt))
  return blocks
}

const main = grown(base, 12, 0)
/** As fit as the main chain at each level: the node stays where it is until one is higher. */
const blocks: ApplierBlocks = { base, main, branch: grown(main[5]!.header, 5, 1) }
const textOf = (block: Block | undefined): string => encodeHash("block", bytes(block?.header.id ?? genesisId))
const byText = new Map([...main, ...blocks.branch].map((block) => [textOf(block), block]))
const byHeader = new Map([...byText.values()].map((block) => [Buffer.from(block.header.bytes).toString("hex"), block]))

/** Lower levels of the chain that the node is on, lowest first. */
const chainOf = (server: OctezServer): ReadonlyArray<string> => {
  const ids: Array<string> = []
  for (let block = byText.get(server.head); block !== undefined;) {
    ids.unshift(block.header.id)
    block = byText.get(encodeHash("block", bytes(block.header.parent)))
  }
  return ids
}

const bench = Layer.succeed(ApplierBench)({
  blocks,
  make: (_base, verdicts) =>
    Effect.flatMap(startOctez, (server) => {
      const judge = judgeOf(verdicts)
      server.intercept = ({ body, path }, response) => {
        const block = path === "/injection/block" ? byHeader.get(JSON.parse(body).data) : undefined
        const verdict = block === undefined ? "ok" : judge(block)
        if (verdict === "ok") return false
        const trace = "invalid" in verdict
          ? [{ kind: "permanent", id: "validator.invalid_block", invalid_block: textOf(block), msg: verdict.invalid }]
          : failure(verdict.retry)
        response.writeHead(500, { "content-type": "application/json" })
        response.end(JSON.stringify(trace))
        return true
      }
      // The node outlives whoever feeds it.
      const open = Effect.sync(() => ({
        applier: octezRpc({ url: server.url, network }),
        chain: Effect.sync(() => chainOf(server))
      }))
      return restartable(open, () => Effect.void)
    })
})

describe("octez-rpc", () => {
  blockApplierSuite("the applier", bench, {
    capabilities: {
      verdicts: true,
      branches: true,
      // A node leaves a chain by itself, for one that is fitter.
      undo: false,
      "own-head": true,
      "visible-chain": true,
      "counted-units": false,
      "counted-resources": false,
      interruptible: true,
      restart: true,
      kill: true
    },
    test: it
  })
})
