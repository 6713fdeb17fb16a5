export * from "./contract/FileSystem.ts"
