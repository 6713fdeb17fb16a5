/** What a bootstrap is doing at this moment, from one mutable place: for the view, the control socket and the final report. */
import type { RunSnapshot, StreamRun } from "@peerstrap/m3db-bootstrap"
import type { PluginProgress, PluginStatus, WhyChain } from "@peerstrap/plugin-host"
import {
  doneEta,
  estimateEta,
  type Eta,
  formatCount,
  Meter,
  overEta,
  type PeerSnapshot,
  type ProgressSnapshot,
  type Wait
} from "@peerstrap/progress"

import type { BootstrapHost } from "./Parts.ts"
import { type RunPlace, withCommand } from "./Remedies.ts"

/** How a run ends: by itself, whole or not, or against its will. */
export type EndPhase = "done" | "incomplete" | "deadline" | "stopped" | "failed"

export type Phase = "starting" | "checking output" | "streaming" | "verifying" | EndPhase

const ends: ReadonlySet<Phase> = new Set<EndPhase>(["done", "incomplete", "deadline", "stopped", "failed"])

const noEta: Eta = { millis: null, confidence: "unknown", reason: "depends on the disk" }

const peerSnapshot = (peer: RunSnapshot["peers"][number]): PeerSnapshot => ({
  id: peer.id,
  state: peer.state,
  bytesPerSecond: peer.bytesPerSecond,
  inFlight: peer.inFlightBatches,
  failures: peer.failures,
  ...(peer.lastError === undefined ? {} : { lastError: peer.lastError })
})

/** How a plugin is, and how far with what it told last. */
export interface PluginState extends PluginStatus {
  readonly progress?: PluginProgress
}

/** What a plugin in trouble keeps waiting, as a wait. */
const chainWaits = ({ chain, status, waits }: WhyChain): ReadonlyArray<Wait> => {
  if (waits.length > 0) return waits
  const between = chain.slice(1, -1)
  return [{
    subject: between.length === 0 ? "the run" : `the run, through ${between.join(" → ")},`,
    waitingFor: status.id,
    cause: `it is ${status.status}${status.message === "" ? "" : `: ${status.message}`}`,
    peers: [],
    remedy: `mend what ${status.id} names, or put another plugin in its place`,
    sinceMillis: status.sinceMillis
  }]
}

const progressText = ({ activity, done, total }: PluginProgress): string =>
  `${activity}, ${formatCount(done)}${total === 0 ? "" : ` of ${formatCount(total)}`}`

const startWait = ({ id, message, progress, sinceMillis }: PluginState): Wait => ({
  subject: "the run",
  waitingFor: id,
  cause: progress === undefined ? message : `${message}: ${progressText(progress)}`,
  peers: [],
  remedy: `see what ${id} needs to start, or put another plugin in its place`,
  sinceMillis
})

export class RunState {
  readonly startedMillis: number
  readonly warnings: Array<string> = []
  /** What was waited for when the run was last seen waiting. */
  lastWaits: ReadonlyArray<Wait> = []
  /** Undefined while parts start. */
  host: BootstrapHost | undefined
  private readonly place: RunPlace
  private readonly nowMillis: () => number
  private readonly byteMeter: Meter
  private readonly itemMeter: Meter
  private phase: Phase = "starting"
  private files = { done: 0, total: 0 }
  private run: StreamRun | undefined
  private readonly statuses = new Map<string, PluginState>()

  constructor(place: RunPlace, nowMillis: () => number) {
    this.place = place
    this.nowMillis = nowMillis
    this.startedMillis = nowMillis()
    this.byteMeter = new Meter(this.startedMillis)
    this.itemMeter = new Meter(this.startedMillis)
  }

  /** Latest of each plugin that has begun to start. */
  get plugins(): ReadonlyArray<PluginState> {
    return [...this.statuses.values()]
  }

  plugin(status: PluginStatus): void {
    const progress = this.statuses.get(status.id)?.progress
    this.statuses.set(status.id, progress === undefined ? status : { ...status, progress })
  }

  pluginProgress(progress: PluginProgress): void {
    const state = this.statuses.get(progress.plugin)
    if (state !== undefined) this.statuses.set(progress.plugin, { ...state, progress })
  }

  /** A phase that goes through filesets. */
  enter(phase: Phase, total = 0): void {
    this.phase = phase
    this.files = { done: 0, total }
  }

  checked(done: number, total: number): void {
    this.files = { done, total }
  }

  stream(run: StreamRun): void {
    this.run = run
    this.phase = "streaming"
  }

  /** Whether there is anything to show yet. */
  get hasNews(): boolean {
    return this.run !== undefined || this.files.total > 0
  }

  /** Feeds the meters. Returns a number that changes whenever anything moves. */
  observe(): number {
    const { files, run } = this
    if (run === undefined) return files.done
    const { blocksCommitted, bytes, jobs, peers, seriesBlocks } = run.snapshot()
    const now = this.nowMillis()
    this.byteMeter.add(Math.max(0, bytes - this.byteMeter.total), now)
    this.itemMeter.add(Math.max(0, seriesBlocks.stored - this.itemMeter.total), now)
    if (!run.isFinished) this.lastWaits = this.waits()
    const pages = peers.reduce((sum, peer) => sum + peer.pages, 0)
    return files.done + bytes + seriesBlocks.listed + seriesBlocks.stored + blocksCommitted + jobs.done + pages
  }

  waits(): ReadonlyArray<Wait> {
    if (ends.has(this.phase)) return []
    const ofRun = this.phase === "streaming" && this.run !== undefined && !this.run.isFinished ? this.run.waits() : []
    return [...ofRun, ...this.pluginWaits()].map((wait) => withCommand(wait, this.place, this.host))
  }

  private pluginWaits(): ReadonlyArray<Wait> {
    return this.host === undefined
      ? this.plugins.filter(({ status }) => status === "starting").map(startWait)
      : this.host.why().flatMap(chainWaits)
  }

  snapshot(): ProgressSnapshot {
    const now = this.nowMillis()
    const base = {
      phase: this.phase,
      startedMillis: this.startedMillis,
      nowMillis: now,
      warnings: this.warnings
    }
    if (this.run === undefined || this.phase === "verifying") return { ...base, ...this.fileProgress() }
    const run = this.run.snapshot()
    const waits = this.waits()
    const bySubject = new Map(waits.map((wait) => [wait.subject, wait.waitingFor]))
    const rates = {
      bytesPerSecond: this.byteMeter.ratePerSecond(now),
      itemsPerSecond: this.itemMeter.ratePerSecond(now)
    }
    const { jobs, seriesBlocks } = run
    const items = {
      done: seriesBlocks.stored,
      total: seriesBlocks.listed,
      totalIsGrowing: !run.finished &&
        (jobs.done + jobs.active.length < jobs.total || jobs.active.some(({ state }) => state === "listing"))
    }
    const eta = this.etaAtRest(run.finished) ?? estimateEta({
      ...items,
      ratePerSecond: rates.itemsPerSecond,
      averagePerSecond: this.itemMeter.averagePerSecond(now),
      elapsedMillis: now - run.startedMillis
    })
    return {
      ...base,
      jobs: { done: jobs.done, total: jobs.total },
      items,
      bytes: { done: run.bytes, total: 0, totalIsGrowing: items.totalIsGrowing },
      rates,
      eta,
      lanes: jobs.active.map((job) => {
        const waitingFor = bySubject.get(`shard ${job.shard}`)
        return {
          id: `shard ${job.shard}`,
          state: job.state,
          done: job.stored,
          total: job.listed,
          bytes: job.bytes,
          ...(waitingFor === undefined ? {} : { waitingFor })
        }
      }),
      peers: run.peers.map(peerSnapshot),
      waits
    }
  }

  /** Undefined while streaming goes on. */
  private etaAtRest(isFinished: boolean): Eta | undefined {
    return this.phase === "done" ? doneEta : ends.has(this.phase) ? overEta : isFinished ? noEta : undefined
  }

  private fileProgress() {
    const { done, total } = this.files
    return {
      jobs: { done, total },
      items: { done, total, totalIsGrowing: false },
      bytes: { done: 0, total: 0, totalIsGrowing: false },
      rates: { bytesPerSecond: 0, itemsPerSecond: 0 },
      eta: this.etaAtRest(true)!,
      lanes: [],
      peers: [],
      waits: []
    }
  }
}
