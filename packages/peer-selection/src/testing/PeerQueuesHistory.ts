/**
 * Runs random histories against a `PeerQueues` beside a naive reference (plain arrays) and names everything that breaks the contract:
 * items lost, doubled or out of order, bounds passed, rests ignored, turns not kept, work stuck.
 */
import { SeededRandom } from "@peerstrap/conformance"
import type { FailureKind, PeerQueues, WorkBatch } from "../contract/PeerQueues.ts"
import { kitLimits, type MakePeerQueues } from "./PeerQueuesMaker.ts"

interface Queued {
  readonly lane: number
  readonly item: number
  readonly bytes: number
}

const laneCount = 4
const kinds: ReadonlyArray<FailureKind> = [
  "unreachable",
  "closed",
  "timeout",
  "pushback",
  "not-ready",
  "refused",
  "faulty"
]

class History {
  readonly violations: Array<string> = []
  private readonly queues: PeerQueues
  private readonly random: () => number
  private readonly queued: Array<Array<Queued>>
  private readonly flying = new Map<
    number,
    { readonly batch: WorkBatch; readonly items: Array<Queued>; readonly faults: number }
  >()
  private readonly faults: Array<number>
  private readonly streak: Array<number>
  private readonly backoffs: Array<number>
  private readonly skippedPeers: Array<number>
  private readonly skippedLanes: Array<Array<number>>
  private now = 0
  private nextItem = 1
  private step = 0

  constructor(make: MakePeerQueues, seed: number, peerCount: number) {
    this.random = new SeededRandom(seed).next
    const peers = Array.from({ length: peerCount }, (_, peer) => `peer-${peer}`)
    this.queues = make({ peers, limits: kitLimits, random: new SeededRandom(seed + 1).next })
    this.queued = peers.map(() => [])
    this.faults = peers.map(() => 0)
    this.streak = peers.map(() => 0)
    this.backoffs = peers.map(() => 0)
    this.skippedPeers = peers.map(() => 0)
    this.skippedLanes = peers.map(() => Array.from({ length: laneCount }, () => 0))
  }

  run(steps: number): void {
    for (this.step = 0; this.step < steps && this.violations.length === 0; this.step++) {
      const dice = this.random()
      if (dice < 0.4) this.enqueue()
      else if (dice < 0.6) this.next()
      else if (dice < 0.65) this.undo()
      else if (dice < 0.8) this.succeed()
      else if (dice < 0.85) this.fail()
      else if (dice < 0.87) this.observe()
      else if (dice < 0.89) this.withdraw()
      else if (dice < 0.9) this.cancel()
      else this.now += this.below(60)
      this.checkStates()
    }
    if (this.violations.length === 0) this.drain()
  }

  private below(limit: number): number {
    return Math.floor(this.random() * limit)
  }

  private expect(holds: boolean, what: string): void {
    if (!holds) this.violations.push(`step ${this.step} at ${this.now} ms: ${what}`)
  }

  private enqueue(): void {
    const peer = this.below(this.queues.peerCount)
    const entry = {
      lane: this.below(laneCount),
      item: this.nextItem++,
      bytes: this.below(10) === 0 ? 5000 : this.below(300)
    }
    if (!this.laneOf(peer, entry.lane).length) this.lanesSkipped(peer)[entry.lane] = 0
    if (!this.queuedOf(peer).length) this.skippedPeers[peer] = 0
    this.queues.enqueue(peer, entry.lane, entry.item, entry.bytes)
    this.queuedOf(peer).push(entry)
  }

  private next(): void {
    const before = this.queued.map((_, peer) => this.queues.state(peer))
    const ready = before.filter((state) =>
      state.queuedItems > 0 && state.restUntilMillis <= this.now && state.inFlightBatches === 0
    )
    const batch = this.queues.next(this.now)
    if (batch === undefined) {
      this.expect(ready.length === 0, `nothing given, but peer ${ready[0]?.peer} has work, is idle and not resting`)
      return
    }
    const state = before[batch.peer]
    const lane = this.laneOf(batch.peer, batch.lane)
    const expected = lane.slice(0, batch.items.length)
    this.expect(batch.items.length > 0, "an empty batch was given")
    this.expect(batch.items.length <= kitLimits.maxBatchItems, `a batch of ${batch.items.length} items`)
    this.expect(
      sameItems(batch.items, expected),
      `lane ${batch.lane} gave ${batch.items}, expected ${expected.map((of) => of.item)}`
    )
    this.expect(batch.bytes === sum(expected), `a batch says ${batch.bytes} bytes, its items have ${sum(expected)}`)
    if (state !== undefined) {
      const largest = Math.min(kitLimits.maxBatchBytes, state.batchBytes)
      this.expect(
        batch.items.length === 1 || batch.bytes <= largest,
        `${batch.bytes} bytes in a batch, allowed ${largest}`
      )
      this.expect(
        state.restUntilMillis <= this.now,
        `peer ${batch.peer} rests until ${state.restUntilMillis} but got a batch`
      )
      const window = state.failuresInRow > 0 ? 1 : kitLimits.windowBatches
      this.expect(state.inFlightBatches < window, `${state.inFlightBatches + 1} batches in flight, allowed ${window}`)
    }
    this.queued[batch.peer] = this.queuedOf(batch.peer).filter((of) => !expected.includes(of))
    this.flying.set(batch.batch, { batch, items: expected, faults: this.faults[batch.peer] ?? 0 })
    this.takeTurns(batch, ready.map((of) => of.peer))
  }

  /** Nobody with work ready may be passed over by more batches than there are others. */
  private takeTurns(batch: WorkBatch, ready: ReadonlyArray<number>): void {
    for (let peer = 0; peer < this.queues.peerCount; peer++) {
      const skipped = peer === batch.peer || !ready.includes(peer) ? 0 : (this.skippedPeers[peer] ?? 0) + 1
      this.skippedPeers[peer] = skipped
      this.expect(skipped < this.queues.peerCount, `peer ${peer} was passed over ${skipped} times`)
    }
    const lanes = this.lanesSkipped(batch.peer)
    for (let lane = 0; lane < laneCount; lane++) {
      const skipped = lane === batch.lane || this.laneOf(batch.peer, lane).length === 0 ? 0 : (lanes[lane] ?? 0) + 1
      lanes[lane] = skipped
      this.expect(skipped < laneCount, `lane ${lane} of peer ${batch.peer} was passed over ${skipped} times`)
    }
  }

  private land(): { readonly batch: WorkBatch; readonly items: Array<Queued>; readonly faults: number } | undefined {
    const all = [...this.flying.values()]
    const landed = all[this.below(all.length)]
    if (landed !== undefined) this.flying.delete(landed.batch.batch)
    return landed
  }

  private undo(): void {
    const landed = this.land()
    if (landed === undefined) return
    this.queues.undo(landed.batch.batch)
    this.queued[landed.batch.peer] = [...landed.items, ...this.queuedOf(landed.batch.peer)]
    this.skippedPeers.fill(0)
    this.lanesSkipped(landed.batch.peer).fill(0)
  }

  private succeed(): void {
    const landed = this.land()
    if (landed === undefined) return
    const peer = landed.batch.peer
    const completed = this.queues.state(peer).completedBytes
    const received = this.below(2) === 0 ? landed.batch.bytes : this.below(2 * landed.batch.bytes + 1)
    this.queues.succeeded(landed.batch.batch, received, this.now)
    this.streak[peer] = 0
    this.backoffs[peer] = 0
    this.expect(
      this.queues.state(peer).completedBytes === completed + received,
      "completedBytes does not follow what came"
    )
  }

  private fail(): void {
    const landed = this.land()
    if (landed === undefined) return
    const kind = kinds[this.below(kinds.length)] ?? "closed"
    const peer = landed.batch.peer
    const rest = this.queues.state(peer).restUntilMillis
    this.queues.failed(landed.batch.batch, kind, `${kind} in the kit`, this.now)
    if (kind === "pushback") {
      return this.expect(this.queues.state(peer).failuresInRow === this.streak[peer], "a pushback counted as a fault")
    }
    this.checkFault(peer, kind, landed.faults < (this.faults[peer] ?? 0), rest)
  }

  /** Given up by the caller: nothing is said about the peer, nothing is queued again. */
  private cancel(): void {
    const landed = this.land()
    if (landed === undefined) return
    const before = this.queues.state(landed.batch.peer)
    this.queues.cancelled(landed.batch.batch, this.now)
    const after = this.queues.state(landed.batch.peer)
    this.expect(
      after.failuresInRow === before.failuresInRow && after.restUntilMillis === before.restUntilMillis &&
        after.isTripped === before.isTripped,
      "a cancelled batch counted as something"
    )
  }

  private observe(): void {
    const peer = this.below(this.queues.peerCount)
    const kind = kinds.filter((of) => of !== "pushback")[this.below(kinds.length - 1)] ?? "closed"
    const rest = this.queues.state(peer).restUntilMillis
    this.queues.observe(peer, kind, `${kind} in the kit`, this.now)
    this.checkFault(peer, kind, rest > this.now, rest)
  }

  private checkFault(peer: number, kind: FailureKind, isEcho: boolean, restBefore: number): void {
    if (!isEcho) {
      this.faults[peer] = (this.faults[peer] ?? 0) + 1
      this.streak[peer] = (this.streak[peer] ?? 0) + 1
      if (kind !== "not-ready") this.backoffs[peer] = (this.backoffs[peer] ?? 0) + 1
    }
    const state = this.queues.state(peer)
    this.expect(
      state.failuresInRow === this.streak[peer],
      `${state.failuresInRow} failures in a row, expected ${this.streak[peer]}`
    )
    const whole = kind === "not-ready"
      ? kitLimits.notReadyMillis
      : Math.min(kitLimits.backoffCapMillis, kitLimits.backoffBaseMillis * 2 ** ((this.backoffs[peer] ?? 1) - 1))
    const least = isEcho ? Number.NEGATIVE_INFINITY : kind === "not-ready" ? whole : whole / 2
    const rested = state.restUntilMillis - this.now
    this.expect(rested >= least, `rests ${rested} ms after ${kind}, expected at least ${least}`)
    this.expect(
      rested <= whole || state.restUntilMillis === restBefore,
      `rests ${rested} ms after ${kind}, expected at most ${whole}`
    )
    if (!isEcho) this.expect(state.lastFailure === kind, `the last failure reads ${state.lastFailure}, was ${kind}`)
  }

  private withdraw(): void {
    const peer = this.below(this.queues.peerCount)
    const lane = this.below(2) === 0 ? undefined : this.below(laneCount)
    const expected = this.queuedOf(peer).filter((of) => lane === undefined || of.lane === lane)
    const given = this.queues.withdraw(peer, lane)
    this.queued[peer] = this.queuedOf(peer).filter((of) => !expected.includes(of))
    const inOrder = expected.toSorted((a, b) => a.item - b.item).map(show).join()
    this.expect(
      given.toSorted((a, b) => a.item - b.item).map(show).join() === inOrder,
      `withdraw gave ${given.map(show)}`
    )
  }

  private checkStates(): void {
    const waits = this.queues.waits(this.now)
    const wakeAt = this.queues.wakeAt(this.now)
    this.expect(wakeAt > this.now, `wakeAt is ${wakeAt}, not in the future`)
    for (let peer = 0; peer < this.queues.peerCount; peer++) {
      const state = this.queues.state(peer)
      const queued = this.queuedOf(peer)
      const flying = [...this.flying.values()].filter((of) => of.batch.peer === peer)
      const flyingBytes = flying.reduce((total, of) => total + of.batch.bytes, 0)
      this.expect(
        state.queuedItems === queued.length && state.queuedBytes === sum(queued),
        `peer ${peer} miscounts what is queued`
      )
      this.expect(
        state.inFlightBatches === flying.length && state.inFlightBytes === flyingBytes,
        `peer ${peer} miscounts in flight`
      )
      this.expect(
        state.batchBytes <= kitLimits.maxBatchBytes && state.batchBytes >= kitLimits.minBatchBytes,
        "batch size out of bounds"
      )
      const { outstandingBytes } = this.queues.candidate(peer, 0)
      const isTripped = this.queues.breaker(peer, this.now) !== "closed"
      this.expect(isTripped === state.isTripped, `breaker and state of peer ${peer} differ`)
      this.expect(
        isTripped === (state.failuresInRow > 0),
        `peer ${peer} failed ${state.failuresInRow} times in a row, its breaker is ${
          this.queues.breaker(peer, this.now)
        }`
      )
      this.expect(
        outstandingBytes === sum(queued) + flyingBytes,
        `peer ${peer} says ${outstandingBytes} bytes outstanding`
      )
      if (state.restUntilMillis <= this.now) continue
      this.expect(!this.queues.hasRoom(peer, this.now), `peer ${peer} rests and says that it has room`)
      this.expect(
        wakeAt <= state.restUntilMillis,
        `peer ${peer} rests until ${state.restUntilMillis}, wakeAt is ${wakeAt}`
      )
      this.expect(waits.some((wait) => wait.peers.includes(state.id)), `no wait names peer ${peer}, which rests`)
    }
  }

  /** Liveness: when everything succeeds, all queued work leaves. */
  private drain(): void {
    for (let turn = 0; turn < 10_000 && this.violations.length === 0; turn++) {
      while (this.flying.size > 0) this.succeed()
      if (this.queued.every((of) => of.length === 0)) return
      const given = this.flying.size
      this.next()
      if (this.flying.size > given) continue
      const wakeAt = this.queues.wakeAt(this.now)
      if (wakeAt === Number.POSITIVE_INFINITY) {
        return this.expect(false, "work is queued, nothing is given and nothing waits for time")
      }
      this.now = wakeAt
    }
    this.expect(this.queued.every((of) => of.length === 0), "queued work never left")
  }

  private queuedOf(peer: number): Array<Queued> {
    return this.queued[peer] ?? []
  }

  private laneOf(peer: number, lane: number): Array<Queued> {
    return this.queuedOf(peer).filter((of) => of.lane === lane)
  }

  private lanesSkipped(peer: number): Array<number> {
    return this.skippedLanes[peer] ?? []
  }
}

const sum = (items: ReadonlyArray<Queued>): number => items.reduce((total, of) => total + of.bytes, 0)
const show = (of: Queued): string => `${of.lane}:${of.item}:${of.bytes}`
const sameItems = (items: ReadonlyArray<number>, expected: ReadonlyArray<Queued>): boolean =>
  items.length === expected.length && items.every((item, at) => item === expected[at]?.item)

/** The first violation of a history of `steps` random steps, with its seed, or undefined when the contract held. */
export const peerQueuesViolation = (
  make: MakePeerQueues,
  options: { readonly seed: number; readonly steps: number; readonly peers: number }
): string | undefined => {
  const history = new History(make, options.seed, options.peers)
  history.run(options.steps)
  const first = history.violations[0]
  return first === undefined ? undefined : `seed ${options.seed}, ${first}`
}
