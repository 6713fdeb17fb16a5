/** The conformance kit of `FileSystem`. Each check works in directories of its own below the root of its place. */
import { type Kit, suiteOf } from "@peerstrap/conformance"
import type { FileSystem } from "../contract/FileSystem.ts"
import { fileContentChecks } from "./FileContentChecks.ts"
import { fileDurabilityChecks } from "./FileDurabilityChecks.ts"
import { fileLawChecks } from "./FileLawChecks.ts"
import { fileLockChecks } from "./FileLockChecks.ts"
import { fileNameChecks } from "./FileNameChecks.ts"
import { fileSystemMutants } from "./FileSystemMutants.ts"
import type { FileSystemCapability, FileSystemPlace } from "./FileSystemPlace.ts"

/** The kit of file systems. */
export const fileSystemKit: Kit<FileSystem | FileSystemPlace, FileSystemCapability> = {
  contract: "FileSystem",
  capabilities: {
    "power-cut": "the place can take what was not synced",
    "open-files": "the place can count open files",
    "full-disk": "the place can fill the disk",
    "other-process": "the place can let another process hold a lock, and kill it"
  },
  checks: [...fileContentChecks, ...fileNameChecks, ...fileDurabilityChecks, ...fileLawChecks, ...fileLockChecks],
  mutants: fileSystemMutants
}

/** `fileSystemSuite("Memory", memoryFileSystemPlace(), { capabilities: { "power-cut": true, "open-files": true, "full-disk": true, "other-process": true }, test: it })`. */
export const fileSystemSuite = suiteOf(fileSystemKit)
