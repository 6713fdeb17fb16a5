/**
 * Verdicts about what peers did, and where they are kept: failed calls with the peer's figures; proof and open questions in the book of
 * evidence; damaged data by series and block in the report.
 */
import { toHex } from "@peerstrap/m3db-wire"
import { noChecksum } from "@peerstrap/metadata-grouping"
import type { Verdict } from "@peerstrap/peer-selection"
import type { CallFailure } from "../contract/StreamRun.ts"
import { verdictOf } from "./CallFailures.ts"
import { record, type RunScope } from "./RunScope.ts"
import type { ShardState } from "./ShardState.ts"

/** A call of `peer` (index in the run) failed. */
export const noteFailedCall = (scope: RunScope, peer: number, subject: string, failure: CallFailure): void => {
  const { because, verdict } = verdictOf(failure.reason)
  scope.tally.noteFailedCall(peer, {
    reason: failure.reason,
    verdict,
    because,
    first: `${subject}: ${failure.message}`,
    atMillis: scope.wall
  })
  // Malformed bytes are evidence; connection trouble and declared errors are not.
  const isMalformed = failure.reason === "protocol" || failure.reason === "bad-answer"
  if (isMalformed) record(scope, peer, "protocol-violation", verdict, subject, failure.message)
}

/**
 * By kind: what an item that is not right proves. The answer's frames had checksums that held, so what is wrong was sent so. What the peer
 * declares about itself proves only that it said so, and a sound copy that differs from its listing may be newer.
 */
const itemVerdicts: Readonly<Record<string, Verdict>> = {
  "block-error": "unknown",
  "delivered-differs-from-advertised": "unknown"
}

const hex = (checksum: number): string | null => checksum === noChecksum ? null : checksum.toString(16).padStart(8, "0")

/** A series-block from `peer` (index in the job) is not what it should be. `detail`: what was advertised and what came. */
export const noteDamage = (
  shard: ShardState,
  found: {
    readonly group: number
    readonly peer: number
    readonly kind: string
    readonly detail: string
  }
): void => {
  const { detail, group, kind, peer } = found
  const { grouping, scope, series } = shard
  const run = shard.peers[peer]!
  const subject = shard.subject(group)
  record(scope, run, kind, itemVerdicts[kind] ?? "peer", subject, detail)
  scope.tally.damaged[run]!.note(subject, () => {
    const key = shard.key(series.block(group))
    return {
      shard: key.shard,
      blockStart: String(key.blockStart),
      id: toHex(grouping.id(group)),
      kind,
      advertised: hex(grouping.checksum(group, peer)),
      delivered: detail
    }
  })
}
