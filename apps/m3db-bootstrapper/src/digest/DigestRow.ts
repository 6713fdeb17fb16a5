/** One line of a digest: what a series-block holds, independent of how it is encoded and where it was read. */
import { BlockCursor, DatapointsBuffer, DecodeError, decodeInto, digestPoints } from "@peerstrap/m3tsz"
import { toHex } from "../inspect/IdText.ts"

export interface DigestRow {
  readonly id: Uint8Array
  /** M3's encoded tags; zero length when the series has none. */
  readonly tags: Uint8Array
  readonly datapoints: number
  /** Hex, over 16 bytes a datapoint in time order: timestamp (int64, ns) and value (float64 bits), both big endian. */
  readonly sha256: string
}

export interface BlockPlace {
  readonly shard: number
  /** ns. */
  readonly blockStart: bigint
}

/**
 * The line with its line feed: `{"namespace","shard","id","tags","blockStart","datapoints","sha256"}`, always in this order, so that
 * digests can be compared as text.
 */
export const digestLine = (namespace: string, { blockStart, shard }: BlockPlace, row: DigestRow): string =>
  `{"namespace":${JSON.stringify(namespace)},"shard":${shard},"id":"${toHex(row.id)}","tags":"${
    toHex(row.tags)
  }","blockStart":"${blockStart}","datapoints":${row.datapoints},"sha256":"${row.sha256}"}\n`

/** Digests streams with one cursor and one buffer for all of them. */
export class StreamDigest {
  private readonly cursor = new BlockCursor()
  private readonly points = new DatapointsBuffer()
  private readonly maxPoints: number

  constructor(maxPoints: number) {
    this.maxPoints = maxPoints
  }

  /** `pieces` are one stream; `id` and `tags` are kept as they are. A text when the stream does not decode. */
  row(id: Uint8Array, tags: Uint8Array, pieces: ReadonlyArray<Uint8Array>): DigestRow | string {
    const wrong = decodeInto(this.cursor, this.points, pieces, { maxPoints: this.maxPoints })
    if (wrong instanceof DecodeError) return wrong.message
    return { id, tags, datapoints: this.points.count, sha256: digestPoints(this.points) }
  }
}
