/** Finds one series: bloom filter → summaries → index entries → data. The small files are loaded and checked once, on first use. */
import { adler32Start, adler32Update } from "@peerstrap/m3tsz"
import type { File } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import { BloomFilter } from "../codec/BloomFilter.ts"
import { compareRange } from "../codec/Bytes.ts"
import type { FileDigests } from "../codec/DigestFile.ts"
import { hex32 } from "../codec/IndexEntry.ts"
import { type FilesetInfo, hasEntryChecksums } from "../codec/InfoFile.ts"
import { decodeSummaries, searchSummaries, type Summaries } from "../codec/Summaries.ts"
import type { FilesetError } from "../contract/errors.ts"
import { Limits } from "../contract/Limits.ts"
import { isMalformed } from "../contract/Malformed.ts"
import { filePath, type FilesetKey } from "../engine/FilesetName.ts"
import type { Files } from "./Directory.ts"
import { damaged, fault, io, refetch } from "./Faults.ts"
import type { SeekResult } from "./FilesetReader.ts"
import { IndexWindow } from "./IndexWindow.ts"
import { readDigested } from "./OpenFileset.ts"
import { readSeries } from "./ReadSeries.ts"

export interface SeekFiles {
  readonly key: FilesetKey
  readonly info: FilesetInfo
  readonly digests: FileDigests
  readonly index: File
  readonly indexBytes: number
  readonly data: File
  readonly dataBytes: number
}

/** Holds 33 entries of common size, so that most lookups read the index once. */
const firstReadBytes = 16_384

const loadBloom = Effect.fnUntraced(function*(fs: Files, { digests, info, key }: SeekFiles) {
  const path = filePath(key, "bloomfilter")
  const bytes = yield* readDigested(fs, path, Limits.maxBloomBytes, digests.bloomfilter)
  const bloom = BloomFilter.decode(info.bloomBits, info.bloomHashes, bytes)
  return isMalformed(bloom) ? yield* damaged(path, bloom) : bloom
})

const loadSummaries = Effect.fnUntraced(function*(fs: Files, { digests, info, key }: SeekFiles) {
  const path = filePath(key, "summaries")
  const bytes = yield* readDigested(fs, path, Limits.maxSummariesBytes, digests.summaries)
  const summaries = decodeSummaries(bytes, info.summaries)
  return isMalformed(summaries) ? yield* damaged(path, summaries) : summaries
})

/** Entries without checksums of their own can only be trusted together. */
const checkIndexDigest = Effect.fnUntraced(function*({ digests, index, indexBytes }: SeekFiles) {
  let digest = adler32Start
  for (let at = 0; at < indexBytes;) {
    const bytes = yield* io(index.read(at, Limits.readChunkBytes))
    if (bytes.length === 0) break
    digest = adler32Update(digest, bytes, 0, bytes.length)
    at += bytes.length
  }
  if (digest === digests.index) return
  const message = `digest is ${hex32(digests.index)}, the file has ${hex32(digest)}`
  return yield* fault("checksum", index.path, message, refetch)
})

/** The window stands behind the entry of `id` when the answer is true. */
const findEntry = Effect.fnUntraced(function*(files: SeekFiles, summaries: Summaries, id: Uint8Array) {
  const from = searchSummaries(summaries, id)
  if (from > files.indexBytes) {
    const path = filePath(files.key, "summaries")
    return yield* fault("malformed", path, `a summary points to ${from}, behind the index file`, refetch)
  }
  const window = new IndexWindow(files.index, files.indexBytes, from, firstReadBytes)
  while (!window.atEnd) {
    const found = window.next()
    if (found === "malformed") return yield* window.problem
    if (found === "more") {
      yield* window.fill
      continue
    }
    const { bytes, entry } = window
    const order = compareRange(bytes, entry.idStart, entry.idEnd, id, 0, id.length)
    if (order === 0) return window
    if (order > 0) return undefined
  }
  return undefined
})

export const makeSeek = (
  fs: Files,
  files: SeekFiles
): (id: Uint8Array) => Effect.Effect<SeekResult | undefined, FilesetError> => {
  let bloom: BloomFilter | undefined
  let summaries: Summaries | undefined
  let trusted = hasEntryChecksums(files.info)
  return Effect.fnUntraced(function*(id) {
    bloom ??= yield* loadBloom(fs, files)
    if (!bloom.has(id, 0, id.length)) return undefined
    summaries ??= yield* loadSummaries(fs, files)
    if (!trusted) {
      yield* checkIndexDigest(files)
      trusted = true
    }
    const window = yield* findEntry(files, summaries, id)
    if (window === undefined) return undefined
    const { bytes, entry } = window
    if (entry.offset + entry.size > files.dataBytes) {
      const message = `the entry ends at ${entry.offset + entry.size}, the data file at ${files.dataBytes}`
      return yield* fault("malformed", files.index.path, message, refetch)
    }
    const [found] = yield* readSeries(files.data, {
      count: 1,
      ids: [id],
      offsets: Float64Array.of(entry.offset),
      sizes: Uint32Array.of(entry.size),
      checksums: Uint32Array.of(entry.checksum)
    })
    return {
      id: bytes.slice(entry.idStart, entry.idEnd),
      tags: entry.tagsStart < 0 ? new Uint8Array(0) : bytes.slice(entry.tagsStart, entry.tagsEnd),
      bytes: found!,
      checksum: entry.checksum
    }
  })
}
