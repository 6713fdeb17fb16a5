export * from "./contract/BlockSink.ts"
export * from "./contract/PeerBlocks.ts"
