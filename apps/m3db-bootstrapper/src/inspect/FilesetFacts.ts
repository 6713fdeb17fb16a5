/** Everything that one fileset says of itself, checked: info, files with their checksums, bloom filter, summaries, some entries. */
import { defaultStreamLimits } from "@peerstrap/m3db-bootstrap"
import {
  checkM3tsz,
  decodeSummaries,
  type EntryBatch,
  filePath,
  type FilesetFile,
  filesetFiles,
  type FilesetInfo,
  type FilesetKey,
  type FilesetProblem,
  FilesetReader,
  isMalformed,
  Limits,
  type ScannedFileset,
  verifyFileset
} from "@peerstrap/m3db-files"
import { FileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

export interface EntryFacts {
  readonly id: Uint8Array
  /** Encoded. */
  readonly tags: Uint8Array
  readonly writeIndex: number
  readonly offset: number
  readonly size: number
  readonly checksum: number
}

export interface FileFacts {
  readonly file: FilesetFile
  /** Undefined: there is no such file. */
  readonly bytes: number | undefined
  /** Adler-32 from the digest file; the digest file's own is in the checkpoint file, which has none. */
  readonly digest: number | undefined
  readonly sound: boolean
}

export interface BloomFacts {
  readonly bits: number
  readonly hashes: number
  /** Share of the bits, 0 to 1. */
  readonly set: number
  /** Share of unknown ids that it lets through. */
  readonly falsePositives: number
}

export interface FilesetFacts {
  readonly key: FilesetKey
  readonly info: FilesetInfo
  readonly files: ReadonlyArray<FileFacts>
  /** Undefined: the file cannot be read; the problems say why. */
  readonly bloom: BloomFacts | undefined
  /** Summaries with the first and the last offset into the index file. */
  readonly summaries: { readonly count: number; readonly firstOffset: number; readonly lastOffset: number } | undefined
  readonly streams: { readonly bytes: number; readonly smallest: number; readonly largest: number } | undefined
  /** The first of them. */
  readonly entries: ReadonlyArray<EntryFacts>
  readonly problems: ReadonlyArray<FilesetProblem>
  readonly furtherProblems: number
}

export const entriesOf = (batch: EntryBatch): ReadonlyArray<EntryFacts> =>
  batch.ids.map((id, at) => ({
    id,
    tags: batch.tags[at]!,
    writeIndex: batch.writeIndexes[at]!,
    offset: batch.offsets[at]!,
    size: batch.sizes[at]!,
    checksum: batch.checksums[at]!
  }))

const bitsSet = (bytes: Uint8Array): number => {
  let set = 0
  for (let byte of bytes) for (; byte !== 0; byte &= byte - 1) set++
  return set
}

const bloomOf = Effect.fnUntraced(function*(key: FilesetKey, { bloomBits: bits, bloomHashes: hashes }: FilesetInfo) {
  const fs = yield* FileSystem
  const bytes = yield* fs.readFile(filePath(key, "bloomfilter"), Limits.maxBloomBytes).pipe(
    Effect.orElseSucceed(() => undefined)
  )
  if (bytes === undefined) return undefined
  const set = bits === 0 ? 0 : bitsSet(bytes) / bits
  return { bits, hashes, set, falsePositives: set ** hashes } satisfies BloomFacts as BloomFacts
})

const summariesOf = Effect.fnUntraced(function*(key: FilesetKey, info: FilesetInfo) {
  const fs = yield* FileSystem
  const bytes = yield* fs.readFile(filePath(key, "summaries"), Limits.maxSummariesBytes).pipe(
    Effect.orElseSucceed(() => undefined)
  )
  const summaries = bytes === undefined ? undefined : decodeSummaries(bytes, info.summaries)
  if (summaries === undefined || isMalformed(summaries)) return undefined
  const { count, indexOffset } = summaries
  return { count, firstOffset: indexOffset[0] ?? 0, lastOffset: indexOffset[count - 1] ?? 0 }
})

/** Sizes of all streams, and the first entries; undefined where the index is damaged before its end. */
const indexOf = (reader: FilesetReader, most: number) => {
  const entries: Array<EntryFacts> = []
  let [bytes, smallest, largest] = [0, Number.POSITIVE_INFINITY, 0]
  return Stream.runForEach(reader.entries, (batch) =>
    Effect.sync(() => {
      for (const size of batch.sizes) {
        bytes += size
        smallest = Math.min(smallest, size)
        largest = Math.max(largest, size)
      }
      if (entries.length < most) entries.push(...entriesOf(batch).slice(0, most - entries.length))
    })).pipe(
      Effect.as(true),
      Effect.orElseSucceed(() => false),
      Effect.map((whole) => ({
        entries,
        streams: whole ? { bytes, smallest: bytes === 0 ? 0 : smallest, largest } : undefined
      }))
    )
}

/** Fails only when checkpoint, digest or info file cannot be read: then nothing is known of the rest. */
export const filesetFacts = Effect.fnUntraced(function*(
  key: FilesetKey,
  scanned: ScannedFileset,
  options: { readonly mostEntries: number; readonly decode: boolean }
) {
  const reader = yield* FilesetReader.open(key)
  const { digests, info } = reader
  const { entries, streams } = yield* indexOf(reader, options.mostEntries)
  const { further, problems } = yield* verifyFileset(
    key,
    options.decode && info.blockSize > 0n
      ? { checkStream: checkM3tsz(key.blockStart, info.blockSize, defaultStreamLimits.maxPointsPerBlock) }
      : {}
  )
  return {
    key,
    info,
    files: filesetFiles.map((file) => ({
      file,
      bytes: scanned.files.get(file),
      digest: file === "digest" || file === "checkpoint" ? undefined : digests[file],
      sound: problems.every((problem) => problem.file !== file)
    })),
    bloom: yield* bloomOf(key, info),
    summaries: yield* summariesOf(key, info),
    streams,
    entries,
    problems,
    furtherProblems: further
  } satisfies FilesetFacts as FilesetFacts
})
