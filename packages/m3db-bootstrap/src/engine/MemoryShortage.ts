/** What is left of a run when nothing under way can give memory back: who starts over later, and the words when nobody can. */
import type { Outcome } from "../contract/StreamRun.ts"
import type { RunScope } from "./RunScope.ts"
import type { ShardStream } from "./ShardStream.ts"

/** The youngest job that has published nothing: what is published is not made twice. Undefined: a job alone, or each has. */
export const startsOver = (active: ReadonlyMap<number, ShardStream>): ShardStream | undefined => {
  if (active.size < 2) return undefined
  let youngest: ShardStream | undefined
  for (const job of active.values()) if (!job.isSealed) youngest = job
  return youngest
}

const alone = (scope: RunScope, job: ShardStream, wantedBytes: number): string => {
  const { ledger, limits } = scope
  const takes = `its metadata and copies take ${job.heldBytes} bytes`
  return job.listing.paused
    ? `the metadata of shard ${job.shard} does not fit into memory: ${takes}, a page ${job.listing.pageReserve} ` +
      `more, and the share for metadata is ${Math.floor(ledger.capacity * limits.listingShare)} of ${ledger.capacity}`
    : `shard ${job.shard} does not fit into memory: ${takes}, what is fetched next needs ${wantedBytes} more, ` +
      `the limit is ${ledger.capacity}`
}

/** The end of a run whose jobs do not fit, with the arithmetic. `wantedBytes`: for the batch that is to leave next. */
export const doesNotFit = (
  scope: RunScope,
  active: ReadonlyMap<number, ShardStream>,
  wantedBytes: number
): Outcome & { readonly _tag: "failed" } => {
  const jobs = [...active.values()]
  const wanted = wantedBytes || Math.max(...jobs.map(({ fanOut }) => fanOut.wantedBytes))
  if (jobs.length === 1) {
    return {
      _tag: "failed",
      fault: "self",
      message: alone(scope, jobs[0]!, wanted),
      remedy: "raise --memory, or bootstrap a smaller range at a time with --from and --to"
    }
  }
  const takes = jobs.map(({ heldBytes, shard }) => `${heldBytes} (shard ${shard})`).join(" + ")
  return {
    _tag: "failed",
    fault: "self",
    message: `shards of which blocks are published do not fit into memory together: their metadata and copies take ` +
      `${takes}, what is fetched next needs ${wanted} more, the limit is ${scope.ledger.capacity}`,
    remedy: "raise --memory; with --resume the same command goes on from what is published"
  }
}
