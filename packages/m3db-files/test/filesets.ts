/** What the tests of this package share: batches, options, and a fileset's files as hex. */
import { fileName, type FilesetBatch, type FilesetFile, filesetFiles } from "@peerstrap/m3db-files"
import { adler32 } from "@peerstrap/m3tsz"
import type { FileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import { blockSize, blockStart, toHex } from "./vectors.ts"

export const openOptions = { prefix: "/m3", namespace: "testns", shard: 7, blockStart, blockSize }

export interface Series {
  readonly id: Uint8Array
  readonly tags: Uint8Array
  readonly bytes: Uint8Array
}

export const batchOf = (series: ReadonlyArray<Series>): FilesetBatch => ({
  count: series.length,
  ids: series.map((one) => one.id),
  tags: series.map((one) => one.tags),
  data: series.map((one) => [one.bytes]),
  checksums: Uint32Array.from(series, (one) => adler32(one.bytes))
})

/** All seven files as hex by suffix. */
export const readFileset = (fs: FileSystem["Service"], directory: string, start: bigint, volume: number) =>
  Effect.gen(function*() {
    const out: Partial<Record<FilesetFile, string>> = {}
    for (const file of filesetFiles) {
      out[file] = toHex(yield* fs.readFile(`${directory}/${fileName(start, volume, file)}`, 1 << 24))
    }
    return out
  })
