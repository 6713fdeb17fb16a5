import { assert, describe, it } from "@effect/vitest"
import {
  best,
  type Candidate,
  leastLoaded,
  makeThroughputWeighted,
  throughputWeighted
} from "@peerstrap/peer-selection"

const candidate = (peer: number, rest: Partial<Candidate> = {}): Candidate => ({
  peer,
  id: `p${peer}`,
  attempts: 0,
  outstandingBytes: 0,
  lastTried: 0,
  bytesPerSecond: 0,
  ...rest
})

describe("best", () => {
  it("chooses nobody of nobody", () => assert.isUndefined(best(leastLoaded, [])))
})

describe("least-loaded", () => {
  it("follows attempts, bytes, age, id in this order", () => {
    const ordered = [
      candidate(4, { lastTried: 1 }),
      candidate(3, { lastTried: 2, id: "a" }),
      candidate(2, { lastTried: 2, id: "b" }),
      candidate(1, { outstandingBytes: 5 }),
      candidate(0, { attempts: 1 })
    ]
    assert.deepStrictEqual(ordered.toReversed().toSorted(leastLoaded.compare), ordered)
  })
})

describe("throughput-weighted", () => {
  it("prefers a fast busy peer to a slow idle one", () => {
    const slow = candidate(0, { bytesPerSecond: 200_000 })
    const fast = candidate(1, { bytesPerSecond: 10_000_000, outstandingBytes: 1_000_000 })
    assert.strictEqual(best(throughputWeighted, [slow, fast])?.peer, 1)
    assert.strictEqual(best(leastLoaded, [slow, fast])?.peer, 0)
  })
  it("takes the median of the known for the unknown, also of an even number", () => {
    const ranking = makeThroughputWeighted({ batchBytes: 1000 })
    const known = [
      candidate(0, { bytesPerSecond: 1000, attempts: 1 }),
      candidate(1, { bytesPerSecond: 3000, attempts: 1 })
    ]
    const fitted = ranking.over?.([...known, candidate(2)])
    const unknown = candidate(2)
    assert.isBelow(fitted?.compare(unknown, candidate(3, { bytesPerSecond: 1999 })) ?? 0, 0)
    assert.isAbove(fitted?.compare(unknown, candidate(3, { bytesPerSecond: 2001 })) ?? 0, 0)
  })
  it("falls back to load when nothing is known", () => {
    assert.strictEqual(best(throughputWeighted, [candidate(0, { outstandingBytes: 10 }), candidate(1)])?.peer, 1)
  })
})
