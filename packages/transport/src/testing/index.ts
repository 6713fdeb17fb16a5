export * from "./mutants.ts"
export * from "./Probes.ts"
export * from "./TransportChecks.ts"
export * from "./transportSuite.ts"
