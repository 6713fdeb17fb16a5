import { assert, describe, it } from "@effect/vitest"
import { defaultQueueLimits, makePeerQueues, type QueueLimits, type WorkBatch } from "@peerstrap/peer-selection"

const kib = 1024
const queuesOf = (limits: Partial<QueueLimits> = {}, peers: ReadonlyArray<string> = ["a"]) =>
  makePeerQueues({ peers, limits, random: () => 0 })

/** Keeps one peer filled with items of 4 KiB and answers each batch after `millisOf(batch)`. Returns the sizes of the batches. */
const serve = (
  queues: ReturnType<typeof queuesOf>,
  batches: number,
  millisOf: (batch: WorkBatch) => number,
  startMillis = 0
): Array<number> => {
  const sizes: Array<number> = []
  let now = startMillis
  let item = 0
  for (let round = 0; round < batches; round++) {
    for (let filled = 0; filled < 3000; filled++) queues.enqueue(0, 0, item++, 4 * kib)
    const batch = queues.next(now)
    if (batch === undefined) throw new Error("nothing was given")
    sizes.push(batch.bytes)
    now += millisOf(batch)
    queues.succeeded(batch.batch, batch.bytes, now)
  }
  return sizes
}

describe("batch size", () => {
  it("doubles up to the maximum while full batches come back in time", () => {
    const sizes = serve(queuesOf(), 6, () => 10)
    assert.deepStrictEqual(sizes, [256, 512, 1024, 2048, 4096, 4096].map((size) => size * kib))
  })
  it("follows the rate of a slow peer down to the target time", () => {
    const queues = queuesOf()
    const sizes = serve(queues, 12, (batch) => batch.bytes / 200)
    assert.isAtMost(sizes.at(-1) ?? 0, 100_000)
    assert.isAtLeast(sizes.at(-1) ?? 0, 90_000)
    assert.closeTo(queues.state(0).bytesPerSecond, 200_000, 2000)
    assert.isAtMost(departing(queues, 1e6).length, 2)
  })
  it("does not shrink for a peer that is only far away", () => {
    const queues = queuesOf()
    const sizes = serve(queues, 12, (batch) => 800 + batch.bytes / 20_000)
    assert.isAtLeast(sizes.at(-1) ?? 0, 128 * kib)
    assert.lengthOf(departing(queues, 1e6), 3)
  })
  it("shrinks for a peer that was far away and then loses its bandwidth", () => {
    const queues = queuesOf()
    let served = 0
    const sizes = serve(queues, 24, (batch) => 800 + (++served > 12 ? batch.bytes / 20 : 0))
    assert.isAtMost(sizes.at(-1) ?? 0, 16 * kib)
  })
  it("is not shrunk by small batches that cost a round trip", () => {
    const queues = queuesOf()
    for (let round = 0; round < 20; round++) {
      queues.enqueue(0, 0, round, 200)
      const batch = queues.next(round * 100)
      queues.succeeded(batch?.batch ?? 0, 200, round * 100 + 50)
    }
    assert.strictEqual(queues.state(0).batchBytes, defaultQueueLimits.initialBatchBytes)
  })
  it("is not held down by what small batches showed first", () => {
    for (const roundTripMillis of [1, 400]) {
      const queues = queuesOf()
      queues.enqueue(0, 0, 0, 200)
      queues.succeeded(queues.next(0)?.batch ?? 0, 200, roundTripMillis)
      const sizes = serve(queues, 6, (batch) => roundTripMillis + batch.bytes / 100_000, 1000)
      const growth = sizes.slice(1).map((size, at) => size / (sizes[at] ?? 1))
      assert.isTrue(growth.every((factor) => factor > 1.05 || sizes.at(-1) === 4096 * kib), `${sizes}`)
      assert.isAtLeast(departing(queues, 1e6).length, 2)
    }
  })
  it("halves on timeout and on a closed connection down to the minimum, not on other failures", () => {
    const queues = queuesOf()
    let now = 0
    const failWith = (kind: "timeout" | "closed" | "refused") => {
      queues.enqueue(0, 0, 1, 10)
      const batch = queues.next(now)
      queues.failed(batch?.batch ?? 0, kind, kind, now)
      now = queues.state(0).restUntilMillis
      return queues.state(0).batchBytes / kib
    }
    const sizes = [
      failWith("timeout"),
      failWith("closed"),
      failWith("refused"),
      failWith("timeout"),
      failWith("timeout"),
      failWith("closed")
    ]
    assert.deepStrictEqual(sizes, [128, 64, 64, 32, 16, 16])
  })
  it("lets one item pass that is larger than any batch", () => {
    const queues = queuesOf()
    queues.enqueue(0, 0, 7, 50_000_000)
    assert.deepStrictEqual(queues.next(0)?.items, [7])
  })
})

const departing = (queues: ReturnType<typeof queuesOf>, now: number): Array<WorkBatch> => {
  for (let item = 0; item < 20; item++) queues.enqueue(0, 0, item, 200 * kib)
  const out: Array<WorkBatch> = []
  for (let batch = queues.next(now); batch !== undefined; batch = queues.next(now)) out.push(batch)
  return out
}
const prove = (queues: ReturnType<typeof queuesOf>, now: number) => {
  queues.enqueue(0, 0, 0, 1)
  queues.succeeded(queues.next(now)?.batch ?? 0, 1, now)
}

describe("window", () => {
  it("is one batch until the peer has completed one, then the limit", () => {
    const queues = queuesOf()
    const [probe, ...others] = departing(queues, 0)
    assert.isDefined(probe)
    assert.isEmpty(others)
    queues.succeeded(probe?.batch ?? 0, probe?.bytes ?? 0, 10)
    assert.lengthOf(departing(queues, 10), 3)
  })
  it("is one batch again after a fault, and three lost together count as one fault", () => {
    const queues = queuesOf()
    prove(queues, 0)
    const three = departing(queues, 0)
    for (const batch of three) queues.failed(batch.batch, "closed", "reset by peer", 5)
    const state = queues.state(0)
    assert.strictEqual(state.failuresInRow, 1)
    assert.strictEqual(state.restUntilMillis, 55)
    assert.strictEqual(state.batchBytes, 128 * kib)
    assert.isEmpty(departing(queues, 54))
    assert.lengthOf(departing(queues, 55), 1)
  })
  it("halves on pushback without a fault, and grows back", () => {
    const queues = queuesOf({ maxBatchItems: 1 })
    prove(queues, 0)
    for (const batch of departing(queues, 0)) queues.failed(batch.batch, "pushback", "overloaded", 0)
    assert.strictEqual(queues.state(0).failuresInRow, 0)
    assert.isFalse(queues.hasRoom(0, 1))
    let now = queues.state(0).restUntilMillis
    const grown: Array<number> = []
    for (let round = 0; round < 3; round++) {
      const batches = departing(queues, ++now)
      grown.push(batches.length)
      for (const batch of batches) queues.succeeded(batch.batch, batch.bytes, now)
    }
    assert.deepStrictEqual(grown, [1, 2, 3])
  })
})

describe("rests", () => {
  it("polls a peer that is not ready at its own pace", () => {
    const queues = queuesOf()
    for (let round = 1; round <= 3; round++) {
      queues.observe(0, "not-ready", "bootstrapping", round * 10_000)
      assert.strictEqual(queues.wakeAt(round * 10_000), round * 10_000 + 2000)
    }
    queues.observe(0, "unreachable", "connection refused", 40_000)
    assert.strictEqual(queues.state(0).restUntilMillis, 40_050)
  })
  it("end when a call outside shows that the peer is there, but not after it delivered wrong data", () => {
    const queues = queuesOf()
    queues.observe(0, "unreachable", "connection refused", 0)
    queues.observe(0, "ok", "", 1)
    assert.isTrue(queues.hasRoom(0, 1))
    queues.observe(0, "faulty", "checksum", 2)
    queues.observe(0, "ok", "", 3)
    assert.isFalse(queues.hasRoom(0, 3))
  })
  it("say who, why, how often and when next", () => {
    const queues = queuesOf({}, ["a", "b"])
    let now = 0
    for (let round = 0; round < 7; round++) {
      queues.observe(1, "unreachable", "connection refused", now)
      now = queues.state(1).restUntilMillis
    }
    const [wait, ...others] = queues.waits(now - 2000)
    assert.isEmpty(others)
    assert.deepStrictEqual(wait?.peers, ["b"])
    assert.strictEqual(wait?.cause, "connection refused (7 tries, breaker open, next in 2.0 s)")
    assert.match(wait?.remedy ?? "", /^start peer b/)
    assert.strictEqual(wait?.sinceMillis, 0)
    queues.enqueue(1, 0, 0, 1)
    assert.strictEqual(queues.waits(now)[0]?.cause, "connection refused (7 tries, half-open: the next call probes it)")
    queues.next(now)
    assert.strictEqual(queues.waits(now)[0]?.cause, "connection refused (7 tries, trying now)")
  })
})

describe("bytes/s", () => {
  it("holds a batch back until its share has come, says so, and charges what really came", () => {
    const queues = queuesOf({ bytesPerSecond: 1000 })
    for (let item = 0; item < 9; item++) queues.enqueue(0, 0, item, 200)
    const first = queues.next(10_000)
    assert.strictEqual(first?.bytes, 200)
    assert.strictEqual(queues.wakeAt(10_000), Number.POSITIVE_INFINITY)
    queues.succeeded(first?.batch ?? 0, 1200, 10_001)
    assert.isUndefined(queues.next(10_002))
    // 1.2 s of the limit, less the burst of an eighth of a second.
    assert.strictEqual(queues.wakeAt(10_002), 11_075)
    const [wait] = queues.waits(10_575)
    assert.strictEqual(wait?.cause, "limit of 1000 bytes/s a peer, 1600 bytes queued (next in 0.5 s)")
    assert.deepStrictEqual(wait?.change, { setting: "peer-rate", value: "2000" })
    assert.isUndefined(queues.next(11_074))
    assert.isDefined(queues.next(11_075))
  })
  it("does not charge a batch that never left", () => {
    const queues = queuesOf({ bytesPerSecond: 1000 })
    queues.enqueue(0, 0, 0, 200)
    for (let times = 0; times < 5; times++) queues.undo(queues.next(10_000)?.batch ?? 0)
    const refused = queues.next(10_000)
    queues.failed(refused?.batch ?? 0, "pushback", "overloaded", 10_000)
    queues.enqueue(0, 0, 1, 200)
    assert.isDefined(queues.next(queues.wakeAt(10_000)))
    assert.strictEqual(queues.state(0).restUntilMillis, 10_050)
  })
})

describe("misuse", () => {
  it("names every wrong limit at once", () => {
    assert.throws(() => queuesOf({ windowBatches: 0, bytesPerSecond: -1 }), /windowBatches.*bytesPerSecond/)
  })
  it("refuses unknown peers, batches that are not in flight and sizes that are none", () => {
    const queues = queuesOf()
    assert.throws(() => queues.hasRoom(1, 0), /no peer 1, there are 1/)
    assert.throws(() => queues.enqueue(0, 0, 0, -1), /integer from 0/)
    queues.enqueue(0, 0, 0, 1)
    const batch = queues.next(0)?.batch ?? 0
    queues.succeeded(batch, 1, 0)
    assert.throws(() => queues.failed(batch, "closed", "", 0), /not in flight/)
  })
})

const tripped = () => {
  const queues = queuesOf()
  queues.enqueue(0, 0, 1, 100)
  const batch = queues.next(0)!
  queues.failed(batch.batch, "timeout", "no byte for 15 s", 0)
  return { queues, later: queues.state(0).restUntilMillis }
}

describe("the breaker of a peer", () => {
  it("opens with a fault of a batch or of another call, and never with a pushback", () => {
    const { later, queues } = tripped()
    assert.strictEqual(queues.breaker(0, 0), "open")
    assert.strictEqual(queues.breaker(0, later), "half-open")
    const others = queuesOf()
    others.observe(0, "closed", "reset", 0)
    assert.strictEqual(others.breaker(0, 0), "open")
    const busy = queuesOf()
    busy.observe(0, "pushback", "busy", 0)
    assert.strictEqual(busy.breaker(0, 0), "closed")
  })

  it("lets one call through as a probe, of whatever kind", () => {
    const { later, queues } = tripped()
    queues.enqueue(0, 0, 2, 100)
    assert.isFalse(queues.beginCall(0, later - 1))
    assert.isTrue(queues.beginCall(0, later))
    assert.isFalse(queues.beginCall(0, later))
    assert.isUndefined(queues.next(later))
    queues.endCall(0)
    const probe = queues.next(later)
    assert.isDefined(probe)
    assert.isFalse(queues.beginCall(0, later))
    queues.succeeded(probe!.batch, 100, later + 5)
    assert.strictEqual(queues.breaker(0, later + 5), "closed")
    assert.isTrue(queues.beginCall(0, later + 5))
    assert.isTrue(queues.beginCall(0, later + 5))
  })

  it("is not closed by a listing when batches were cut off, and is when a listing was", () => {
    const { later, queues } = tripped()
    queues.beginCall(0, later)
    queues.observe(0, "ok", "", later)
    assert.strictEqual(queues.breaker(0, later), "half-open")
    const others = queuesOf()
    others.observe(0, "timeout", "silent", 0)
    others.observe(0, "ok", "", 10_000)
    assert.strictEqual(others.breaker(0, 10_000), "closed")
    assert.strictEqual(others.state(0).failuresInRow, 0)
  })

  it("a peer with an overdue batch gets no more until that has ended, and it is no fault", () => {
    const queues = queuesOf()
    serve(queues, 3, () => 10)
    const batch = queues.next(100)!
    queues.suspect(0)
    assert.isFalse(queues.hasRoom(0, 100))
    assert.isUndefined(queues.next(100))
    assert.include(queues.waits(100)[0]?.cause, "much longer than others")
    queues.cancelled(batch.batch, 200)
    assert.strictEqual(queues.state(0).failuresInRow, 0)
    assert.isDefined(queues.next(200))
  })
})
