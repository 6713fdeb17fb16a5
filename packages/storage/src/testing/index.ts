/** The kits of `FileSystem`, `Journal` and `KeyValue`, and their mutants. */
export { reasonOf } from "../adapter/FileErrors.ts"
export { type VectoredWrite, writeFully } from "../adapter/WriteFully.ts"
export { fileSystemKit, fileSystemSuite } from "./FileSystemKit.ts"
export {
  type FileSystemCapability,
  FileSystemPlace,
  fileSystemPlace,
  type FileSystemPlaceShape,
  memoryFileSystemPlace
} from "./FileSystemPlace.ts"
export { journalKit, journalSuite } from "./JournalKit.ts"
export {
  type JournalCapability,
  JournalPlace,
  journalPlace,
  type JournalPlaceShape,
  memoryJournalPlace
} from "./JournalPlace.ts"
export { keyValueKit, keyValueSuite } from "./KeyValueKit.ts"
export {
  journalKeyValuePlace,
  type KeyValueCapability,
  KeyValuePlace,
  keyValuePlace,
  type KeyValuePlaceShape
} from "./KeyValuePlace.ts"
