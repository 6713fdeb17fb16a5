/**
 * The full check of one fileset: all seven files, every digest, every entry, every series. It finds what a node's own readers
 * pass over: bytes appended to a file, damaged summaries or bloom bits, gaps between series (specs: storage Appendix C, K15).
 */
import { adler32, checkBlock, DecodeError } from "@peerstrap/m3tsz"
import { FileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import { decodeCheckpoint, decodeDigests, type FileDigests } from "../codec/DigestFile.ts"
import { decodeInfo, type FilesetInfo } from "../codec/InfoFile.ts"
import type { FilesetError } from "../contract/errors.ts"
import { Limits } from "../contract/Limits.ts"
import { isMalformed } from "../contract/Malformed.ts"
import { filePath, type FilesetFile, filesetFiles, type FilesetKey } from "../engine/FilesetName.ts"
import { type Files, sizeOf } from "./Directory.ts"
import { io } from "./Faults.ts"
import { verifyData } from "./VerifyData.ts"
import { verifyIndex } from "./VerifyIndex.ts"
import { type FilesetVerification, VerifyReport } from "./VerifyReport.ts"

/** What is checked beside the files themselves. */
export interface VerifyOptions {
  /** Compare the shard of every id with the fileset's: the number of shards and the hash seed of the cluster (M3: 0). */
  readonly sharding?: { readonly numShards: number; readonly seed: number }
  /** What is wrong with a stream, undefined when it is sound: `checkM3tsz` or an own check. By default streams are bytes. */
  readonly checkStream?: (bytes: Uint8Array) => string | undefined
}

/**
 * A `checkStream` that decodes every stream as M3TSZ. Times that repeat or step back are accepted: M3 writes such blocks itself.
 * Block start and size in ns.
 */
export const checkM3tsz = (
  blockStart: bigint,
  blockSize: bigint,
  maxPoints: number
): (bytes: Uint8Array) => string | undefined => {
  const bounds = { blockStart, blockSize, maxPoints }
  return (bytes) => {
    const check = checkBlock([bytes], bounds)
    if (check instanceof DecodeError) return check.message
    const problems = check.problems.filter((problem) => problem !== "not-ascending")
    return problems.length === 0 ? undefined : `the stream decodes, but: ${problems.join(", ")}`
  }
}

/** What the checks of the larger files need. */
export interface VerifyContext {
  readonly fs: Files
  readonly key: FilesetKey
  readonly report: VerifyReport
  readonly sizes: ReadonlyMap<FilesetFile, number>
  /** Undefined when the digest file cannot be read. */
  readonly digests: FileDigests | undefined
  readonly options: VerifyOptions
}

const maxSmallFile: Partial<Record<FilesetFile, number>> = {
  checkpoint: 4096,
  digest: 4096,
  info: Limits.maxInfoBytes,
  summaries: Limits.maxSummariesBytes,
  bloomfilter: Limits.maxBloomBytes
}

/** A small file's bytes; undefined (and reported) when it is missing, too large or unreadable. */
export const readSmall = (
  { fs, key, report, sizes }: Omit<VerifyContext, "digests">,
  file: FilesetFile
): Effect.Effect<Uint8Array | undefined> => {
  const size = sizes.get(file)
  if (size === undefined) return Effect.undefined
  const max = maxSmallFile[file] ?? 0
  if (size > max) {
    report.add(file, "limit", `the file has ${size} bytes, at most ${max} are read`)
    return Effect.undefined
  }
  return Effect.catch(
    io(fs.readFile(filePath(key, file), max)),
    (error: FilesetError) => Effect.sync(() => report.addError(file, error))
  )
}

/** Sizes of the files that exist; missing ones are reported. */
const readSizes = Effect.fnUntraced(function*(fs: Files, key: FilesetKey, report: VerifyReport) {
  const sizes = new Map<FilesetFile, number>()
  for (const file of filesetFiles) {
    const size = yield* Effect.catch(
      sizeOf(fs, filePath(key, file)),
      (error) => Effect.sync(() => report.addError(file, error))
    )
    if (size !== undefined) sizes.set(file, size)
    else report.add(file, "missing", "there is no such file")
  }
  return sizes
})

const checkDigests = (
  report: VerifyReport,
  checkpoint: Uint8Array | undefined,
  digest: Uint8Array | undefined
): FileDigests | undefined => {
  const expected = checkpoint === undefined ? undefined : decodeCheckpoint(checkpoint)
  if (isMalformed(expected)) report.add("checkpoint", "incomplete", expected.message, expected.offset)
  if (digest === undefined) return undefined
  if (typeof expected === "number" && adler32(digest) !== expected) {
    report.add("digest", "checksum", "the file does not match the checkpoint file")
  }
  const digests = decodeDigests(digest)
  if (!isMalformed(digests)) return digests
  report.add("digest", "malformed", digests.message, digests.offset)
  return undefined
}

const checkInfo = (context: VerifyContext, bytes: Uint8Array | undefined): FilesetInfo | undefined => {
  const { digests, key, report } = context
  if (bytes === undefined) return undefined
  report.digest("info", digests?.info, adler32(bytes))
  const decoded = decodeInfo(bytes)
  if (isMalformed(decoded)) {
    report.add("info", decoded.reason, decoded.message, decoded.offset)
    return undefined
  }
  const { info, layout, length } = decoded
  const wrong = (message: string, offset = -1): void => report.add("info", "malformed", message, offset)
  if (length !== bytes.length) wrong(`${bytes.length - length} bytes after the info object`, length)
  if (info.blockStart !== key.blockStart) wrong(`block start ${info.blockStart}, the name says ${key.blockStart}`)
  if (layout >= 4 && info.volume !== key.volume) wrong(`volume ${info.volume}, the name says ${key.volume}`)
  if (info.blockSize <= 0) wrong(`block size ${info.blockSize}`)
  if (info.majorVersion !== 1) wrong(`schema version ${info.majorVersion}, known is 1`)
  if (info.fileType !== 0) wrong(`file type ${info.fileType}, written is always 0`)
  return info
}

/** Checks everything and reports every problem found; fails never, whatever the files hold. */
export const verifyFileset: (
  key: FilesetKey,
  options?: VerifyOptions
) => Effect.Effect<FilesetVerification, never, FileSystem> = Effect.fnUntraced(function*(key, options = {}) {
  const fs = yield* FileSystem
  const report = new VerifyReport(key)
  const sizes = yield* readSizes(fs, key, report)
  const base = { fs, key, report, sizes, options }
  const digests = checkDigests(report, yield* readSmall(base, "checkpoint"), yield* readSmall(base, "digest"))
  const context: VerifyContext = { ...base, digests }
  const info = checkInfo(context, yield* readSmall(context, "info"))
  const summaries = yield* readSmall(context, "summaries")
  if (summaries !== undefined) report.digest("summaries", digests?.summaries, adler32(summaries))
  const bloom = yield* readSmall(context, "bloomfilter")
  if (bloom !== undefined) report.digest("bloomfilter", digests?.bloomfilter, adler32(bloom))
  const places = yield* verifyIndex(context, info, summaries, bloom)
  yield* verifyData(context, places)
  return report.result()
})
