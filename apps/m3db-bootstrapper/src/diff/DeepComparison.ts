/** Fetches what the listings could not show to be the same from every replica that has it, and compares the points. */
import { defaultStreamLimits } from "@peerstrap/m3db-bootstrap"
import type { NodeClient } from "@peerstrap/m3db-wire"
import type { Datapoints } from "@peerstrap/m3tsz"
import * as Effect from "effect/Effect"
import type { PeerFailure } from "./AskPeer.ts"
import type { DeepResult } from "./DiffItem.ts"
import { fetchCopies, type FetchedCopy, type FetchOptions } from "./FetchCopies.ts"
import { comparePoints, decodeCopy } from "./PointComparison.ts"
import { Presence, type ReplicaTable } from "./ReplicaTable.ts"

/** Items and announced bytes of one batch, from each replica. */
const batchItems = 256
const batchBytes = 4 << 20

/** Cuts rows into batches. */
export function* batchesOf(table: ReplicaTable, rows: ReadonlyArray<number>): Generator<ReadonlyArray<number>> {
  let batch: Array<number> = []
  let bytes = 0
  for (const row of rows) {
    let largest = 0
    for (let replica = 0; replica < table.replicas; replica++) largest = Math.max(largest, table.size(row, replica))
    if (batch.length > 0 && (batch.length >= batchItems || bytes + largest > batchBytes)) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(row)
    bytes += largest
  }
  if (batch.length > 0) yield batch
}

const bitsOf = (value: number): string => {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  return view.getBigUint64(0).toString(16).padStart(16, "0")
}

const valueText = (value: number): string => Object.is(value, -0) ? "-0" : String(value)

const namesOf = <A>(names: ReadonlyArray<string>, values: ReadonlyArray<A>): Record<string, A> =>
  Object.fromEntries(names.map((name, at) => [name, values[at]!]))

/** `copies`: of the replicas that listed the block, by name. */
export const judgeCopies = (copies: ReadonlyArray<readonly [name: string, copy: FetchedCopy]>): DeepResult => {
  const names: Array<string> = []
  const decoded: Array<Datapoints> = []
  const problems: Record<string, string> = {}
  for (const [name, copy] of copies) {
    const points = typeof copy === "string" ? copy : decodeCopy(copy, defaultStreamLimits.maxPointsPerBlock)
    if (typeof points === "string") problems[name] = points
    else {
      names.push(name)
      decoded.push(points)
    }
  }
  const { count, first } = comparePoints(decoded)
  const points = namesOf(names, decoded.map((one) => one.count))
  if (first === undefined) {
    const verdict = names.length === copies.length ? "same-points" : "undecided"
    return { verdict, points, differing: 0, first: undefined, problems }
  }
  const values = first.values.map((value) =>
    value === undefined ? null : { value: valueText(value), bits: bitsOf(value) }
  )
  return {
    verdict: "different-points",
    points,
    differing: count,
    first: { timestamp: first.timestamp, values: namesOf(names, values) },
    problems
  }
}

/** The results of one batch by row. A replica that cannot be asked ends it: the failures name all of them. */
export const compareDeep = Effect.fnUntraced(function*(
  replicas: ReadonlyArray<NodeClient>,
  table: ReplicaTable,
  rows: ReadonlyArray<number>,
  options: FetchOptions
) {
  const failures: Array<PeerFailure> = []
  const fetched = yield* Effect.forEach(
    replicas,
    (client, replica) => {
      const held = rows.filter((row) => table.presence(row, replica) !== Presence.absent)
      const wanted = held.map((row) => ({ id: table.id(row), blockStart: table.blockStart(row) }))
      return fetchCopies(client, wanted, options).pipe(
        Effect.map((copies) => new Map(held.map((row, at) => [row, copies[at]!]))),
        Effect.catch((failure) => Effect.sync(() => (failures.push(failure), new Map<number, FetchedCopy>())))
      )
    },
    { concurrency: "unbounded" }
  )
  if (failures.length > 0) return failures as ReadonlyArray<PeerFailure>
  const judged = rows.map((row) => {
    const copies = replicas.flatMap(({ peer }, replica) => {
      const copy = fetched[replica]!.get(row)
      return copy === undefined ? [] : [[peer, copy] as const]
    })
    return [row, judgeCopies(copies)] as const
  })
  return new Map(judged)
})
