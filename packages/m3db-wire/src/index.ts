export {
  type CountingNodeClient,
  layer as nodeClientsLayer,
  make as makeNodeClient,
  type NodeClientLimits,
  type NodeClientOptions,
  NodeClients
} from "./adapter/NodeClient.ts"
export * as NodeServer from "./adapter/NodeServer.ts"
export type { CallOutcome, Intercept, NodeRequest, ServerCall, ServerEvent } from "./adapter/ServerCall.ts"
export * from "./codec/BlocksCodec.ts"
export * from "./codec/Call.ts"
export * from "./codec/CallHead.ts"
export * from "./codec/Checksum.ts"
export * from "./codec/ErrorFrame.ts"
export * from "./codec/Frame.ts"
export * from "./codec/Handshake.ts"
export * from "./codec/HealthCodec.ts"
export * from "./codec/IdText.ts"
export * from "./codec/Message.ts"
export * from "./codec/MetadataCodec.ts"
export * from "./codec/PageToken.ts"
export * from "./codec/RemoteError.ts"
export * from "./codec/ResultStruct.ts"
export * from "./codec/ShardHash.ts"
export * from "./codec/Tags.ts"
export * from "./codec/Thrift.ts"
export * from "./codec/WireFault.ts"
export * from "./contract/Columns.ts"
export * from "./contract/Limits.ts"
export * from "./contract/NodeClient.ts"
export * from "./contract/ReplicaSource.ts"
export * from "./contract/ServerLimits.ts"
export * from "./engine/Classification.ts"
export * from "./engine/ClientSession.ts"
export * from "./engine/PendingCall.ts"
