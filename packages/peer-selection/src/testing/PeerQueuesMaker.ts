/** What the kit of `PeerQueues` is given: a way to make queues. */
import * as Context from "effect/Context"
import type { PeerQueues, QueueLimits } from "../contract/PeerQueues.ts"
import { defaultQueueLimits } from "../engine/QueueLimits.ts"

/** Makes the queues under test. */
export type MakePeerQueues = (
  options: {
    readonly peers: ReadonlyArray<string>
    readonly limits: Partial<QueueLimits>
    readonly random: () => number
  }
) => PeerQueues

/** A way to make queues, as the service that the kit's checks ask for. */
export class PeerQueuesMaker extends Context.Service<PeerQueuesMaker, MakePeerQueues>()(
  "@peerstrap/peer-selection/testing/PeerQueuesMaker"
) {}

/** Small bounds, so that histories run into all of them. */
export const kitLimits: QueueLimits = {
  ...defaultQueueLimits,
  maxBatchItems: 6,
  minBatchBytes: 100,
  initialBatchBytes: 400,
  maxBatchBytes: 3200,
  targetBatchMillis: 100,
  backoffBaseMillis: 20,
  backoffCapMillis: 100,
  notReadyMillis: 150
}
