import { describe, it } from "@effect/vitest"
import { mutantSuiteOf } from "@peerstrap/conformance"
import {
  leastLoaded,
  makePeerQueues,
  makeThroughputWeighted,
  PeerRanking,
  throughputWeighted
} from "@peerstrap/peer-selection"
import {
  peerQueuesKit,
  PeerQueuesMaker,
  peerQueuesSuite,
  rankingKit,
  rankingSuite
} from "@peerstrap/peer-selection/testing"
import * as Layer from "effect/Layer"

const all = { capabilities: {}, test: it }

describe("the contract of Ranking", () => {
  rankingSuite("least-loaded", Layer.succeed(PeerRanking, leastLoaded), all)
  rankingSuite("throughput-weighted", Layer.succeed(PeerRanking, throughputWeighted), all)
  const small = makeThroughputWeighted({ batchBytes: 1, assumedBytesPerSecond: 1 })
  rankingSuite("throughput-weighted, a byte a batch", Layer.succeed(PeerRanking, small), all)
})

describe("the kit of Ranking", () => mutantSuiteOf(rankingKit, it))

describe("the contract of PeerQueues", () => {
  peerQueuesSuite("adaptive queues", Layer.succeed(PeerQueuesMaker, makePeerQueues), all)
})

describe("the kit of PeerQueues", () => mutantSuiteOf(peerQueuesKit, it))
