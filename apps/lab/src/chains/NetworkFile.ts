/** The network file of an embedded network: what `peerstrap-chain sync --network FILE` needs to know of it. Pure. */
import type { NetworkFile } from "@peerstrap/tezos-bootstrap"
import { encodeHash, toHex } from "@peerstrap/tezos-wire"
import type { TestChain } from "@peerstrap/tezos-wire/testing"
import { blockSeconds } from "./ChainSpec.ts"

export const networkFile = (chain: TestChain, proofOfWork: number, peers: ReadonlyArray<string>): NetworkFile => ({
  chainName: chain.chainName,
  chainId: encodeHash("chain", chain.chainId),
  genesis: {
    hash: encodeHash("block", chain.genesis.hash),
    time: chain.genesis.timestamp,
    headerHex: toHex(chain.genesis.header.raw)
  },
  proofOfWork,
  peers,
  blockTimeSeconds: blockSeconds
})
