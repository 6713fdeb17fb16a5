export * from "./adapter/CryptoLayer.ts"
export * from "./adapter/GenerateIdentity.ts"
export * as NativeCrypto from "./adapter/NativeCrypto.ts"
export * as PortableCrypto from "./adapter/PortableCrypto.ts"
export * from "./adapter/Session.ts"
export * from "./codec/Base58Check.ts"
export { decodeHeader, encodeHeader, headerHash, leastHeaderBytes } from "./codec/BlockHeader.ts"
export * from "./codec/ChainId.ts"
export * from "./codec/Describe.ts"
export * from "./codec/Fitness.ts"
export * from "./codec/handshake/Ack.ts"
export * from "./codec/handshake/ConnectionMessage.ts"
export * from "./codec/handshake/Metadata.ts"
export * from "./codec/handshake/NetworkVersion.ts"
export * from "./codec/HexText.ts"
export * from "./codec/identity/IdentityFile.ts"
export * from "./codec/identity/PeerId.ts"
export * from "./codec/identity/ProofOfWork.ts"
export * from "./codec/Locator.ts"
export { buildPath, buildPaths, foldPath, pathPosition } from "./codec/MerklePath.ts"
export { merkleRoot } from "./codec/MerkleTree.ts"
export {
  type ClaimedOperations,
  decodeOperationList,
  encodeOperationList,
  operationHash,
  operationListBytes,
  operationListHash,
  operationListListHash,
  type OperationsFault,
  verifyOperations
} from "./codec/Operations.ts"
export { decodePeerMessage } from "./codec/PeerMessageReader.ts"
export { encodeFrame, encodePeerMessage } from "./codec/PeerMessageWriter.ts"
export * from "./codec/Point.ts"
export * from "./codec/ProtocolData.ts"
export * from "./codec/SeededSteps.ts"
export * from "./contract/BlockHeader.ts"
export * from "./contract/Crypto.ts"
export * from "./contract/Hashes.ts"
export * from "./contract/Identity.ts"
export * from "./contract/Limits.ts"
export * from "./contract/Malformed.ts"
export * from "./contract/Messages.ts"
export * from "./contract/Session.ts"
export * from "./contract/SessionLimits.ts"
export * from "./engine/ChunkStream.ts"
export * from "./engine/ChunkWriter.ts"
export * from "./engine/FrameReader.ts"
export * from "./engine/Handshake.ts"
export * from "./engine/HSalsa20.ts"
export * from "./engine/Nonce.ts"
export * from "./engine/VersionChoice.ts"
export * from "./engine/WireSession.ts"
