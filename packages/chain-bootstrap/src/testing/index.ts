export * from "./ChainStoreMutants.ts"
export * from "./ChainStoreSuite.ts"
export * from "./SyntheticChain.ts"
