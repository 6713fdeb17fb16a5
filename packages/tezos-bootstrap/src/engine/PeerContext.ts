/** What translating the messages of one session needs. */
import type { BlockId } from "@peerstrap/chain-bootstrap"
import { type Digests, fromHex } from "@peerstrap/tezos-wire"
import type { TezosRules } from "./TezosRules.ts"

export interface PeerContext {
  readonly digests: Digests
  readonly rules: TezosRules
  /** 4 bytes. */
  readonly chainId: Uint8Array
  /** Peer ids, 16 bytes each: the sender's comes first in the seed of a locator. */
  readonly ownId: Uint8Array
  readonly peerId: Uint8Array
  /** Whether both understand the messages of distributed_db_version 1 (0x90, 0x91). */
  readonly ancestors: boolean
}

const hashBytes = 32

/** Bytes of an id; a RangeError when it is none, which is a defect of the caller. */
export const blockHash = (id: BlockId): Uint8Array => {
  const bytes = fromHex(id, hashBytes)
  if (bytes instanceof Uint8Array && bytes.length === hashBytes) return bytes
  throw new RangeError(`a block id has ${2 * hashBytes} hexadecimal digits, this has ${id.length} characters`)
}
