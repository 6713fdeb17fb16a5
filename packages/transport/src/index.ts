export * from "./contract/Transport.ts"
export * from "./engine/ByteLedger.ts"
