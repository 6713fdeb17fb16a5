/**
 * Compares live replicas shard by shard: lists all of them, compares what they say, and with `deep` fetches what that did not settle.
 *
 *     shard ─► list on every replica ─► compare sizes, checksums ─► items ─► (deep: fetch, compare points) ─► in order of shards
 */
import type { CallError, NodeClient } from "@peerstrap/m3db-wire"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { PeerFailure } from "./AskPeer.ts"
import { compareRow, compareTable, type Counts, isMissingSomewhere, needsData, noCounts } from "./Comparison.ts"
import { batchesOf, compareDeep } from "./DeepComparison.ts"
import { type DiffItem, itemOf } from "./DiffItem.ts"
import { listShard } from "./ListShard.ts"
import { Presence, ReplicaTable } from "./ReplicaTable.ts"

export interface DiffOptions {
  readonly namespace: string
  readonly shards: ReadonlyArray<number>
  /** Those that hold a shard. */
  readonly replicasOf: (shard: number) => ReadonlyArray<NodeClient>
  /** ns, ascending. */
  readonly starts: ReadonlyArray<bigint>
  /** ns. */
  readonly blockSize: bigint
  readonly deep: boolean
  /** Items that `onItems` gets; counts are complete whatever it is. */
  readonly limit: number
  readonly memoryBytes: number
  /** A replica that fails for so long is given up. */
  readonly deadlineMillis: number
  readonly onRetry: (error: CallError) => Effect.Effect<void>
  readonly onItems: (items: ReadonlyArray<DiffItem>) => Effect.Effect<void>
  readonly onShard: (done: number) => Effect.Effect<void>
}

export interface DeepCounts {
  samePoints: number
  differentPoints: number
  undecided: number
}

export interface DiffSummary {
  readonly seriesBlocks: Counts
  /** Copies that are there, but not shown to be the same by the listings, compared with each other. */
  readonly deep: DeepCounts | undefined
  readonly replicas: Readonly<Record<string, { seriesBlocks: number; bytes: number }>>
  /** Blocks listed that do not begin where blocks begin. */
  readonly unaligned: number
  readonly items: { readonly total: number; readonly told: number }
  /** Everything was shown to be the same. */
  readonly identical: boolean
}

export type DiffFailure =
  | { readonly _tag: "Peers"; readonly failures: ReadonlyArray<PeerFailure> }
  | {
    readonly _tag: "Memory"
    readonly shard: number
    readonly rows: number
    readonly bytes: number
    readonly share: number
  }

/** Shards listed at once. */
export const shardsAtOnce = 4

interface ShardDiff {
  readonly shard: number
  readonly counts: Counts
  readonly deep: DeepCounts
  readonly items: ReadonlyArray<DiffItem>
  readonly total: number
  readonly held: ReadonlyArray<{ readonly name: string; readonly seriesBlocks: number; readonly bytes: number }>
  readonly unaligned: number
  /** Rows that neither listings nor points show to be the same. */
  readonly unsettled: number
}

const heldBy = (table: ReplicaTable, replica: number): { seriesBlocks: number; bytes: number } => {
  const held = { seriesBlocks: 0, bytes: 0 }
  for (let row = 0; row < table.rows; row++) {
    if (table.presence(row, replica) === Presence.absent) continue
    held.seriesBlocks++
    held.bytes += table.size(row, replica)
  }
  return held
}

const listInto = Effect.fnUntraced(function*(
  options: DiffOptions,
  shard: number,
  replicas: ReadonlyArray<NodeClient>,
  namespace: Uint8Array
) {
  const { blockSize, deadlineMillis, memoryBytes, onRetry, starts } = options
  const share = Math.floor(memoryBytes / shardsAtOnce)
  const table = new ReplicaTable(replicas.length, starts, share)
  const failures = yield* Effect.mapError(
    listShard({
      replicas,
      table,
      deadlineMillis,
      onRetry,
      request: { namespace, shard, rangeStart: starts[0]!, rangeEnd: starts.at(-1)! + blockSize }
    }),
    (): DiffFailure => ({ _tag: "Memory", shard, rows: table.rows, bytes: table.bytes, share })
  )
  if (failures.length > 0) return yield* Effect.fail<DiffFailure>({ _tag: "Peers", failures })
  return table
})

const diffShard = Effect.fnUntraced(function*(options: DiffOptions, shard: number, namespace: Uint8Array) {
  const { deadlineMillis, deep, limit, onRetry } = options
  const replicas = options.replicasOf(shard)
  const names = replicas.map(({ peer }) => peer)
  const table = yield* listInto(options, shard, replicas, namespace)
  const counts = noCounts()
  const rows = compareTable(table, counts)
  const items: Array<DiffItem> = []
  const deepCounts: DeepCounts = { samePoints: 0, differentPoints: 0, undecided: 0 }
  let unsettled = 0
  for (const batch of batchesOf(table, rows)) {
    if (!deep && items.length >= limit) {
      unsettled += batch.length
      continue
    }
    const asked = deep ? batch.filter((row) => needsData(table, row)) : []
    const answers = yield* compareDeep(replicas, table, asked, { namespace, shard, deadlineMillis, onRetry })
    if (!(answers instanceof Map)) return yield* Effect.fail<DiffFailure>({ _tag: "Peers", failures: answers })
    for (const row of batch) {
      const result = answers.get(row)
      const comparison = compareRow(table, row)
      if (result?.verdict === "same-points") deepCounts.samePoints++
      else if (result?.verdict === "different-points") deepCounts.differentPoints++
      else if (result?.verdict === "undecided") deepCounts.undecided++
      if (isMissingSomewhere(table, row) || result?.verdict !== "same-points") unsettled++
      if (items.length < limit) items.push(itemOf(table, row, { shard, replicas: names, comparison }, result))
    }
  }
  const held = names.map((name, replica) => ({ name, ...heldBy(table, replica) }))
  const { unaligned } = table
  return {
    shard,
    counts,
    deep: deepCounts,
    items,
    total: rows.length,
    held,
    unaligned,
    unsettled
  } satisfies ShardDiff as ShardDiff
})

/** Items come in order of shard, id and block start. */
export const diffReplicas = Effect.fnUntraced(function*(options: DiffOptions) {
  const namespace = new TextEncoder().encode(options.namespace)
  const counts = noCounts()
  const deep: DeepCounts = { samePoints: 0, differentPoints: 0, undecided: 0 }
  const replicas: Record<string, { seriesBlocks: number; bytes: number }> = {}
  let [unaligned, total, told, unsettled, done] = [0, 0, 0, 0, 0]
  const add = Effect.fnUntraced(function*(found: ShardDiff) {
    for (const key of ["same", "different", "missing", "unknown"] as const) counts[key] += found.counts[key]
    for (const key of ["samePoints", "differentPoints", "undecided"] as const) deep[key] += found.deep[key]
    for (const { bytes, name, seriesBlocks } of found.held) {
      const sum = replicas[name] ??= { seriesBlocks: 0, bytes: 0 }
      sum.seriesBlocks += seriesBlocks
      sum.bytes += bytes
    }
    unaligned += found.unaligned
    unsettled += found.unsettled
    total += found.total
    const items = found.items.slice(0, options.limit - told)
    told += items.length
    if (items.length > 0) yield* options.onItems(items)
    yield* options.onShard(++done)
  })
  yield* Stream.fromIterable(options.shards).pipe(
    Stream.mapEffect((shard) => diffShard(options, shard, namespace), { concurrency: shardsAtOnce }),
    Stream.runForEach(add)
  )
  return {
    seriesBlocks: counts,
    deep: options.deep ? deep : undefined,
    replicas,
    unaligned,
    items: { total, told },
    identical: unsettled === 0 && unaligned === 0
  } satisfies DiffSummary as DiffSummary
})
