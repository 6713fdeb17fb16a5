export * from "./contract/Datapoints.ts"
export * from "./engine/Adler32.ts"
