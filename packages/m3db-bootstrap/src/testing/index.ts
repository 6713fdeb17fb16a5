/** The conformance kit of sinks with its mutants, and a sink in memory. */
export * from "./BlockSinkSuite.ts"
export { makeMemoryBlockSink, type MemoryBlockSink, memoryBlockSinkLayer } from "./MemoryBlockSink.ts"
export { type PublishedSeries, SinkStore, type SinkStoreShape } from "./SinkStore.ts"
