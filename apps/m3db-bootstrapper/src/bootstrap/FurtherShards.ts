/**
 * Notices a `--num-shards` that divides the cluster's: every id then hashes to the shard that lists it, and the shards behind are never
 * asked for. So the first shard behind is asked for; "not responsible" is the right answer, and any failure counts as that.
 * (specs: peer streaming 5.1; K5)
 */
import { majority } from "@peerstrap/consistency-policy"
import type { CallError, NodeClient } from "@peerstrap/m3db-wire"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { Misfit } from "./BlockSizeWatch.ts"
import type { BootstrapSettings } from "./BootstrapFlags.ts"
import type { BootstrapPlan } from "./BootstrapPlan.ts"

/** A node lists what it holds in memory first: those pages are empty when it is of other blocks. All this is asked only of a wrong setting. */
const pageRows = 256
const maxPages = 8

/** Beside the ledger: that of one page of long ids. A larger answer counts as none. */
const maxAnswerBytes = 1 << 20

/** What is known within `patienceMillis` when enough peers list rows of a shard that should not exist. One peer alone may make them up. */
export const lookForFurtherShards = Effect.fnUntraced(function*(
  clients: ReadonlyArray<NodeClient>,
  { from, numShards, replicationFactor, to }: BootstrapPlan,
  { namespace, placement }: Pick<BootstrapSettings, "namespace" | "placement">,
  patienceMillis: number
) {
  // A placement says it itself.
  if (placement !== undefined || clients.length === 0) return undefined
  const needed = Math.min(majority(replicationFactor), clients.length)
  const request = {
    namespace: new TextEncoder().encode(namespace),
    shard: numShards,
    rangeStart: from,
    rangeEnd: to,
    limit: pageRows
  }
  const decided = yield* Deferred.make<void>()
  const listing: Array<string> = []
  let open = clients.length
  const hasRows = (
    client: NodeClient,
    pageToken: Uint8Array | undefined,
    pages: number
  ): Effect.Effect<boolean, CallError> =>
    Effect.flatMap(
      client.fetchBlocksMetadata({ ...request, pageToken }, { totalTimeoutMillis: patienceMillis, maxAnswerBytes }),
      ({ count, nextPageToken }) =>
        count > 0 || nextPageToken === undefined || pages === 1
          ? Effect.succeed(count > 0)
          : hasRows(client, nextPageToken, pages - 1)
    )
  const ask = (client: NodeClient) =>
    Effect.suspend(() => hasRows(client, undefined, maxPages)).pipe(
      Effect.catchCause(() => Effect.succeed(false)),
      Effect.flatMap((lists) => {
        open--
        if (lists) listing.push(client.peer)
        const isDecided = listing.length >= needed || listing.length + open < needed
        return isDecided ? Deferred.succeed(decided, undefined) : Effect.void
      })
    )
  yield* Effect.forEach(clients, ask, { concurrency: "unbounded", discard: true }).pipe(
    Effect.raceFirst(Deferred.await(decided)),
    Effect.timeoutOption(patienceMillis)
  )
  if (listing.length < needed) return undefined
  return {
    message: `${
      listing.toSorted().join(", ")
    } list series of shard ${numShards}: there are more than ${numShards} shards`,
    remedy: "give the cluster's own --num-shards"
  } satisfies Misfit as Misfit
})
