export { reasonOf } from "../adapter/FileErrors.ts"
export { type VectoredWrite, writeFully } from "../adapter/WriteFully.ts"
export * from "./FileSystemMutants.ts"
export * from "./FileSystemSuite.ts"
