/** The list of what is wrong with a fileset; bounded, and it never throws. */
import { showId } from "@peerstrap/m3db-wire"
import { hex32 } from "../codec/IndexEntry.ts"
import type { FilesetError, FilesetErrorReason } from "../contract/errors.ts"
import { Limits } from "../contract/Limits.ts"
import { filePath, type FilesetFile, type FilesetKey } from "../engine/FilesetName.ts"
import type { ShardFit } from "../engine/ShardCheck.ts"
import { refetch } from "./Faults.ts"

/** One thing that is wrong, with its place. */
export interface FilesetProblem {
  readonly file: FilesetFile
  readonly path: string
  /** Byte in the file, -1 when no byte is meant. */
  readonly offset: number
  readonly reason: FilesetErrorReason
  readonly message: string
  readonly remedy: string
}

/** The result of a check. */
export interface FilesetVerification {
  readonly key: FilesetKey
  /** No problem at all. */
  readonly ok: boolean
  /** At most `Limits.maxProblems`. */
  readonly problems: ReadonlyArray<FilesetProblem>
  /** Problems beyond those listed. */
  readonly further: number
  /** Index entries that were read. */
  readonly entries: number
  readonly dataBytes: number
  /** Undefined when no number of shards was given, or the index cannot be read. */
  readonly shardFit: ShardFit | undefined
}

/** Derived files can be made again from index and data; the others cannot. */
const remedies: Partial<Record<FilesetFile, string>> = {
  summaries: "lookups by id may miss series: write the fileset again from its index and data, or fetch the block again",
  bloomfilter:
    "lookups by id may miss series: write the fileset again from its index and data, or fetch the block again",
  checkpoint: "a node ignores the fileset: fetch the block again"
}

export class VerifyReport {
  readonly problems: Array<FilesetProblem> = []
  further = 0
  entries = 0
  dataBytes = 0
  shardFit: ShardFit | undefined
  private readonly key: FilesetKey

  constructor(key: FilesetKey) {
    this.key = key
  }

  add(file: FilesetFile, reason: FilesetErrorReason, message: string, offset = -1, remedy?: string): void {
    if (this.problems.length >= Limits.maxProblems) {
      this.further++
      return
    }
    const path = filePath(this.key, file)
    this.problems.push({ file, path, offset, reason, message, remedy: remedy ?? remedies[file] ?? refetch })
  }

  addError(file: FilesetFile, error: FilesetError): undefined {
    this.add(file, error.reason, error.message, error.offset)
    return undefined
  }

  /** Compares a digest when the one expected is known. */
  digest(file: FilesetFile, expected: number | undefined, actual: number): void {
    if (expected === undefined || expected === actual) return
    this.add(file, "checksum", `the digest file says ${hex32(expected)}, the file has ${hex32(actual)}`)
  }

  series(file: FilesetFile, reason: FilesetErrorReason, id: Uint8Array, message: string, offset: number): void {
    this.add(file, reason, `series ${showId(id)}: ${message}`, offset)
  }

  result(): FilesetVerification {
    const { dataBytes, entries, further, key, problems, shardFit } = this
    return { key, ok: problems.length === 0, problems, further, entries, dataBytes, shardFit }
  }
}
