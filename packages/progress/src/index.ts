export * from "./contract/Wait.ts"
