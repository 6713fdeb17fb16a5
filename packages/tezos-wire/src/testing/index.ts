/** Kits, mutants, chains and the scriptable peer. */
export * from "./CryptoChecks.ts"
export * from "./CryptoSuite.ts"
