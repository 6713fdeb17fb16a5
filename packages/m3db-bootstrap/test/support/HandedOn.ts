/**
 * A block answer as our client hands it on: read in one pass when it is the usual one, decoded otherwise, and in a buffer that is gone
 * when it is given back. Whoever looks at it later gets nothing, and what is asserted about contents fails.
 */
import {
  type BlocksAnswer,
  type BlocksRequest,
  decodeBlocksAnswer,
  encodeBlocksRequest,
  readUsualAnswer,
  type RemoteError,
  requestElements,
  type WireFault
} from "@peerstrap/m3db-wire"

export const handedOn = (
  arg3: Uint8Array,
  request: BlocksRequest,
  maxBytes: number
): BlocksAnswer | RemoteError | WireFault => {
  const bytes = arg3.slice()
  const { elements, items } = requestElements(request, encodeBlocksRequest(request))
  const answer = readUsualAnswer(bytes, elements, items) ?? decodeBlocksAnswer(bytes, maxBytes)
  return "elementCount" in answer ? Object.assign(answer, { release: () => void bytes.buffer.transfer() }) : answer
}
