export * as MemoryFileSystem from "./adapter/MemoryFileSystem.ts"
export * as NodeFileSystem from "./adapter/NodeFileSystem.ts"
export * from "./contract/FileSystem.ts"
export * from "./contract/Limits.ts"
