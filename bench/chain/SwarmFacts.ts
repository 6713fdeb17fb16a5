/** What a swarm tells of itself, and the network that follows from it. Hexadecimal where bytes are meant. */
import type { Network } from "@peerstrap/tezos-bootstrap"
import { chainIdText, fromHex } from "@peerstrap/tezos-wire"

export interface SwarmFacts {
  readonly points: ReadonlyArray<string>
  readonly blocks: number
  /** Of all headers and operations, as they stand in messages. */
  readonly bytes: number
  readonly delayMillis: number
  readonly chainName: string
  readonly chainId: string
  readonly genesis: { readonly id: string; readonly timeSeconds: number; readonly header: string }
}

const longest = 65_536

const bytesOf = (hex: string): Uint8Array => {
  const bytes = fromHex(hex, longest)
  if (bytes instanceof Uint8Array) return bytes
  throw bytes
}

export const networkOf = ({ chainId, chainName, genesis, points }: SwarmFacts): Network => ({
  name: "bench",
  chainName,
  chainId: chainIdText(bytesOf(chainId)),
  chainIdBytes: bytesOf(chainId),
  genesis: { id: genesis.id, timeSeconds: genesis.timeSeconds, header: bytesOf(genesis.header) },
  proofOfWork: 0,
  peers: points,
  validationPasses: 4,
  blocksPerCycle: 14_400,
  blockTimeSeconds: 6,
  finality: 2,
  limits: { clockDriftSeconds: 1, maxHeaderBytes: 8 << 20, itemsPerRequest: 10 }
})
