export * from "./SyntheticChain.ts"
