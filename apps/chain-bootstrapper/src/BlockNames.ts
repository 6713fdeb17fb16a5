/** Blocks as people name them. */
import type { BlockRef } from "@peerstrap/chain-bootstrap"
import { formatCount } from "@peerstrap/progress"
import { encodeHash, fromHex, Malformed } from "@peerstrap/tezos-wire"

const idBytes = 32

/** `B…`; a text that is no id of 32 bytes stays as it is. */
export const blockText = (id: string): string => {
  const bytes = fromHex(id, idBytes)
  return bytes instanceof Malformed || bytes.length !== idBytes ? id : encodeHash("block", bytes)
}

export const refText = ({ id, level }: BlockRef): string => `level ${formatCount(level)} ${blockText(id)}`

export const refJson = ({ id, level }: BlockRef) => ({ level, hash: blockText(id) })
