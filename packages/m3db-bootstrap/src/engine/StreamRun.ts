/**
 * Peer streaming as one pure engine: `step` takes an event, `drain` gives the actions that follow. Same events, same actions; time and
 * randomness are inputs. The adapter executes actions and owns every fiber, timer and socket. (mission 000, 002)
 */
import { type Level, majority } from "@peerstrap/consistency-policy"
import type { MergeRule } from "@peerstrap/m3tsz"
import {
  type AdaptivePeerQueues,
  type EvidenceBook,
  makeEvidenceBook,
  type Ranking,
  type WorkBatch
} from "@peerstrap/peer-selection"
import type { Wait } from "@peerstrap/progress"
import type { ByteLedger } from "@peerstrap/transport"
import type { StreamLimits } from "../contract/Limits.ts"
import type { RunReport } from "../contract/RunReport.ts"
import type {
  CallFailure,
  Outcome,
  StreamAction,
  StreamEvent,
  StreamJob,
  StreamOptions
} from "../contract/StreamRun.ts"
import { failureKind } from "./CallFailures.ts"
import { EngineClock } from "./EngineClock.ts"
import type { FetchBatch } from "./FetchBatch.ts"
import { ForeignSeries } from "./ForeignSeries.ts"
import { doesNotFit, startsOver } from "./MemoryShortage.ts"
import { PeerWatch } from "./PeerWatch.ts"
import { runReport } from "./RunReports.ts"
import { type Hold, releaseHold, type RunScope } from "./RunScope.ts"
import { type RunSnapshot, runSnapshot } from "./RunSnapshots.ts"
import { runWaits } from "./RunWaits.ts"
import { SeriesState } from "./SeriesBlock.ts"
import { ShardStream } from "./ShardStream.ts"
import { Tally } from "./Tally.ts"
import { noteAborted, noteNotDone, noteUnconfirmed } from "./UnfinishedBlocks.ts"
import { WorkMoves } from "./WorkMoves.ts"

/** What an engine is made of. */
export interface StreamRunInput {
  readonly options: StreamOptions
  readonly jobs: ReadonlyArray<StreamJob>
  readonly limits: StreamLimits
  readonly level: Level
  readonly ledger: ByteLedger
  readonly queues: AdaptivePeerQueues
  readonly ranking: Ranking
  readonly mergeRule: MergeRule
  /** In [0, 1). */
  readonly random: () => number
  readonly nowMillis: number
}

export interface LevelAt {
  readonly level: Level
  readonly origin: string
  readonly atMillis: number
}

/** The engine: events in by `step`, actions out by `drain`; time is an argument, in ms. */
export class StreamRun {
  readonly scope: RunScope
  readonly jobs: ReadonlyArray<StreamJob>
  readonly active = new Map<number, ShardStream>()
  readonly startedMillis: number
  readonly levelChanges: Array<LevelAt> = []
  readonly book: EvidenceBook
  outcome: Outcome | undefined
  endedMillis = 0
  jobsDone = 0
  /** Bytes that the answer to the next batch needs, when the ledger has no room for it; else 0. */
  private refusedBytes = 0
  private readonly initialLevel: Level
  private readonly actions: Array<StreamAction> = []
  private readonly inFlight = new Map<number, FetchBatch>()
  private readonly clock: EngineClock
  private readonly moves: WorkMoves
  private readonly watch: PeerWatch
  private readonly queue: Array<number>
  private stopping: "stopped" | "deadline" | "failed" | undefined
  private lastDelivery = 0
  private lastWaits: ReadonlyArray<Wait> = []

  constructor(input: StreamRunInput) {
    const actions = this.actions
    const book = makeEvidenceBook()
    this.book = book
    const tally = new Tally(input.options.peers.length, input.limits.reportEntries)
    this.scope = {
      options: input.options,
      limits: input.limits,
      ledger: input.ledger,
      queues: input.queues,
      ranking: input.ranking,
      mergeRule: input.mergeRule,
      book,
      tally,
      random: input.random,
      now: input.nowMillis,
      wall: input.nowMillis,
      level: input.level,
      foreign: new ForeignSeries(input.options.peers.length),
      failure: undefined,
      ownFault: undefined,
      emit: (action) => void actions.push(action),
      nextDelivery: () => ++this.lastDelivery
    }
    this.clock = new EngineClock(input.nowMillis)
    this.moves = new WorkMoves(this.scope, this.active, this.inFlight)
    this.watch = new PeerWatch(this.scope)
    this.jobs = input.jobs
    this.initialLevel = input.level
    this.startedMillis = input.nowMillis
    this.queue = input.jobs.map((_, job) => job)
    this.checkInput()
  }

  private checkInput(): void {
    const { limits, options } = this.scope
    if (new Set(options.peers).size !== options.peers.length) {
      throw new RangeError("stream run: peer ids must be unique")
    }
    for (const job of this.jobs) {
      if (job.blockStarts.length === 0) throw new RangeError(`stream run: job of shard ${job.shard} has no blocks`)
      if (job.peers.length > limits.maxPeersPerShard) {
        throw new RangeError(
          `stream run: shard ${job.shard} has ${job.peers.length} peers, at most ${limits.maxPeersPerShard}`
        )
      }
    }
  }

  get isFinished(): boolean {
    return this.outcome !== undefined
  }

  get inFlightBatches(): number {
    return this.inFlight.size
  }

  /** A batch could not leave because the ledger had no room for its answer. */
  get waitsForMemory(): boolean {
    return this.refusedBytes > 0
  }

  /** Whether a `tick` would do something at once: merges are waiting. */
  get hasWork(): boolean {
    for (const job of this.active.values()) if (job.hasWork) return true
    return false
  }

  step(event: StreamEvent, nowMillis: number): void {
    const leftOut = this.clock.advance(nowMillis, () => this.dueAt())
    this.scope.now = this.clock.now
    this.scope.wall = this.clock.wall
    if (this.isFinished) return
    if (leftOut !== 0) this.scope.emit({ _tag: "note", name: "clock-jumped", fields: { byMillis: leftOut } })
    this.take(event)
    this.pump()
  }

  drain(out: Array<StreamAction>): void {
    for (const action of this.actions) out.push(action)
    this.actions.length = 0
  }

  private take(event: StreamEvent): void {
    switch (event._tag) {
      case "page":
        return this.active.get(event.job)?.onPage(event.peer, event.page)
      case "page-failed":
        return this.active.get(event.job)?.onPageFailed(event.peer, event)
      case "answer":
        return this.onAnswer(event)
      case "answer-failed":
        return this.onAnswerFailed(event.batch, event)
      case "written": {
        for (const job of this.active.values()) if (job.onWritten(event.delivery)) return
        return
      }
      case "committed":
        return this.active.get(event.job)?.onCommitted(event.block)
      case "commit-failed":
        return this.active.get(event.job)?.deliveries.onCommitFailed(event.block)
      case "sink-failed": {
        this.scope.failure ??= { _tag: "failed", fault: "self", message: event.message, remedy: event.remedy }
        return
      }
      case "level":
        return this.onLevel(event.level, event.origin)
      case "rate": {
        const { bytesPerSecond, origin } = event
        this.scope.queues.setBytesPerSecond(bytesPerSecond)
        return this.scope.emit({ _tag: "note", name: "peer-rate-changed", fields: { bytesPerSecond, origin } })
      }
      case "stop":
        return this.stop(event.why)
      case "tick": {
        for (const job of this.active.values()) if (job.hasWork) return job.work()
      }
    }
  }

  private onLevel(level: Level, origin: string): void {
    if (level === this.scope.level) return
    this.levelChanges.push({ level, origin, atMillis: this.scope.wall })
    this.scope.emit({ _tag: "note", name: "level-changed", fields: { from: this.scope.level, to: level, origin } })
    this.scope.level = level
    for (const job of this.active.values()) job.onLevel()
  }

  private onAnswer(event: Extract<StreamEvent, { readonly _tag: "answer" }>): void {
    const batch = this.inFlight.get(event.batch)
    if (batch === undefined) return event.answer.release?.()
    this.inFlight.delete(event.batch)
    const { ledger, queues, tally } = this.scope
    const bytes = event.answer.buffer.length
    this.moves.times.ended(event.batch, true, this.scope.now)
    queues.succeeded(event.batch, bytes, this.scope.now)
    tally.peerBytes[batch.peer]! += bytes
    const hold: Hold = {
      account: "answers",
      bytes: Math.min(bytes, batch.reserved),
      references: 1,
      onReleased: event.answer.release
    }
    ledger.release("answers", batch.reserved - hold.bytes)
    if (this.stopping === undefined) this.active.get(batch.job)?.onAnswer(batch, event.answer, hold)
    releaseHold(this.scope, hold)
  }

  private onAnswerFailed(id: number, failure: CallFailure): void {
    const batch = this.inFlight.get(id)
    if (batch === undefined) return
    this.inFlight.delete(id)
    this.scope.ledger.release("answers", batch.reserved)
    this.moves.times.ended(id, false, this.scope.now)
    const kind = failureKind(failure.reason)
    if (failure.reason === "too-large") this.scope.queues.succeeded(id, failure.receivedBytes, this.scope.now)
    else this.scope.queues.failed(id, kind ?? "pushback", failure.message, this.scope.now)
    if (this.stopping === undefined) this.active.get(batch.job)?.onAnswerFailed(batch, failure)
  }

  private stop(why: "stopped" | "deadline" | "failed"): void {
    if (this.stopping !== undefined) return
    this.lastWaits = this.waits()
    this.stopping = why
    for (const job of this.active.values()) job.stop()
  }

  private pump(): void {
    // A job that ended makes room for others, also for those that wait for its memory: nothing else may be left to wake the run.
    for (let active = -1; active !== this.active.size;) {
      this.pumpOnce()
      active = this.active.size
      this.relieveMemory()
      this.endJobs()
    }
    this.endRun()
  }

  private pumpOnce(): void {
    if (this.scope.failure !== undefined) this.stop("failed")
    if (this.stopping === undefined) {
      this.noticePeers()
      this.startJobs()
      this.moves.fromResting()
      this.moves.toIdle()
      for (const job of this.active.values()) job.pump(true)
      this.moves.fromOverdue()
      this.sendBatches()
    } else for (const job of this.active.values()) job.commit()
  }

  private noticePeers(): void {
    const { any, isBack } = this.watch.look()
    if (isBack) { for (const job of this.active.values()) job.retryBlocked() }
    if (any) { for (const job of this.active.values()) job.onCircumstancesChanged() }
  }

  /** New jobs start while memory is easy; one always runs. */
  private startJobs(): void {
    const { ledger, limits } = this.scope
    for (const job of this.active.values()) if (job.listing.paused) return
    let working = 0
    for (const job of this.active.values()) if (!job.lingers) working++
    const most = 2 * limits.jobsInFlight
    for (; this.queue.length > 0 && working < limits.jobsInFlight && this.active.size < most; working++) {
      if (this.active.size > 0 && ledger.used > ledger.capacity / 2) return
      const job = this.queue.shift()!
      this.active.set(job, new ShardStream(this.scope, job, this.jobs[job]!))
      this.scope.emit({ _tag: "note", name: "job-started", fields: { shard: this.jobs[job]!.shard } })
    }
  }

  /** `mayCut`: rather fewer items than no batch at all. */
  private sendBatches(mayCut = false): void {
    const { ledger, now, queues } = this.scope
    this.refusedBytes = 0
    for (let next = queues.next(now); next !== undefined; next = queues.next(now)) {
      const job = this.active.get(next.lane)
      const groups = job?.wanted(next.items, next.peer) ?? []
      if (job === undefined || groups.length === 0) {
        this.dropUnwanted(next, job)
        continue
      }
      let fetch = { groups, ...job.answerNeed(groups, next.peer) }
      if (!ledger.tryReserve("answers", fetch.reserved)) {
        const fewer = mayCut ? this.drawFewer(job, groups, next.peer) : undefined
        if (fewer === undefined) {
          queues.undo(next.batch)
          if (this.moves.cancelUnwanted()) continue
          this.refusedBytes = fetch.reserved
          return
        }
        fetch = fewer
        mayCut = false
      }
      const { request, reserved } = fetch
      this.inFlight.set(next.batch, { ...fetch, batch: next.batch, job: next.lane, peer: next.peer })
      this.moves.times.sent(next.batch, next.peer, next.bytes, this.scope.now)
      this.scope.emit({
        _tag: "fetch",
        batch: next.batch,
        peer: next.peer,
        request,
        maxAnswerBytes: reserved
      })
    }
  }

  /** Draws for the first few items for which there is room; the others wait as if they had not been chosen yet. */
  private drawFewer(job: ShardStream, groups: ReadonlyArray<number>, peer: number) {
    for (let count = groups.length >> 1; count > 0; count >>= 1) {
      const some = groups.slice(0, count)
      const need = job.answerNeed(some, peer)
      if (!this.scope.ledger.tryReserve("answers", need.reserved)) continue
      for (const group of groups.slice(count)) job.withdrawn(peer, group)
      return { groups: some, ...need }
    }
    return undefined
  }

  /** A batch that nobody wants any more never leaves; it says nothing about its peer. */
  private dropUnwanted({ batch, lane, peer }: WorkBatch, job: ShardStream | undefined): void {
    this.scope.queues.undo(batch)
    for (const { item } of this.scope.queues.withdraw(peer, lane)) {
      if (job !== undefined && job.wanted([item], peer).length > 0) job.withdrawn(peer, item)
    }
  }

  /**
   * When every job waits for memory that nothing under way will give back: a smaller batch leaves, or a listing that the level does not need is
   * given up, or the youngest job starts over later. A single one cannot.
   */
  private relieveMemory(): void {
    if (this.stopping !== undefined || this.active.size === 0 || this.inFlight.size > 0) return
    for (const job of this.active.values()) if (!job.isStuckOnMemory(this.waitsForMemory)) return
    if (this.waitsForMemory) {
      this.sendBatches(true)
      if (this.inFlight.size > 0) return
    }
    for (const job of this.active.values()) {
      // Where a batch is refused, it is not metadata that has to give way.
      if (this.waitsForMemory || !job.listing.paused || !job.putAside()) continue
      // Nothing else is left to wake it.
      job.pump(true)
      return this.sendBatches()
    }
    const job = startsOver(this.active)
    if (job === undefined) this.scope.failure ??= doesNotFit(this.scope, this.active, this.refusedBytes)
    else this.sendBack(job)
  }

  private sendBack(job: ShardStream): void {
    this.active.delete(job.job)
    for (let peer = 0; peer < this.scope.queues.peerCount; peer++) this.scope.queues.withdraw(peer, job.job)
    this.scope.tally.listed -= job.series.count
    this.scope.tally.stored -= job.series.inState[SeriesState.STORED]!
    job.stop()
    job.release()
    this.queue.unshift(job.job)
    this.scope.emit({ _tag: "note", name: "job-sent-back", fields: { shard: job.shard, cause: "memory" } })
  }

  private endJobs(): void {
    if (this.scope.failure !== undefined) this.stop("failed")
    for (const job of this.active.values()) {
      if (!job.isDone) continue
      this.active.delete(job.job)
      if (this.stopping === undefined) this.jobsDone++
      job.listing.tellUnlisted()
      if (this.stopping === undefined) noteUnconfirmed(this.scope, job, this.initialLevel)
      else noteAborted(this.scope, job, this.stopping)
      job.release()
      this.scope.emit({ _tag: "note", name: "job-ended", fields: { shard: job.shard } })
    }
  }

  private endRun(): void {
    if (this.active.size > 0) return
    if (this.stopping === undefined && this.queue.length > 0) return
    for (const batch of this.inFlight.values()) this.scope.ledger.release("answers", batch.reserved)
    this.inFlight.clear()
    this.moves.times.clear()
    for (const job of this.queue) {
      for (const start of this.jobs[job]!.blockStarts) {
        noteNotDone(this.scope, this.jobs[job]!.shard, start, this.stopping!)
      }
    }
    this.queue.length = 0
    this.endedMillis = this.scope.wall
    if (this.stopping === "failed") this.outcome = this.scope.failure!
    else if (this.stopping !== undefined) this.outcome = { _tag: this.stopping }
    else this.outcome = { _tag: this.scope.tally.missing.total === 0 ? "complete" : "incomplete" }
    this.scope.emit({ _tag: "finished", outcome: this.outcome! })
  }

  /** Time on the caller's clock at which a `tick` is due; Infinity when only events can help. */
  wakeAt(): number {
    return this.dueAt() + this.clock.offset
  }

  private dueAt(): number {
    // Who is ending waits for the sink alone.
    if (this.stopping !== undefined) return Number.POSITIVE_INFINITY
    const { now, queues } = this.scope
    let at = Math.min(queues.wakeAt(now), this.moves.times.dueMillis)
    for (const job of this.active.values()) {
      at = Math.min(at, job.blockedUntilMillis, job.listing.stragglers.dueMillis)
      job.listing.listings.forEach((listing, peer) => {
        const rest = queues.state(job.peers[peer]!).restUntilMillis
        if (listing.state === "RESTING") at = Math.min(at, Math.max(listing.restUntilMillis, rest))
        else if (listing.state === "IDLE" && rest > now) at = Math.min(at, rest)
      })
    }
    return at
  }

  get majority(): number {
    return majority(this.scope.options.replicationFactor)
  }

  /** What the run waits for; once it is being ended, what it waited for then. */
  waits(): ReadonlyArray<Wait> {
    if (this.stopping !== undefined) return this.lastWaits
    const { offset } = this.clock
    return runWaits(this).map((wait) => ({ ...wait, sinceMillis: wait.sinceMillis + offset }))
  }

  snapshot(): RunSnapshot {
    return runSnapshot(this)
  }

  report(): RunReport {
    return runReport(this)
  }
}
