export * from "./contract/Crypto.ts"
export * from "./contract/Malformed.ts"
