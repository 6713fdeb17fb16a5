/** Moves work between peers: from those that rest, are slow at the end, or are overdue, to those that have room. */
import type { FetchBatch } from "./FetchBatch.ts"
import { BatchTimes } from "./Hedging.ts"
import type { RunScope } from "./RunScope.ts"
import type { ShardStream } from "./ShardStream.ts"

/** Queued work moves between peers at most this often: it costs one pass over the queues. */
const minMoveMillis = 20

export class WorkMoves {
  readonly times: BatchTimes
  private readonly scope: RunScope
  private readonly active: ReadonlyMap<number, ShardStream>
  private readonly inFlight: Map<number, FetchBatch>
  private nextMoveMillis = 0

  constructor(scope: RunScope, active: ReadonlyMap<number, ShardStream>, inFlight: Map<number, FetchBatch>) {
    this.scope = scope
    this.active = active
    this.inFlight = inFlight
    this.times = new BatchTimes(scope.limits)
  }

  private withdraw(peer: number): void {
    for (const { item, lane } of this.scope.queues.withdraw(peer)) this.active.get(lane)?.withdrawn(peer, item)
  }

  fromResting(): void {
    const { now, queues } = this.scope
    for (let peer = 0; peer < queues.peerCount; peer++) {
      const state = queues.state(peer)
      if (state.queuedItems > 0 && state.restUntilMillis > now) this.withdraw(peer)
    }
  }

  /** At the end of the work what is queued for a busy peer goes where somebody is idle: a slow peer does not hold the tail. */
  toIdle(): void {
    const { now, queues } = this.scope
    if (now < this.nextMoveMillis || !this.isTail) return
    const states = Array.from({ length: queues.peerCount }, (_, peer) => queues.state(peer))
    const isIdle = states.some((state) =>
      state.inFlightBatches + state.queuedItems === 0 && queues.hasRoom(state.peer, now)
    )
    if (!isIdle) return
    this.nextMoveMillis = now + minMoveMillis
    for (const state of states) if (state.queuedItems > 0) this.withdraw(state.peer)
  }

  private get isTail(): boolean {
    for (const job of this.active.values()) if (job.fetching.waiting > 0) return false
    return true
  }

  /** What is overdue is asked of others, too; who is silent gets nothing more. */
  fromOverdue(): void {
    const { now, options, queues } = this.scope
    let moved = false
    this.times.look(now, () => this.isTail, (id, overdue) => {
      const batch = this.inFlight.get(id)!
      if (overdue === "silent" && !queues.state(batch.peer).isSuspect) {
        queues.suspect(batch.peer)
        this.scope.emit({ _tag: "note", name: "peer-suspect", fields: { peer: options.peers[batch.peer] } })
        this.withdraw(batch.peer)
        moved = true
      }
      this.active.get(batch.job)?.onOverdue(batch, overdue)
    })
    if (moved) { for (const job of this.active.values()) job.fetching.assign() }
  }

  /** Answers that nobody wants any more make room for others when memory is short. Whether there were any. */
  cancelUnwanted(): boolean {
    const { ledger, now, queues } = this.scope
    let cancelled = false
    for (const batch of this.inFlight.values()) {
      const wanted = this.active.get(batch.job)?.wanted(batch.groups, batch.peer) ?? []
      if (wanted.length > 0) continue
      this.inFlight.delete(batch.batch)
      this.times.ended(batch.batch, false, now)
      queues.cancelled(batch.batch, now)
      ledger.release("answers", batch.reserved)
      this.scope.emit({ _tag: "cancel", call: { kind: "fetch", batch: batch.batch } })
      cancelled = true
    }
    return cancelled
  }
}
