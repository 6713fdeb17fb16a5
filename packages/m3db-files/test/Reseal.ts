/** A fileset in memory whose files are replaced and whose digests are made right again: damage that no checksum of a file shows. */
import {
  encodeCheckpoint,
  encodeDigests,
  filePath,
  type FilesetFile,
  filesetFiles,
  type FilesetKey
} from "@peerstrap/m3db-files"
import { adler32 } from "@peerstrap/m3tsz"
import type { FileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"

export const reseal = Effect.fnUntraced(function*(
  fs: FileSystem["Service"],
  key: FilesetKey,
  change: Partial<Record<FilesetFile, Uint8Array>>
) {
  const files = new Map<FilesetFile, Uint8Array>()
  for (const file of filesetFiles) {
    files.set(file, change[file] ?? (yield* fs.readFile(filePath(key, file), 1 << 24)))
  }
  const sum = (file: FilesetFile) => adler32(files.get(file)!)
  const digest = encodeDigests({
    info: sum("info"),
    index: sum("index"),
    summaries: sum("summaries"),
    bloomfilter: sum("bloomfilter"),
    data: sum("data")
  })
  files.set("digest", digest)
  files.set("checkpoint", encodeCheckpoint(digest))
  for (const [file, bytes] of files) yield* fs.writeFileAtomic(filePath(key, file), bytes)
})
