/** The contracts of the replica side that plugins implement. */
import { one } from "@peerstrap/plugin-host"
import { BlockSink } from "../contract/BlockSink.ts"
import { MergePolicy } from "../contract/MergePolicy.ts"
import { PeerBlocks } from "../contract/PeerBlocks.ts"

/** Kind `m3db.peers`: the replicas that are asked. */
export const peersKind = one("m3db.peers", PeerBlocks, { summary: "The replicas that are asked.", metered: false })

/** Kind `m3db.sink`: where verified blocks go. */
export const sinkKind = one("m3db.sink", BlockSink, { summary: "Where verified blocks go." })

/** Kind `m3db.merge`: which point wins where replicas differ. */
export const mergeKind = one("m3db.merge", MergePolicy, {
  summary: "Which point wins where replicas differ at the same time.",
  metered: false
})
