/** Conformance kits of sinks and of sources of blocks, each with its mutants; a sink in memory, a source in this process. */
export * from "./BlockSinkSuite.ts"
export { SourceWorld } from "./BlockSourceChecks.ts"
export * from "./BlockSourceSuite.ts"
export { type CallsUnderWay, directClient } from "./DirectSource.ts"
export { makeMemoryBlockSink, type MemoryBlockSink, memoryBlockSinkLayer } from "./MemoryBlockSink.ts"
export { type PublishedPoints, type PublishedSeries, SinkStore, type SinkStoreShape } from "./SinkStore.ts"
export { sourceReplica, sourceSpec, sourceVariation } from "./SourceTruth.ts"
