export * from "./BlockSinkSuite.ts"
export * from "./MemoryBlockSink.ts"
