/** Everything that a directory of filesets holds as digest lines, the raw streams included: equal text is equal data. */
import { type FilesetKey, scanDirectory } from "@peerstrap/m3db-files"
import { digestHeader } from "@peerstrap/m3db-wire/testing"
import { adler32, decodeBlock, digestPoints, digestPointsWithUnits } from "@peerstrap/m3tsz"
import { NodeFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import { openFilesetRows } from "../../../src/digest/FilesetRows.ts"

interface Row {
  readonly shard: number
  readonly id: Uint8Array
  readonly blockStart: bigint
  readonly line: string
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

const rowOf =
  ({ blockStart, shard }: FilesetKey) =>
  (id: Uint8Array, tags: Uint8Array, pieces: ReadonlyArray<Uint8Array>): Row | string => {
    const points = decodeBlock(pieces, { maxPoints: 1 << 20 })
    if ("_tag" in points) return points.message
    const raw = Buffer.concat(pieces)
    const fields = [shard, hex(id), tags.length === 0 ? "-" : hex(tags), blockStart, points.count]
    const sums = [digestPoints(points), digestPointsWithUnits(points), createHash("sha256").update(raw).digest("hex")]
    const line = [...fields, ...sums, raw.length, adler32(raw).toString(16).padStart(8, "0")].join("\t")
    return { shard, id: Uint8Array.from(id), blockStart, line }
  }

const rowsOf = Effect.fnUntraced(function*(key: FilesetKey) {
  const rows: Array<Row> = []
  const source = yield* openFilesetRows(key, { row: rowOf(key) }, ({ path, what }) => {
    throw new Error(`${path}: ${what}`)
  })
  for (let more = yield* source!.next; more !== undefined; more = yield* source!.next) rows.push(...more)
  return rows
}, Effect.scoped)

const compare = (a: Row, b: Row): number =>
  a.shard - b.shard || Buffer.compare(a.id, b.id) || (a.blockStart < b.blockStart ? -1 : 1)

/** In the form of `m3peer.py digest`; whatever cannot be read is a defect. */
export const filesetLines = Effect.fnUntraced(function*(prefix: string, namespace: string) {
  const rows: Array<Row> = []
  for (const { namespace: found, shards } of yield* scanDirectory(prefix)) {
    if (found !== namespace) throw new Error(`${prefix} holds a namespace ${found}`)
    for (const { filesets, shard } of shards) {
      for (const { blockStart, volume } of filesets.filter(({ latest }) => latest)) {
        rows.push(...yield* rowsOf({ prefix, namespace, shard, blockStart, volume }))
      }
    }
  }
  return [digestHeader, ...rows.toSorted(compare).map(({ line }) => line), ""].join("\n")
}, Effect.provide(NodeFileSystem.layer))
