/** Connection metadata: the first encrypted chunk each way, two booleans. Written as 00 and ff; any byte but 00 is read as true. */
import { Malformed } from "../../contract/Malformed.ts"

/** What a peer asks of the other side of its connection. */
export interface Metadata {
  /** The sender wants no mempool; who sends it a CurrentHead with a non-empty one is dropped. */
  readonly disableMempool: boolean
  /** The sender asks not to be made known to others. */
  readonly privateNode: boolean
}

const bytesOfMetadata = 2

/** Encodes metadata: 2 bytes. */
export const encodeMetadata = (metadata: Metadata): Uint8Array =>
  Uint8Array.of(metadata.disableMempool ? 0xff : 0, metadata.privateNode ? 0xff : 0)

/** Decodes metadata, which must be 2 bytes. */
export const decodeMetadata = (bytes: Uint8Array): Metadata | Malformed =>
  bytes.length === bytesOfMetadata
    ? { disableMempool: bytes[0] !== 0, privateNode: bytes[1] !== 0 }
    : new Malformed({
      what: "metadata",
      offset: Math.min(bytes.length, bytesOfMetadata),
      message: `has ${bytes.length} bytes instead of ${bytesOfMetadata}`
    })
