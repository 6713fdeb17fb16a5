/** Lists one shard on every replica at once, page by page, into one table. */
import { defaultStreamLimits } from "@peerstrap/m3db-bootstrap"
import type { CallError, MetadataRequest, NodeClient } from "@peerstrap/m3db-wire"
import * as Effect from "effect/Effect"
import { askPeer, type PeerFailure } from "./AskPeer.ts"
import type { ReplicaTable } from "./ReplicaTable.ts"

export interface AskOptions {
  /** A replica that fails for so long is given up. */
  readonly deadlineMillis: number
  readonly onRetry: (error: CallError) => Effect.Effect<void>
}

export interface ListShardOptions extends AskOptions {
  readonly replicas: ReadonlyArray<NodeClient>
  /** Without token and limit. */
  readonly request: Omit<MetadataRequest, "pageToken" | "limit">
  readonly table: ReplicaTable
}

/** The table reached its limit. */
export interface TableFull {
  readonly _tag: "TableFull"
}

const failed = (client: NodeClient, message: string): PeerFailure => ({
  _tag: "PeerFailure",
  peer: client.peer,
  address: client.address,
  reason: "bad-answer",
  message
})

const { idlePages, maxPageBytes, pageLimit } = defaultStreamLimits

const listReplica = Effect.fnUntraced(function*(options: ListShardOptions, replica: number) {
  const client = options.replicas[replica]!
  let limit = pageLimit
  let pageToken: Uint8Array | undefined
  let [idle, useful] = [0, 0]
  for (;;) {
    const request = { ...options.request, limit, pageToken }
    const page = yield* askPeer(
      client.fetchBlocksMetadata(request, { maxAnswerBytes: maxPageBytes }),
      options.deadlineMillis,
      options.onRetry
    ).pipe(Effect.catchIf((failure) => failure.reason === "too-large" && limit > 1, () => Effect.undefined))
    if (page === undefined) {
      limit = limit >> 1
      continue
    }
    const fresh = options.table.addPage(replica, page)
    if (fresh === undefined) return yield* Effect.fail<TableFull>({ _tag: "TableFull" })
    if (fresh > 0) useful++
    idle = fresh > 0 ? 0 : idle + 1
    pageToken = page.nextPageToken
    if (pageToken === undefined) return
    // Repeated tokens and empty pages are legal; a listing that goes on without bringing anything is not.
    if (idle > idlePages + 2 * useful) {
      return yield* Effect.fail(
        failed(client, `${idle} pages in a row brought nothing new, and there is still a page token`)
      )
    }
  }
})

/** Every replica is heard before the end: the failures name all that could not be listed. */
export const listShard = (
  options: ListShardOptions
): Effect.Effect<ReadonlyArray<PeerFailure>, TableFull> =>
  Effect.forEach(
    options.replicas,
    (_, replica) =>
      listReplica(options, replica).pipe(
        Effect.as<ReadonlyArray<PeerFailure>>([]),
        Effect.catchTag("PeerFailure", (failure) => Effect.succeed([failure]))
      ),
    { concurrency: "unbounded" }
  ).pipe(Effect.map((failures) => failures.flat()))
