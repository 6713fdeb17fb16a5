export { findHeader, type FindHeaderOptions } from "./adapter/FindHeader.ts"
export * from "./adapter/RepairStore.ts"
export { serveChain, type ServeOptions } from "./adapter/ServeChain.ts"
export * as FileChainStore from "./adapter/store/FileChainStore.ts"
export * as MemoryChainStore from "./adapter/store/MemoryChainStore.ts"
export {
  exportBlocks,
  type ExportedBlock,
  type StoredBlock,
  type VerifyFinding,
  type VerifyOptions,
  type VerifyReport,
  verifyStore
} from "./adapter/store/StoredBlocks.ts"
export {
  findHoles,
  isMended,
  lostPlaces,
  type StoreHole,
  type StoreHoles,
  unmendedPlaces
} from "./adapter/store/StoreHoles.ts"
export { startSync } from "./adapter/SyncRun.ts"
export * as Appliers from "./applier/Appliers.ts"
export * from "./contract/Block.ts"
export * from "./contract/BlockApplier.ts"
export * from "./contract/ChainBase.ts"
export * from "./contract/ChainLimits.ts"
export * from "./contract/ChainProtocol.ts"
export * from "./contract/ChainRules.ts"
export * from "./contract/ChainStore.ts"
export * from "./contract/ChainSync.ts"
export * from "./contract/ConnectionLimits.ts"
export * from "./contract/Connections.ts"
export * from "./contract/PeerMessage.ts"
export * from "./contract/Reorganisation.ts"
export * from "./contract/Standing.ts"
export * from "./contract/StoreLimits.ts"
export * from "./contract/SyncRun.ts"
export * from "./engine/ChainSync.ts"
export { checkConnectionOptions, connectionOptions } from "./engine/connections/ConnectionDefaults.ts"
export { makeConnections } from "./engine/connections/Connections.ts"
export { groupOf, reachOf } from "./engine/connections/PeerGroup.ts"
export { parseHost, parsePoint, type Point, pointText } from "./engine/connections/PointText.ts"
export { makeThrottle, type Throttle } from "./engine/connections/Throttle.ts"
export { appliedBranches, cachedTail, reorganisationStrategies } from "./engine/reorganisation/Strategies.ts"
export { checkScoreTable, defaultScoreTable } from "./engine/standing/ScoreTables.ts"
export { makeStanding } from "./engine/standing/Standing.ts"
export { workerIntervalMillis } from "./engine/standing/WorkerRhythm.ts"
export * from "./engine/SyncDefaults.ts"
