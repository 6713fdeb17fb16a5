/** Whole blocks for the list of what is missing: not done when the run ended, or confirmed by fewer peers than was asked for. */
import { type Level, readConsistencyAchieved } from "@peerstrap/consistency-policy"
import type { RunScope } from "./RunScope.ts"
import type { ShardStream } from "./ShardStream.ts"

/** A level that was lowered hides nothing: published blocks that fewer peers confirmed than was asked for at first are listed. */
export const noteUnconfirmed = (scope: RunScope, job: ShardStream, initialLevel: Level): void => {
  const asked = initialLevel === "none" ? "majority" : initialLevel
  if (readConsistencyAchieved(asked, job.majority, job.peers.length, job.listing.successes)) return
  const silent = job.peers.flatMap((_, peer) =>
    job.listing.listings[peer]!.state === "FINISHED" ? [] : [job.peerId(peer)]
  )
  for (const [block, start] of job.blockStarts.entries()) {
    if (job.deliveries.blocks[block] !== "committed") continue
    scope.tally.missing.add(() => ({
      shard: job.shard,
      blockStart: String(start),
      peers: silent,
      reason:
        `listed by ${job.listing.successes} of ${job.peers.length} peers, ${asked} needs more: what only the others hold is unknown`
    }))
  }
}

export const noteNotDone = (scope: RunScope, shard: number, blockStart: bigint, why: string): void => {
  scope.tally.missing.add(() => ({
    shard,
    blockStart: String(blockStart),
    peers: [],
    reason: why === "deadline" ? "not finished at the deadline" : "not finished when the run ended"
  }))
}

/** Blocks of a job that were dropped because the run is ending. */
export const noteAborted = (scope: RunScope, job: ShardStream, why: string): void => {
  job.deliveries.blocks.forEach((state, block) => {
    if (state === "aborted") noteNotDone(scope, job.shard, job.blockStarts[block]!, why)
  })
}
