/** What a bootstrap is doing at this moment, from one mutable place: for the view, the control socket and the final report. */
import type { RunSnapshot, StreamRun } from "@peerstrap/m3db-bootstrap"
import { estimateEta, type Eta, Meter, type PeerSnapshot, type ProgressSnapshot, type Wait } from "@peerstrap/progress"

export type Phase = "starting" | "checking output" | "streaming" | "verifying" | "done"

const noEta: Eta = { millis: null, confidence: "unknown", reason: "depends on the disk" }
const doneEta: Eta = { millis: 0, confidence: "high", reason: "done" }

const peerSnapshot = (peer: RunSnapshot["peers"][number]): PeerSnapshot => ({
  id: peer.id,
  state: peer.state,
  bytesPerSecond: peer.bytesPerSecond,
  inFlight: peer.inFlightBatches,
  failures: peer.failures,
  ...(peer.lastError === undefined ? {} : { lastError: peer.lastError })
})

export class RunState {
  readonly startedMillis: number
  readonly warnings: Array<string> = []
  /** What was waited for when the run was last seen waiting. */
  lastWaits: ReadonlyArray<Wait> = []
  private readonly nowMillis: () => number
  private readonly byteMeter: Meter
  private readonly itemMeter: Meter
  private phase: Phase = "starting"
  private files = { done: 0, total: 0 }
  private run: StreamRun | undefined

  constructor(nowMillis: () => number) {
    this.nowMillis = nowMillis
    this.startedMillis = nowMillis()
    this.byteMeter = new Meter(this.startedMillis)
    this.itemMeter = new Meter(this.startedMillis)
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
    if (!run.isFinished) this.lastWaits = run.waits()
    const pages = peers.reduce((sum, peer) => sum + peer.pages, 0)
    return files.done + bytes + seriesBlocks.listed + seriesBlocks.stored + blocksCommitted + jobs.done + pages
  }

  waits(): ReadonlyArray<Wait> {
    return this.phase === "streaming" && this.run !== undefined && !this.run.isFinished ? this.run.waits() : []
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
    const eta = run.finished ? doneEta : estimateEta({
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

  private fileProgress() {
    const { done, total } = this.files
    return {
      jobs: { done, total },
      items: { done, total, totalIsGrowing: false },
      bytes: { done: 0, total: 0, totalIsGrowing: false },
      rates: { bytesPerSecond: 0, itemsPerSecond: 0 },
      eta: noEta,
      lanes: [],
      peers: [],
      waits: []
    }
  }
}
