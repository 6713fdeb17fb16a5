/** Queues with one planted fault each: the kit must reject every one of them. */
import type { PeerQueues, WorkBatch } from "../contract/PeerQueues.ts"
import { makePeerQueues } from "../engine/AdaptiveQueues.ts"
import { kitLimits, type MakePeerQueues } from "./PeerQueuesKit.ts"

/** Queues with one fault. */
export interface PeerQueuesMutant {
  readonly name: string
  readonly make: MakePeerQueues
}

type Change = (sound: PeerQueues) => Partial<PeerQueues>

/** A sound queue with some members replaced. */
const changed = (name: string, change: Change): PeerQueuesMutant => ({
  name,
  make: (options) => {
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
  }
})

const limited = (name: string, limits: Partial<typeof kitLimits>): PeerQueuesMutant => ({
  name,
  make: (options) => makePeerQueues({ ...options, limits: { ...options.limits, ...limits } })
})

/** Remembers what was given, for faults that need to know it. */
const remembering = (
  name: string,
  change: (sound: PeerQueues, given: Map<number, WorkBatch>) => Partial<PeerQueues>
): PeerQueuesMutant =>
  changed(name, (sound) => {
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
  limited("window-not-kept", { windowBatches: kitLimits.windowBatches + 2 }),
  limited("too-many-items", { maxBatchItems: 2 * kitLimits.maxBatchItems }),
  limited("batch-above-maximum", { maxBatchBytes: 2 * kitLimits.maxBatchBytes }),
  limited("back-off-too-short", { backoffBaseMillis: kitLimits.backoffBaseMillis / 4 }),
  limited("back-off-without-cap", { backoffCapMillis: 1e9 }),
  limited("not-ready-polled-fast", { notReadyMillis: 50 }),
  remembering("undo-loses-the-batch", (sound, given) => ({
    undo: (batch) => {
      sound.undo(batch)
      const of = given.get(batch)
      if (of === undefined) return
      for (const kept of sound.withdraw(of.peer, of.lane)) {
        if (!of.items.includes(kept.item)) sound.enqueue(of.peer, kept.lane, kept.item, kept.bytes)
      }
    }
  })),
  remembering("undo-to-the-tail", (sound, given) => ({
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
  remembering("failed-work-queued-again", (sound, given) => ({
    failed: (batch, kind, message, now) => {
      sound.failed(batch, kind, message, now)
      const of = given.get(batch)
      for (const item of of?.items ?? []) sound.enqueue(of?.peer ?? 0, of?.lane ?? 0, item, 1)
    }
  })),
  changed("pushback-is-a-fault", (sound) => ({
    failed: (batch, kind, message, now) => sound.failed(batch, kind === "pushback" ? "refused" : kind, message, now)
  })),
  changed("items-out-of-order", (sound) => ({
    next: (now) => {
      const batch = sound.next(now)
      return batch === undefined ? undefined : { ...batch, items: batch.items.toReversed() }
    }
  })),
  changed("gives-to-resting-peers", (sound) => ({ next: (now) => sound.next(now + 60_000) })),
  changed("gives-nothing-at-odd-times", (sound) => ({ next: (now) => now % 2 === 1 ? undefined : sound.next(now) })),
  changed("first-peer-first", (sound) => ({
    next: (now) => {
      const all: Array<WorkBatch> = []
      for (let batch = sound.next(now); batch !== undefined; batch = sound.next(now)) all.push(batch)
      const chosen = all.toSorted((a, b) => a.peer - b.peer || a.batch - b.batch)[0]
      for (const batch of all.toReversed()) if (batch !== chosen) sound.undo(batch.batch)
      return chosen
    }
  })),
  changed("withdraw-ignores-the-lane", (sound) => ({ withdraw: (peer) => sound.withdraw(peer) })),
  changed("room-while-resting", () => ({ hasRoom: () => true })),
  changed("breaker-never-opens", () => ({ breaker: () => "closed" })),
  changed("blame-for-a-cancelled-batch", (sound) => ({
    cancelled: (batch, now) => sound.failed(batch, "timeout", "cancelled", now)
  })),
  changed("never-wakes", () => ({ wakeAt: () => Number.POSITIVE_INFINITY })),
  changed("silent", () => ({ waits: () => [] })),
  changed("forgets-success", (sound) => ({
    succeeded: (batch, bytes, now) => sound.succeeded(batch, Math.min(bytes, 100), now)
  })),
  changed("outstanding-without-in-flight", (sound) => ({
    candidate: (peer, attempts) => ({
      ...sound.candidate(peer, attempts),
      outstandingBytes: sound.state(peer).queuedBytes
    })
  }))
]
