/** Queues with one planted fault each: the kit must reject every one of them. */
import type { Mutant } from "@peerstrap/conformance"
import * as Layer from "effect/Layer"
import type { PeerQueues, WorkBatch } from "../contract/PeerQueues.ts"
import { makePeerQueues } from "../engine/AdaptiveQueues.ts"
import { kitLimits, type MakePeerQueues, PeerQueuesMaker } from "./PeerQueuesMaker.ts"

type PeerQueuesMutant = Mutant<PeerQueuesMaker>

const mutant = (name: string, because: RegExp, make: MakePeerQueues): PeerQueuesMutant => ({
  name,
  rejectedBy: "keeps the contract in any history",
  because: new RegExp(`^seed \\d+, step \\d+ at \\d+ ms: .*${because.source}`),
  layer: Layer.succeed(PeerQueuesMaker, make)
})

type Change = (sound: PeerQueues) => Partial<PeerQueues>

/** A sound queue with some members replaced. */
const changed = (name: string, because: RegExp, change: Change): PeerQueuesMutant =>
  mutant(name, because, (options) => {
    const sound = makePeerQueues(options)
    const base: PeerQueues = {
      peerCount: sound.peerCount,
      hasRoom: (peer, now) => sound.hasRoom(peer, now),
      enqueue: (peer, lane, item, bytes) => sound.enqueue(peer, lane, item, bytes),
      next: (now) => sound.next(now),
      undo: (batch) => sound.undo(batch),
      succeeded: (batch, bytes, now) => sound.succeeded(batch, bytes, now),
      failed: (batch, kind, message, now) => sound.failed(batch, kind, message, now),
      observe: (peer, outcome, message, now) => sound.observe(peer, outcome, message, now),
      beginCall: (peer, now) => sound.beginCall(peer, now),
      endCall: (peer) => sound.endCall(peer),
      cancelled: (batch, now) => sound.cancelled(batch, now),
      suspect: (peer) => sound.suspect(peer),
      breaker: (peer, now) => sound.breaker(peer, now),
      withdraw: (peer, lane) => sound.withdraw(peer, lane),
      candidate: (peer, attempts) => sound.candidate(peer, attempts),
      wakeAt: (now) => sound.wakeAt(now),
      state: (peer) => sound.state(peer),
      waits: (now) => sound.waits(now)
    }
    return { ...base, ...change(sound) }
  })

const limited = (name: string, because: RegExp, limits: Partial<typeof kitLimits>): PeerQueuesMutant =>
  mutant(name, because, (options) => makePeerQueues({ ...options, limits: { ...options.limits, ...limits } }))

/** Remembers what was given, for faults that need to know it. */
const remembering = (
  name: string,
  because: RegExp,
  change: (sound: PeerQueues, given: Map<number, WorkBatch>) => Partial<PeerQueues>
): PeerQueuesMutant =>
  changed(name, because, (sound) => {
    const given = new Map<number, WorkBatch>()
    const next = (now: number): WorkBatch | undefined => {
      const batch = sound.next(now)
      if (batch !== undefined) given.set(batch.batch, batch)
      return batch
    }
    return { next, ...change(sound, given) }
  })

/** All queues with a fault. */
export const peerQueuesMutants: ReadonlyArray<PeerQueuesMutant> = [
  limited("keeps no window", /batches in flight, allowed/, { windowBatches: kitLimits.windowBatches + 2 }),
  limited("gives too many items", /a batch of \d+ items$/, { maxBatchItems: 2 * kitLimits.maxBatchItems }),
  limited("gives batches above the maximum", /bytes in a batch, allowed 3200/, {
    maxBatchBytes: 2 * kitLimits.maxBatchBytes
  }),
  limited("rests too short", /rests \d+ ms after (closed|timeout|unreachable|refused), expected at least/, {
    backoffBaseMillis: kitLimits.backoffBaseMillis / 4
  }),
  limited("rests without bound", /expected at most 100/, { backoffCapMillis: 1e9 }),
  limited("asks again soon who is not ready", /rests 50 ms after not-ready/, { notReadyMillis: 50 }),
  remembering("loses the batch of an undo", /miscounts what is queued/, (sound, given) => ({
    undo: (batch) => {
      sound.undo(batch)
      const of = given.get(batch)
      if (of === undefined) return
      for (const kept of sound.withdraw(of.peer, of.lane)) {
        if (!of.items.includes(kept.item)) sound.enqueue(of.peer, kept.lane, kept.item, kept.bytes)
      }
    }
  })),
  remembering("puts the batch of an undo at the end", /lane \d gave/, (sound, given) => ({
    undo: (batch) => {
      sound.undo(batch)
      const of = given.get(batch)
      if (of === undefined) return
      const queued = sound.withdraw(of.peer, of.lane)
      const tail = queued.filter((kept) => of.items.includes(kept.item))
      for (const kept of [...queued.filter((each) => !tail.includes(each)), ...tail]) {
        sound.enqueue(of.peer, kept.lane, kept.item, kept.bytes)
      }
    }
  })),
  remembering("queues failed work again", /miscounts what is queued/, (sound, given) => ({
    failed: (batch, kind, message, now) => {
      sound.failed(batch, kind, message, now)
      const of = given.get(batch)
      for (const item of of?.items ?? []) sound.enqueue(of?.peer ?? 0, of?.lane ?? 0, item, 1)
    }
  })),
  changed("counts a pushback as a fault", /a pushback counted as a fault/, (sound) => ({
    failed: (batch, kind, message, now) => sound.failed(batch, kind === "pushback" ? "refused" : kind, message, now)
  })),
  changed("gives items out of order", /lane \d gave [\d,]+, expected/, (sound) => ({
    next: (now) => {
      const batch = sound.next(now)
      return batch === undefined ? undefined : { ...batch, items: batch.items.toReversed() }
    }
  })),
  changed(
    "gives to peers that rest",
    /rests until \d+ but got a batch/,
    (sound) => ({ next: (now) => sound.next(now + 60_000) })
  ),
  changed(
    "gives nothing at odd times",
    /nothing given, but peer \d has work/,
    (sound) => ({ next: (now) => now % 2 === 1 ? undefined : sound.next(now) })
  ),
  changed("gives to the first peer first", /was passed over/, (sound) => ({
    next: (now) => {
      const all: Array<WorkBatch> = []
      for (let batch = sound.next(now); batch !== undefined; batch = sound.next(now)) all.push(batch)
      const chosen = all.toSorted((a, b) => a.peer - b.peer || a.batch - b.batch)[0]
      for (const batch of all.toReversed()) if (batch !== chosen) sound.undo(batch.batch)
      return chosen
    }
  })),
  changed("withdraws from all lanes", /withdraw gave/, (sound) => ({ withdraw: (peer) => sound.withdraw(peer) })),
  changed("has room while it rests", /rests and says that it has room/, () => ({ hasRoom: () => true })),
  changed("never opens a breaker", /breaker and state of peer \d differ/, () => ({ breaker: () => "closed" })),
  changed("blames a peer for a cancelled batch", /a cancelled batch counted as something/, (sound) => ({
    cancelled: (batch, now) => sound.failed(batch, "timeout", "cancelled", now)
  })),
  changed("never wakes", /wakeAt is Infinity/, () => ({ wakeAt: () => Number.POSITIVE_INFINITY })),
  changed("says nothing of its waits", /no wait names peer/, () => ({ waits: () => [] })),
  changed("forgets what came", /completedBytes does not follow/, (sound) => ({
    succeeded: (batch, bytes, now) => sound.succeeded(batch, Math.min(bytes, 100), now)
  })),
  changed("forgets what is in flight", /says \d+ bytes outstanding/, (sound) => ({
    candidate: (peer, attempts) => ({
      ...sound.candidate(peer, attempts),
      outstandingBytes: sound.state(peer).queuedBytes
    })
  }))
]
