/** What a run is doing at this moment, from one mutable place: for the view, the control socket and the final report. */
import type { SyncRun, SyncSnapshot } from "@peerstrap/chain-bootstrap"
import { LogThreshold, type LogThresholdLevel, type PluginStatus, type RunningHost } from "@peerstrap/plugin-host"
import {
  type Amount,
  doneEta,
  estimateEta,
  type Eta,
  formatCount,
  Meter,
  overEta,
  type ProgressSnapshot,
  type Wait
} from "@peerstrap/progress"
import * as Context from "effect/Context"
import type { Until } from "../FlagTypes.ts"
import { PartStates, type TroubledPart } from "./PartStates.ts"
import type { PeerTrouble } from "./PeerTrouble.ts"

/** `starting`, `syncing`, `stopping`, `verifying`, `serving`, at the end `done`, `halted`, `deadline`, `stopped` or `failed`, and while it starts what plugins say they are at, e.g. `opening store`. */
export type Phase = string

const unknownEta: Eta = { millis: null, confidence: "unknown", reason: "nothing to estimate from yet" }
const nothing: Amount = { done: 0, total: 0, totalIsGrowing: false }

/** Blocks between where the run began and where it ends, as far as that is known. */
export const blockAmount = (snapshot: SyncSnapshot, startLevel: number, until: Until | undefined): Amount => {
  const { chosen, head, peersLevel } = snapshot
  const isLevel = until !== undefined && until !== "synced"
  const goal = isLevel ? until.level : Math.max(chosen.level, peersLevel ?? 0)
  return {
    done: Math.max(0, head.level - startLevel),
    total: Math.max(0, goal - startLevel, head.level - startLevel),
    // Heads move on while we come closer.
    totalIsGrowing: !isLevel && snapshot.status !== "synced"
  }
}

/** What a run is made of, once it has begun. */
export interface Begun {
  readonly run: SyncRun
  readonly until: Until | undefined
  readonly trouble: PeerTrouble
}

/** What a run asks of its composition while it goes on. */
export type ComposedHost = Pick<RunningHost<LogThreshold>, "context" | "why" | "settings">

export class RunState {
  readonly startedMillis: number
  readonly warnings: Array<string> = []
  /** What was waited for when the run was last seen waiting. */
  lastWaits: ReadonlyArray<Wait> = []
  private readonly nowMillis: () => number
  private readonly byteMeter: Meter
  private readonly blockMeter: Meter
  private readonly headerMeter: Meter
  private phaseName: Phase = "starting"
  private step: Amount = nothing
  private stepEta: Eta = unknownEta
  private stepMillis = 0
  private run: SyncRun | undefined
  private last: SyncSnapshot | undefined
  private startLevel = 0
  private until: Until | undefined
  private trouble: PeerTrouble | undefined
  private readonly parts = new PartStates()
  private composed: ComposedHost | undefined
  /** Meters count from here: the run's counters may begin above zero. */
  private first: SyncSnapshot["counters"] | undefined

  constructor(nowMillis: () => number) {
    this.nowMillis = nowMillis
    this.startedMillis = nowMillis()
    this.byteMeter = new Meter(this.startedMillis)
    this.blockMeter = new Meter(this.startedMillis)
    this.headerMeter = new Meter(this.startedMillis)
  }

  get phase(): Phase {
    return this.phaseName
  }

  /** A phase with steps of its own, or none. */
  enter(phase: Phase, step: Amount = nothing, eta: Eta = unknownEta): void {
    this.phaseName = phase
    this.step = step
    this.stepEta = eta
  }

  /** A phase that goes through steps at about the same pace. */
  stepTo(phase: Phase, done: number, total: number): void {
    const now = this.nowMillis()
    if (phase !== this.phaseName) this.stepMillis = now
    const perSecond = done * 1000 / Math.max(1, now - this.stepMillis)
    const step = { done, total, totalIsGrowing: false }
    this.enter(
      phase,
      step,
      estimateEta({
        ...step,
        ratePerSecond: perSecond,
        averagePerSecond: perSecond,
        elapsedMillis: now - this.stepMillis
      })
    )
  }

  /** A search by chance, of which nothing is known but how long it takes on average. */
  search(phase: Phase, tried: number, expected: number): void {
    const now = this.nowMillis()
    if (phase !== this.phaseName) this.stepMillis = now
    const perMilli = tried / Math.max(1, now - this.stepMillis)
    this.enter(phase, { done: tried, total: expected, totalIsGrowing: true }, {
      millis: perMilli > 0 ? Math.round(expected / perMilli) : null,
      confidence: "low",
      reason: "a search by chance: what is left is always the average"
    })
  }

  /** How a plugin is, also before all of them have started. */
  told(status: PluginStatus): void {
    this.parts.told(status)
  }

  /** All plugins have started. */
  compose(host: ComposedHost): void {
    this.parts.compose(host)
    this.composed = host
  }

  get host(): ComposedHost | undefined {
    return this.composed
  }

  /** From which level on what is logged is told. */
  logLevel(): LogThresholdLevel {
    return this.composed === undefined ? "info" : Context.get(this.composed.context, LogThreshold).level()
  }

  /** Plugins that are not well, the longest trouble first. */
  troubledParts(): ReadonlyArray<TroubledPart> {
    return this.parts.troubled()
  }

  begin({ run, trouble, until }: Begun): void {
    this.run = run
    this.trouble = trouble
    this.until = until
    this.last = run.snapshot()
    this.first = this.last.counters
    this.startLevel = this.last.head.level
    this.enter("syncing")
  }

  get startedAtLevel(): number {
    return this.startLevel
  }

  /** What the engine last said of itself; after the end of the run its last words. */
  sync(): SyncSnapshot | undefined {
    if (this.run !== undefined) this.last = this.run.snapshot()
    return this.last
  }

  /** The engine is not asked any more. */
  end(): void {
    this.sync()
    this.run = undefined
  }

  get hasNews(): boolean {
    return this.last !== undefined || this.step.total > 0
  }

  /** Feeds the meters. Returns a number that changes whenever anything moves. */
  observe(): number {
    const snapshot = this.sync()
    const { first } = this
    if (snapshot === undefined || first === undefined) return this.step.done
    const { counters } = snapshot
    const now = this.nowMillis()
    const feed = (meter: Meter, total: number): void => meter.add(Math.max(0, total - meter.total), now)
    feed(this.byteMeter, counters.unitBytes - first.unitBytes)
    feed(this.blockMeter, counters.blocksApplied - first.blocksApplied)
    feed(this.headerMeter, counters.headersReceived - first.headersReceived)
    const waits = this.waits()
    if (waits.length > 0) this.lastWaits = waits
    return counters.headersReceived + counters.unitsReceived + counters.blocksApplied + snapshot.segments +
      counters.reorganisations + snapshot.chosen.level
  }

  waits(): ReadonlyArray<Wait> {
    if (this.run === undefined || this.phaseName !== "syncing") return []
    const waits = this.run.waits()
    return [...waits, ...this.trouble?.waits(this.run.snapshot(), waits) ?? []]
  }

  snapshot(): ProgressSnapshot {
    const now = this.nowMillis()
    const base = { startedMillis: this.startedMillis, nowMillis: now, warnings: this.warnings, lanes: [], peers: [] }
    const sync = this.phaseName === "syncing" ? this.sync() : this.last
    if (sync === undefined || this.phaseName === "verifying") {
      return {
        ...base,
        phase: this.phaseName,
        jobs: { done: 0, total: 0 },
        items: this.step,
        bytes: nothing,
        rates: { bytesPerSecond: 0, itemsPerSecond: 0 },
        eta: this.stepEta,
        waits: []
      }
    }
    return {
      ...base,
      phase: this.phaseName === "syncing" ? sync.phase : this.phaseName,
      ...this.syncProgress(sync, now)
    }
  }

  /** The same for people: the phase also says where the chain is and how many peers there are. */
  shown(): ProgressSnapshot {
    const snapshot = this.snapshot()
    const { last } = this
    if (last === undefined) return snapshot
    const counted = last.peers.filter(({ counted }) => counted).length
    const peers = `${formatCount(last.peers.length)} peers, ${formatCount(counted)} count`
    return { ...snapshot, phase: `${snapshot.phase}, level ${formatCount(last.head.level)}, ${peers}` }
  }

  private syncProgress(sync: SyncSnapshot, now: number) {
    const { counters } = sync
    // While a descent from an anchor goes on nothing is applied: its headers are what comes closer.
    const descends = sync.mode === "anchored" && sync.phase === "headers" && sync.peersLevel !== undefined
    const meter = descends ? this.headerMeter : this.blockMeter
    const items = descends
      ? {
        done: sync.pendingHeaders,
        total: Math.max(sync.pendingHeaders, sync.peersLevel! - sync.chosen.level),
        totalIsGrowing: false
      }
      : blockAmount(sync, this.startLevel, this.until)
    const isDone = this.phaseName === "done" || (this.phaseName === "syncing" && sync.phase === "synced")
    return {
      jobs: { done: sync.segments, total: sync.segments },
      items,
      bytes: { done: counters.unitBytes, total: 0, totalIsGrowing: items.totalIsGrowing },
      rates: { bytesPerSecond: this.byteMeter.ratePerSecond(now), itemsPerSecond: meter.ratePerSecond(now) },
      eta: isDone ? doneEta : this.phaseName !== "syncing" ? overEta : estimateEta({
        ...items,
        ratePerSecond: meter.ratePerSecond(now),
        averagePerSecond: meter.averagePerSecond(now),
        elapsedMillis: now - this.startedMillis
      }),
      waits: this.waits()
    }
  }
}
