/** What is held, as sorted lines of ids, tags, block starts and SHA-256 of the raw streams: equal text is equal data. */
import { filePath, type FilesetKey, FilesetReader, scanDirectory } from "@peerstrap/m3db-files"
import { NodeFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"

export const heldLine = (shard: number, id: string, tags: string, start: string, sha256: string): string =>
  [shard, id, tags, start, sha256].join("\t")

export const heldText = (lines: ReadonlyArray<string>): string => lines.toSorted().join("\n")

/** From a digest file of `m3peer.py`: the columns that are of use here. */
export const heldOfDigest = (path: string): string =>
  heldText(
    readFileSync(path, "utf8").split("\n").filter((line) => line !== "" && !line.startsWith("#")).map((line) => {
      const [shard, id, tags, start, , , , raw] = line.split("\t")
      return heldLine(Number(shard), id!, tags!, start!, raw!)
    })
  )

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

const filesetLines = Effect.fnUntraced(function*(key: FilesetKey) {
  const reader = yield* FilesetReader.open(key)
  const bytes = readFileSync(filePath(key, "data"))
  const lines: Array<string> = []
  yield* Stream.runForEach(reader.entries, (batch) =>
    Effect.sync(() => {
      for (let row = 0; row < batch.count; row++) {
        const at = batch.offsets[row]!
        const sum = createHash("sha256").update(bytes.subarray(at, at + batch.sizes[row]!)).digest("hex")
        const tags = batch.tags[row]!
        lines.push(
          heldLine(key.shard, hex(batch.ids[row]!), tags.length === 0 ? "-" : hex(tags), String(key.blockStart), sum)
        )
      }
    }))
  return lines
}, Effect.scoped)

/** What a directory of filesets holds. */
export const heldOnDisk = (prefix: string): Promise<string> =>
  Effect.runPromise(
    Effect.gen(function*() {
      const lines: Array<string> = []
      for (const { namespace, shards } of yield* scanDirectory(prefix)) {
        for (const { filesets, shard } of shards) {
          for (const { blockStart, volume } of filesets.filter(({ latest }) => latest)) {
            lines.push(...yield* filesetLines({ prefix, namespace, shard, blockStart, volume }))
          }
        }
      }
      return heldText(lines)
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )
