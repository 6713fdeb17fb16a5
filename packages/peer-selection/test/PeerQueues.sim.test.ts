import { assert, describe, it } from "@effect/vitest"
import { SeededRandom } from "@peerstrap/conformance"
import { type AdaptivePeerQueues, best, makePeerQueues, throughputWeighted } from "@peerstrap/peer-selection"

/** Items of work spread over peers that each deliver one batch after another at their own rate. Virtual time. */
class Swarm {
  readonly delivered: Array<number>
  readonly arrivals: Array<{ readonly atMillis: number; readonly bytes: number }> = []
  now = 0
  private readonly queues: AdaptivePeerQueues
  private readonly rates: ReadonlyArray<number>
  private readonly random: () => number
  private readonly busyUntil: Array<number>
  private pending: Array<
    { readonly at: number; readonly batch: number; readonly peer: number; readonly bytes: number }
  > = []
  private left: number

  constructor(queues: AdaptivePeerQueues, rates: ReadonlyArray<number>, items: number, seed: number) {
    this.queues = queues
    this.rates = rates
    this.left = items
    this.random = new SeededRandom(seed).next
    this.delivered = rates.map(() => 0)
    this.busyUntil = rates.map(() => 0)
  }

  /** Until all work is done or the time is over. */
  run(untilMillis: number): void {
    while (this.now <= untilMillis) {
      this.give()
      const next = this.pending.reduce((earliest, of) => Math.min(earliest, of.at), this.queues.wakeAt(this.now))
      if (next === Number.POSITIVE_INFINITY) return
      this.now = next
      for (const of of this.pending.filter((each) => each.at <= this.now)) {
        this.queues.succeeded(of.batch, of.bytes, this.now)
        this.delivered[of.peer] = (this.delivered[of.peer] ?? 0) + of.bytes
        this.arrivals.push({ atMillis: this.now, bytes: of.bytes })
      }
      this.pending = this.pending.filter((each) => each.at > this.now)
    }
  }

  /** The end of the work: an idle peer gets what waits in the queues of the others. */
  private rebalance(): void {
    const idle = this.rates.some((_, peer) =>
      this.queues.hasRoom(peer, this.now) && this.queues.candidate(peer, 0).outstandingBytes === 0
    )
    if (this.left > 0 || !idle) return
    for (const peer of this.rates.keys()) this.left += this.queues.withdraw(peer).length
  }

  private give(): void {
    this.rebalance()
    while (this.left > 0) {
      const open = this.rates.map((_, peer) => peer).filter((peer) => this.queues.hasRoom(peer, this.now))
      const chosen = best(throughputWeighted, open.map((peer) => this.queues.candidate(peer, 0)))
      if (chosen === undefined) break
      this.queues.enqueue(chosen.peer, this.left % 8, this.left, 100 + Math.floor(this.random() * 2000))
      this.left--
    }
    for (let batch = this.queues.next(this.now); batch !== undefined; batch = this.queues.next(this.now)) {
      const startsAt = Math.max(this.now, this.busyUntil[batch.peer] ?? 0)
      const bytes = Math.round(batch.bytes * (0.9 + 0.2 * this.random()))
      const at = startsAt + 1 + (bytes * 1000) / (this.rates[batch.peer] ?? 1)
      this.busyUntil[batch.peer] = at
      this.pending.push({ at, batch: batch.batch, peer: batch.peer, bytes })
    }
  }
}

const swarm = (rates: ReadonlyArray<number>, items: number, seed: number, bytesPerSecond = 0): Swarm => {
  const queues = makePeerQueues({
    peers: rates.map((_, peer) => `peer-${peer}`),
    limits: { bytesPerSecond },
    random: new SeededRandom(seed).next
  })
  return new Swarm(queues, rates, items, seed)
}

describe("a swarm in virtual time", () => {
  it("moves work off a slow peer: at most 1.5 times the time of the others alone, even when that is 2 s", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const healthy = swarm([5e6, 5e6], 17_000, seed)
      const hampered = swarm([5e6, 5e6, 2e5], 17_000, seed)
      healthy.run(600_000)
      hampered.run(600_000)
      assert.isBelow(hampered.now, 1.5 * healthy.now, `seed ${seed}: ${hampered.now} ms, healthy ${healthy.now} ms`)
    }
  })
  it("gives equal peers fair shares within 20 %", () => {
    for (let seed = 1; seed <= 5; seed++) {
      const equal = swarm([4e6, 4e6, 4e6, 4e6], 60_000, seed)
      equal.run(600_000)
      const mean = equal.delivered.reduce((sum, of) => sum + of, 0) / 4
      for (const bytes of equal.delivered) assert.closeTo(bytes, mean, mean * 0.2, `seed ${seed}`)
    }
  })
  for (const limit of [50_000, 1_000_000, 8_000_000]) {
    it(`keeps ${limit} bytes/s within 5 % in every 10 s window`, () => {
      const limited = swarm([2e7], Number.POSITIVE_INFINITY, limit, limit)
      limited.run(60_000)
      for (let from = 5_000; from < 50_000; from += 250) {
        let sum = 0
        for (const { atMillis, bytes } of limited.arrivals) {
          if (atMillis >= from && atMillis < from + 10_000) sum += bytes
        }
        assert.closeTo(sum, 10 * limit, limit / 2, `from ${from} ms`)
      }
    })
  }
  it("follows a limit that changes while running", () => {
    const queues = makePeerQueues({
      peers: ["a"],
      limits: { bytesPerSecond: 100_000 },
      random: new SeededRandom(1).next
    })
    const run = new Swarm(queues, [2e7], Number.POSITIVE_INFINITY, 1)
    run.run(10_000)
    const before = run.delivered[0] ?? 0
    queues.setBytesPerSecond(1_000_000)
    run.run(20_000)
    assert.closeTo((run.delivered[0] ?? 0) - before, 10_000_000, 500_000)
  })
})
