/**
 * Peer streaming as one pure engine: `step` takes an event, `drain` gives the actions that follow. Same events, same actions; time and
 * randomness are inputs. The adapter executes actions and owns every fiber, timer and socket. (mission 000, 002)
 */
import { type Level, majority, readConsistencyAchieved } from "@peerstrap/consistency-policy"
import type { MergeRule } from "@peerstrap/m3tsz"
import {
  type BreakerState,
  type EvidenceBook,
  makeEvidenceBook,
  type PeerQueues,
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
import type { FetchBatch } from "./FetchBatch.ts"
import { BatchTimes } from "./Hedging.ts"
import { runReport } from "./RunReports.ts"
import { type Hold, isHopeless, releaseHold, type RunScope } from "./RunScope.ts"
import { type RunSnapshot, runSnapshot } from "./RunSnapshots.ts"
import { runWaits } from "./RunWaits.ts"
import { SeriesState } from "./SeriesBlock.ts"
import { ShardStream } from "./ShardStream.ts"
import { Tally } from "./Tally.ts"

export interface StreamRunInput {
  readonly options: StreamOptions
  readonly jobs: ReadonlyArray<StreamJob>
  readonly limits: StreamLimits
  readonly level: Level
  readonly ledger: ByteLedger
  readonly queues: PeerQueues
  readonly ranking: Ranking
  readonly mergeRule: MergeRule
  /** In [0, 1). */
  readonly random: () => number
  readonly nowMillis: number
}

/** Queued work moves between peers at most this often: it costs one pass over the queues. */
const minMoveMillis = 20

export interface LevelAt {
  readonly level: Level
  readonly origin: string
  readonly atMillis: number
}

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
  /** A batch could not leave because the ledger had no room for its answer. */
  waitsForMemory = false
  private readonly initialLevel: Level
  private readonly actions: Array<StreamAction> = []
  private readonly inFlight = new Map<number, FetchBatch>()
  private readonly times: BatchTimes
  private readonly queue: Array<number>
  private readonly hopeless: Array<boolean>
  private readonly breakers: Array<BreakerState>
  private stopping: "stopped" | "deadline" | "failed" | undefined
  private lastDelivery = 0
  private nextMoveMillis = 0
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
      level: input.level,
      failure: undefined,
      emit: (action) => void actions.push(action),
      nextDelivery: () => ++this.lastDelivery
    }
    this.times = new BatchTimes(input.limits)
    this.jobs = input.jobs
    this.initialLevel = input.level
    this.startedMillis = input.nowMillis
    this.queue = input.jobs.map((_, job) => job)
    this.hopeless = input.options.peers.map(() => false)
    this.breakers = input.options.peers.map(() => "closed")
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

  /** Whether a `tick` would do something at once: merges are waiting. */
  get hasWork(): boolean {
    for (const job of this.active.values()) if (job.hasWork) return true
    return false
  }

  step(event: StreamEvent, nowMillis: number): void {
    this.scope.now = nowMillis
    if (this.isFinished) return
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
      case "stop":
        return this.stop(event.why)
      case "tick": {
        for (const job of this.active.values()) if (job.hasWork) return job.work()
      }
    }
  }

  private onLevel(level: Level, origin: string): void {
    if (level === this.scope.level) return
    this.levelChanges.push({ level, origin, atMillis: this.scope.now })
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
    this.times.ended(event.batch, true, this.scope.now)
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
    this.times.ended(id, false, this.scope.now)
    const kind = failureKind(failure.reason)
    if (failure.reason === "too-large") this.scope.queues.succeeded(id, failure.receivedBytes, this.scope.now)
    else this.scope.queues.failed(id, kind ?? "pushback", failure.message, this.scope.now)
    if (this.stopping === undefined) this.active.get(batch.job)?.onAnswerFailed(batch, failure)
  }

  private stop(why: "stopped" | "deadline" | "failed"): void {
    if (this.stopping !== undefined) return
    this.lastWaits = runWaits(this)
    this.stopping = why
    for (const job of this.active.values()) job.stop()
  }

  private pump(): void {
    // A job that ended makes room for others, which have to go on at once: nothing else may be left to wake the run.
    for (let active = -1; active !== this.active.size && (active < 0 || this.queue.length > 0);) {
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
      this.withdrawFromResting()
      this.moveWorkToIdle()
      for (const job of this.active.values()) job.pump(true)
      this.hedge()
      this.sendBatches()
    } else for (const job of this.active.values()) job.commit()
  }

  /** A peer that became hopeless, or came back, may let waiting work go on. */
  private noticePeers(): void {
    let changed = false
    for (let peer = 0; peer < this.hopeless.length; peer++) {
      if (this.noticeBreaker(peer)) changed = true
      const hopeless = isHopeless(this.scope, peer)
      if (hopeless === this.hopeless[peer]) continue
      this.hopeless[peer] = hopeless
      changed = true
      const name = hopeless ? "peer-out-of-reach" : "peer-back"
      const state = this.scope.queues.state(peer)
      this.scope.emit({ _tag: "note", name, fields: { peer: state.id, cause: state.lastFailureMessage ?? "" } })
      if (!hopeless) { for (const job of this.active.values()) job.retryBlocked() }
    }
    if (changed) { for (const job of this.active.values()) job.onCircumstancesChanged() }
  }

  /** Tells when the peer's breaker opens, half-opens and closes; true when merges may have to look at whom they wait for. */
  private noticeBreaker(peer: number): boolean {
    const { now, options, queues } = this.scope
    const breaker = queues.breaker(peer, now)
    if (breaker === this.breakers[peer]) return false
    this.breakers[peer] = breaker
    const { lastFailure, lastFailureMessage, restUntilMillis } = queues.state(peer)
    const name = `breaker-${breaker === "open" ? "opened" : breaker}`
    const fields = {
      peer: options.peers[peer],
      cause: lastFailureMessage ?? "",
      forMillis: Math.max(0, restUntilMillis - now)
    }
    this.scope.emit({ _tag: "note", name, fields: breaker === "closed" ? { peer: options.peers[peer] } : fields })
    return breaker === "open" && lastFailure === "timeout"
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

  private withdrawFromResting(): void {
    const { now, queues } = this.scope
    for (let peer = 0; peer < this.hopeless.length; peer++) {
      const state = queues.state(peer)
      if (state.queuedItems === 0 || state.restUntilMillis <= now) continue
      for (const { item, lane } of queues.withdraw(peer)) this.active.get(lane)?.withdrawn(peer, item)
    }
  }

  /** At the end of the work what is queued for a busy peer goes where somebody is idle: a slow peer does not hold the tail. */
  private moveWorkToIdle(): void {
    const { now, queues } = this.scope
    if (now < this.nextMoveMillis) return
    if (!this.isTail) return
    const states = this.hopeless.map((_, peer) => queues.state(peer))
    const isIdle = states.some((state) =>
      state.inFlightBatches + state.queuedItems === 0 && queues.hasRoom(state.peer, now)
    )
    if (!isIdle) return
    this.nextMoveMillis = now + minMoveMillis
    for (const state of states) {
      if (state.queuedItems === 0) continue
      for (const { item, lane } of queues.withdraw(state.peer)) this.active.get(lane)?.withdrawn(state.peer, item)
    }
  }

  private get isTail(): boolean {
    for (const job of this.active.values()) if (job.fetching.waiting > 0) return false
    return true
  }

  /** What is overdue is asked of others, too; what is silent gets nothing more. */
  private hedge(): void {
    const { now, queues } = this.scope
    let moved = false
    this.times.look(now, () => this.isTail, (id, overdue) => {
      const batch = this.inFlight.get(id)!
      if (overdue === "silent" && !queues.state(batch.peer).isSuspect) {
        this.suspect(batch.peer)
        moved = true
      }
      this.active.get(batch.job)?.onOverdue(batch, overdue)
    })
    if (moved) { for (const job of this.active.values()) job.fetching.assign() }
  }

  private suspect(peer: number): void {
    const { queues } = this.scope
    queues.suspect(peer)
    this.scope.emit({ _tag: "note", name: "peer-suspect", fields: { peer: this.scope.options.peers[peer] } })
    for (const { item, lane } of queues.withdraw(peer)) this.active.get(lane)?.withdrawn(peer, item)
  }

  /** Answers that nobody wants any more make room for others when memory is short. */
  private cancelUnwanted(): boolean {
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

  private sendBatches(): void {
    const { ledger, now, queues } = this.scope
    this.waitsForMemory = false
    for (let next = queues.next(now); next !== undefined; next = queues.next(now)) {
      const job = this.active.get(next.lane)
      const groups = job?.wanted(next.items, next.peer) ?? []
      if (job === undefined || groups.length === 0) {
        this.dropUnwanted(next, job)
        continue
      }
      const request = job.request(groups)
      const reserved = job.answerBytes(groups, next.peer)
      if (!ledger.tryReserve("answers", reserved)) {
        queues.undo(next.batch)
        if (this.cancelUnwanted()) continue
        this.waitsForMemory = true
        return
      }
      this.inFlight.set(next.batch, { batch: next.batch, job: next.lane, peer: next.peer, groups, request, reserved })
      this.times.sent(next.batch, next.peer, next.bytes, this.scope.now)
      this.scope.emit({
        _tag: "fetch",
        batch: next.batch,
        peer: next.peer,
        request,
        maxAnswerBytes: reserved
      })
    }
  }

  /** A batch that nobody wants any more never leaves; it says nothing about its peer. */
  private dropUnwanted({ batch, lane, peer }: WorkBatch, job: ShardStream | undefined): void {
    this.scope.queues.undo(batch)
    for (const { item } of this.scope.queues.withdraw(peer, lane)) {
      if (job !== undefined && job.wanted([item], peer).length > 0) job.withdrawn(peer, item)
    }
  }

  /** When every job waits for memory that none of them will give back, the youngest starts over later; a single one cannot. */
  private relieveMemory(): void {
    if (this.stopping !== undefined || this.active.size === 0 || this.inFlight.size > 0) return
    let youngest: ShardStream | undefined
    for (const job of this.active.values()) {
      if (!job.isStuckOnMemory) return
      youngest = job
    }
    for (const job of this.active.values()) if (job.putAside()) return
    if (this.active.size === 1) {
      const { ledger, limits } = this.scope
      this.scope.failure ??= {
        _tag: "failed",
        fault: "self",
        message: `the metadata of shard ${youngest!.shard} does not fit into memory: ` +
          `${ledger.usedBy("listing")} bytes listed, the share for metadata is ${
            Math.floor(ledger.capacity * limits.listingShare)
          }`,
        remedy: "raise --memory, or bootstrap a smaller range at a time with --from and --to"
      }
      return
    }
    this.active.delete(youngest!.job)
    for (let peer = 0; peer < this.hopeless.length; peer++) this.scope.queues.withdraw(peer, youngest!.job)
    this.scope.tally.listed -= youngest!.series.count
    this.scope.tally.stored -= youngest!.series.inState[SeriesState.STORED]!
    youngest!.stop()
    youngest!.release()
    this.queue.unshift(youngest!.job)
    this.scope.emit({ _tag: "note", name: "job-sent-back", fields: { shard: youngest!.shard, cause: "memory" } })
  }

  private endJobs(): void {
    if (this.scope.failure !== undefined) this.stop("failed")
    for (const job of this.active.values()) {
      if (!job.isDone) continue
      this.active.delete(job.job)
      if (this.stopping === undefined) this.jobsDone++
      this.noteUnlisted(job)
      job.listing.tellUnlisted()
      this.noteUnfinished(job)
      job.release()
      this.scope.emit({ _tag: "note", name: "job-ended", fields: { shard: job.shard } })
    }
  }

  /** A level that was lowered hides nothing: published blocks that fewer peers confirmed than was asked for are listed. */
  private noteUnlisted(job: ShardStream): void {
    const asked = this.initialLevel === "none" ? "majority" : this.initialLevel
    if (readConsistencyAchieved(asked, job.majority, job.peers.length, job.listing.successes)) return
    if (this.stopping !== undefined) return
    const silent = job.peers.flatMap((_, peer) =>
      job.listing.listings[peer]!.state === "FINISHED" ? [] : [job.peerId(peer)]
    )
    for (const [block, start] of job.blockStarts.entries()) {
      if (job.deliveries.blocks[block] !== "committed") continue
      this.scope.tally.missing.add(() => ({
        shard: job.shard,
        blockStart: String(start),
        peers: silent,
        reason:
          `listed by ${job.listing.successes} of ${job.peers.length} peers, ${asked} needs more: what only the others hold is unknown`
      }))
    }
  }

  private noteUnfinished(job: ShardStream): void {
    if (this.stopping === undefined) return
    job.deliveries.blocks.forEach((state, block) => {
      if (state === "aborted") this.noteNotDone(job.shard, job.blockStarts[block]!)
    })
  }

  private noteNotDone(shard: number, blockStart: bigint): void {
    this.scope.tally.missing.add(() => ({
      shard,
      blockStart: String(blockStart),
      peers: [],
      reason: this.stopping === "deadline" ? "not finished at the deadline" : "not finished when the run ended"
    }))
  }

  private endRun(): void {
    if (this.active.size > 0) return
    if (this.stopping === undefined && this.queue.length > 0) return
    for (const batch of this.inFlight.values()) this.scope.ledger.release("answers", batch.reserved)
    this.inFlight.clear()
    this.times.clear()
    for (const job of this.queue) {
      for (const start of this.jobs[job]!.blockStarts) this.noteNotDone(this.jobs[job]!.shard, start)
    }
    this.queue.length = 0
    this.endedMillis = this.scope.now
    if (this.stopping === "failed") this.outcome = this.scope.failure!
    else if (this.stopping !== undefined) this.outcome = { _tag: this.stopping }
    else this.outcome = { _tag: this.scope.tally.missing.total === 0 ? "complete" : "incomplete" }
    this.scope.emit({ _tag: "finished", outcome: this.outcome! })
  }

  /** Engine time at which a `tick` is due; Infinity when only events can help. */
  wakeAt(): number {
    // Who is ending waits for the sink alone.
    if (this.stopping !== undefined) return Number.POSITIVE_INFINITY
    const { now, queues } = this.scope
    let at = Math.min(queues.wakeAt(now), this.times.dueMillis)
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
    return this.stopping === undefined ? runWaits(this) : this.lastWaits
  }

  snapshot(): RunSnapshot {
    return runSnapshot(this)
  }

  report(): RunReport {
    return runReport(this)
  }
}
