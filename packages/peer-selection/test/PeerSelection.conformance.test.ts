import { assert, describe, it } from "@effect/vitest"
import { mutantSuiteOf } from "@peerstrap/conformance"
import {
  type Candidate,
  leastLoaded,
  makePeerQueues,
  makeThroughputWeighted,
  PeerRanking,
  PeerRateSource,
  type Ranking,
  throughputWeighted
} from "@peerstrap/peer-selection"
import {
  peerQueuesKit,
  PeerQueuesMaker,
  peerQueuesSuite,
  peerRateKit,
  PeerRatePlace,
  peerRatePlace,
  peerRateSuite,
  rankingKit,
  rankingSuite,
  settableRatePlace
} from "@peerstrap/peer-selection/testing"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"

const all = { capabilities: {}, test: it }

describe("the contract of Ranking", () => {
  rankingSuite("least-loaded", Layer.succeed(PeerRanking, leastLoaded), all)
  rankingSuite("throughput-weighted", Layer.succeed(PeerRanking, throughputWeighted), all)
  const small = makeThroughputWeighted({ batchBytes: 1, assumedBytesPerSecond: 1 })
  rankingSuite("throughput-weighted, a byte a batch", Layer.succeed(PeerRanking, small), all)
})

const near = ["eu-1/b", "eu-1/c"]
const far = ({ id }: Candidate) => id.startsWith("eu-1/") ? 0 : 1
const rejecting = async (compare: Ranking["compare"], ids: ReadonlyArray<string>) => {
  const names: Array<string> = []
  const checks: Array<() => Promise<void>> = []
  rankingSuite("", Layer.succeed(PeerRanking, { name: "by zone", compare }), {
    capabilities: {},
    test: (name, run) => checks.push(() => run().catch(() => void names.push(name.trim()))),
    ids
  })
  for (const check of checks) await check()
  return names
}

const zoneBeforeAttempts: Ranking["compare"] = (a, b) => far(a) - far(b) || leastLoaded.compare(a, b)
const zoneAfterAttempts: Ranking["compare"] = (a, b) => a.attempts - b.attempts || zoneBeforeAttempts(a, b)
const eitherOfTwoNear: Ranking["compare"] = (a, b) =>
  a.attempts - b.attempts || (far(a) + far(b) === 0 ? 1 : leastLoaded.compare(a, b))

describe("the kit of Ranking", () => {
  mutantSuiteOf(rankingKit, it)

  it("sees what a ranking does with ids that it knows when it is told some", async () => {
    assert.deepStrictEqual(await rejecting(zoneBeforeAttempts, [...near, "ap-1/a"]), ["puts fewer attempts first"])
    assert.deepStrictEqual(await rejecting(zoneAfterAttempts, [...near, "ap-1/a"]), [])
    assert.include(await rejecting(eitherOfTwoNear, near), "says the opposite the other way round")
  })
})

describe("the contract of PeerQueues", () => {
  peerQueuesSuite("adaptive queues", Layer.succeed(PeerQueuesMaker, makePeerQueues), all)
})

describe("the kit of PeerQueues", () => mutantSuiteOf(peerQueuesKit, it))

describe("the contract of PeerRateSource", () => {
  const unlimited = { bytesPerSecond: 0, origin: "flag" }
  peerRateSuite("a rate that can be set", settableRatePlace(unlimited), { capabilities: { changes: true }, test: it })
  const fixed = Layer.merge(
    Layer.succeed(PeerRateSource, {
      current: Effect.succeed(unlimited),
      changes: Stream.concat(Stream.succeed(unlimited), Stream.never)
    }),
    Layer.succeed(PeerRatePlace, peerRatePlace())
  )
  peerRateSuite("a rate that stays", fixed, { capabilities: { changes: false }, test: it })
})

describe("the kit of PeerRateSource", () => mutantSuiteOf(peerRateKit, it))
