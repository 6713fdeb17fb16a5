// Embedded replicas over real sockets, and the command lines and digest lines that belong to their data.
import {
  type ScriptedReplica,
  type SeededReplica,
  SeededReplica as Seeded,
  type SeededSpec,
  seededSpec,
  type SeededVariation,
  startReplica,
  type TruthRow
} from "@peerstrap/m3db-wire/testing"
import { digestPoints } from "@peerstrap/m3tsz"
import { Tcp } from "@peerstrap/transport"
import * as Effect from "effect/Effect"

export interface Replica {
  readonly id: string
  readonly data: SeededReplica
  readonly server: ScriptedReplica
}

/** Four shards with 80 series of two blocks, some of them with odd ids and annotations. */
export const spec: SeededSpec = seededSpec({
  seed: 11,
  namespace: "metrics",
  numShards: 4,
  series: 80,
  blocks: 2,
  points: 12,
  tags: 2,
  odd: 7,
  annotate: 5
})

/** Replicas a, b, c …, one for each variation, until the scope ends. */
export const startReplicas = (
  variations: ReadonlyArray<SeededVariation & { readonly behaviours?: string }>,
  of: SeededSpec = spec
) =>
  Effect.forEach(variations, ({ behaviours = "", ...variation }, at) => {
    const data = new Seeded(of, variation)
    return Effect.map(
      startReplica({ data, behaviours }),
      (server): Replica => ({ id: String.fromCharCode(97 + at), data, server })
    )
  }).pipe(Effect.provide(Tcp.layer))

export const peerArguments = (replicas: ReadonlyArray<Replica>, of: SeededSpec = spec): Array<string> =>
  [
    replicas.flatMap(({ id, server }) => ["--peer", `${id}=${server.hostPort}`]),
    ["--namespace", of.namespace, "--num-shards", String(of.numShards), "--block-size", "2h"],
    ["--from", String(of.start), "--to", String(of.start + BigInt(of.blocks) * of.blockSize)]
  ].flat()

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

/** The digest lines of what a replica truly holds. */
export const truthLines = (rows: Iterable<TruthRow>, namespace = spec.namespace): Array<string> =>
  [...rows]
    .toSorted((a, b) => a.shard - b.shard || Buffer.compare(a.id, b.id) || (a.blockStart < b.blockStart ? -1 : 1))
    .map(({ blockStart, encodedTags, id, points, shard }) =>
      JSON.stringify({
        namespace,
        shard,
        id: hex(id),
        tags: encodedTags === undefined ? "" : hex(encodedTags),
        blockStart: String(blockStart),
        datapoints: points.count,
        sha256: digestPoints(points)
      })
    )
