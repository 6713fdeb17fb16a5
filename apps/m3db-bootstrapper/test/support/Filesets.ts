// Small filesets in a directory of the machine, for tests of the commands that read them.
import { FilesetWriter } from "@peerstrap/m3db-files"
import { encodeTags } from "@peerstrap/m3db-wire"
import { adler32, encodeBlock } from "@peerstrap/m3tsz"
import { generateDatapoints } from "@peerstrap/m3tsz/testing"
import { NodeFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"

export const blockSize = 7_200_000_000_000n
export const firstBlock = 1_795_204_800_000_000_000n

const text = new TextEncoder()

export const streamOf = (seed: number, blockStart: bigint, points: number): Uint8Array => {
  const encoded = encodeBlock(
    generateDatapoints({ seed, blockStart, blockSize, points, shape: "mixed", unit: 1 }),
    blockStart
  )
  if ("_tag" in encoded) throw new Error(encoded.message)
  return encoded.bytes
}

export interface SmallFileset {
  readonly namespace?: string
  readonly shard: number
  /** Blocks after the first. */
  readonly block: number
  readonly volume?: number
  readonly ids: ReadonlyArray<string>
  /** Replaces the streams. */
  readonly stream?: Uint8Array
}

export const writeFilesets = (prefix: string, filesets: ReadonlyArray<SmallFileset>) =>
  Effect.forEach(
    filesets,
    ({ block, ids, namespace = "metrics", shard, stream, volume = 0 }) =>
      Effect.scoped(Effect.gen(function*() {
        const blockStart = firstBlock + BigInt(block) * blockSize
        const writer = yield* FilesetWriter.open({ prefix, namespace, shard, blockStart, blockSize, volume })
        const data = ids.map((_, at) => [stream ?? streamOf(at * 31 + block, blockStart, 5 + at)])
        yield* writer.write({
          count: ids.length,
          ids: ids.map((id) => text.encode(id)),
          tags: ids.map((id) => encodeTags([[text.encode("name"), text.encode(id)]])),
          data,
          checksums: Uint32Array.from(data, ([bytes]) => adler32(bytes!))
        })
        yield* writer.finish
      }))
  ).pipe(Effect.provide(NodeFileSystem.layer))
