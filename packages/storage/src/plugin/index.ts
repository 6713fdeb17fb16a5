export * from "./Files.ts"
export * from "./Journal.ts"
export * from "./KeyValue.ts"
