/** Our client over TChannel against a scripted replica, as the kit of sources wants it. */
import { makeNodeClient, type NodeClientLimits } from "@peerstrap/m3db-wire"
import { startReplica } from "@peerstrap/m3db-wire/testing"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { PeerBlocks } from "../../src/contract/PeerBlocks.ts"
import { SourceWorld } from "../../src/testing/BlockSourceChecks.ts"
import { sourceReplica } from "../../src/testing/SourceTruth.ts"

/** `behaviours` as `slow:200000+delay:20`. */
export const tchannel = (behaviours: string, limits: NodeClientLimits = {}) =>
  Layer.effectContext(Effect.gen(function*() {
    const replica = yield* startReplica({ data: sourceReplica(), behaviours })
    const client = yield* makeNodeClient({ peer: "A", address: replica.address, ...limits })
    return Context.add(Context.make(PeerBlocks, { peers: [client] }), SourceWorld, {})
  }))
