/**
 * Watches one simulated run from outside: keeps its own book of what every peer said and sent and of what went to the sink, checks
 * after every event what must always hold, and at the end what must have come out.
 */
import type { Level } from "@peerstrap/consistency-policy"
import { type BlocksAnswer, type MetadataPage, shardOf, toHex } from "@peerstrap/m3db-wire"
import { adler32 } from "@peerstrap/m3tsz"
import type { StreamAction, StreamEvent } from "../../src/contract/StreamRun.ts"
import type { ShardStream } from "../../src/engine/ShardStream.ts"
import { absent, isAllowed, required, type Witness } from "./NaiveSettlement.ts"
import type { Simulation } from "./SimulatedCluster.ts"
import type { World } from "./StreamWorld.ts"

export class Violation extends Error {
  override readonly name = "Violation"
}

const check: (holds: boolean, what: () => string) => asserts holds = (holds, what) => {
  if (!holds) throw new Violation(what())
}

/** What was said and sent about one series-block. */
export interface SeriesNotes {
  readonly advertised: Map<number, Set<number>>
  readonly copies: Map<number, Array<ReadonlyArray<Uint8Array>>>
  /** Peers that reported it when nobody waited for them any more. */
  readonly late: Set<number>
  stored: Uint8Array | undefined
  /** Peers that had advertised it by the time it was stored. */
  knownWhenStored: ReadonlySet<number>
}

export interface BlockNotes {
  readonly job: number
  readonly start: bigint
  readonly series: Map<string, SeriesNotes>
  delivered: number
  written: number
  state: "open" | "committing" | "committed" | "aborted"
}

export interface JobNotes {
  stream: ShardStream | undefined
  readonly finished: Set<number>
  readonly distrusted: Set<number>
  /** Levels in force since it began. */
  readonly levels: Set<Level>
  stopped: boolean
}

const nameOf = (shard: number, start: bigint): string => `${shard}/${start}`

const startOf = (hi: number, lo: number): bigint => (BigInt(hi) << 32n) | BigInt(lo >>> 0)

export class StreamObserver {
  readonly jobs: Array<JobNotes>
  readonly blocks = new Map<string, BlockNotes>()
  /** FNV-1a over everything that happened. */
  hash = 0x811c9dc5
  events = 0
  level: Level
  private readonly world: World
  private readonly simulation: Simulation
  private readonly batches = new Map<
    number,
    { readonly peer: number; readonly shard: number; readonly bytes: number }
  >()
  private readonly lists = new Map<string, number>()
  /** Ids of peers that were silent for long: merges need not wait for their copies. */
  private readonly suspects = new Set<unknown>()
  /** Whose batch came with the present event. */
  private answeredBy: number | undefined
  private readonly tags = new Map<string, string>()
  private readonly deliveries = new Map<number, { readonly block: string; readonly bytes: number }>()

  constructor(world: World, simulation: Simulation) {
    this.world = world
    this.simulation = simulation
    this.level = world.spec.level
    this.jobs = world.jobs.map(() => ({
      stream: undefined,
      finished: new Set(),
      distrusted: new Set(),
      levels: new Set(),
      stopped: false
    }))
    world.jobs.forEach((job, index) => {
      for (const start of job.blockStarts) {
        const notes: BlockNotes = { job: index, start, series: new Map(), delivered: 0, written: 0, state: "open" }
        this.blocks.set(nameOf(job.shard, start), notes)
      }
    })
    simulation.onEvent = (event) => this.onEvent(event)
    simulation.onAction = (action) => this.onAction(action)
    simulation.onStepped = () => this.onStepped()
  }

  private note(text: string): void {
    this.events++
    for (let i = 0; i < text.length; i++) this.hash = Math.imul(this.hash ^ text.charCodeAt(i), 0x01000193)
  }

  private onEvent(event: StreamEvent): void {
    this.note(`${event._tag} ${this.simulation.now} ${"peer" in event ? event.peer : ""}`)
    switch (event._tag) {
      case "page":
        this.lists.delete(`${event.job} ${event.peer}`)
        return this.onPage(event.job, event.peer, event.page)
      case "page-failed":
        return void this.lists.delete(`${event.job} ${event.peer}`)
      case "answer": {
        const batch = this.batches.get(event.batch)
        this.batches.delete(event.batch)
        this.answeredBy = batch?.peer
        return batch === undefined ? undefined : this.onAnswer(batch.shard, batch.peer, event.answer)
      }
      case "answer-failed":
        return void this.batches.delete(event.batch)
      case "written": {
        const { block } = this.deliveries.get(event.delivery)!
        this.deliveries.delete(event.delivery)
        this.blocks.get(block)!.written++
        return
      }
      case "committed": {
        const job = this.world.jobs[event.job]!
        this.blocks.get(nameOf(job.shard, job.blockStarts[event.block]!))!.state = "committed"
        return
      }
      case "level":
        this.level = event.level
        for (const job of this.jobs) if (job.stream !== undefined) job.levels.add(event.level)
        return
      case "stop":
        for (const job of this.jobs) job.stopped = true
    }
  }

  private onPage(job: number, peer: number, page: MetadataPage): void {
    const { shard } = this.world.jobs[job]!
    const isLate = this.simulation.run.active.get(job)?.listing.stragglers.overtaken[peer] === true
    for (let row = 0; row < page.count; row++) {
      const id = page.buffer.subarray(page.idOffset[row]!, page.idOffset[row]! + page.idLength[row]!)
      const notes = this.blocks.get(nameOf(shard, startOf(page.startHi[row]!, page.startLo[row]!)))
      if (notes === undefined || notes.job !== job || shardOf(id, 0, this.world.spec.numShards) !== shard) continue
      const series = this.seriesOf(notes, toHex(id))
      const tags = page.buffer.subarray(page.tagsOffset[row]!, page.tagsOffset[row]! + page.tagsLength[row]!)
      // Tags are the series': what was said with one block holds for the others.
      if (tags.length > 0) this.tags.set(`${job}/${toHex(id)}`, toHex(tags))
      if (isLate && !series.advertised.has(peer)) series.late.add(peer)
      const said = series.advertised.get(peer) ?? new Set()
      series.advertised.set(peer, said.add(page.failed[row] === 1 ? absent : page.checksum[row]!))
    }
    if (page.nextPageToken === undefined) this.jobs[job]!.finished.add(peer)
  }

  private seriesOf(notes: BlockNotes, id: string): SeriesNotes {
    let series = notes.series.get(id)
    if (series === undefined) {
      series = {
        advertised: new Map(),
        copies: new Map(),
        late: new Set(),
        stored: undefined,
        knownWhenStored: new Set()
      }
      notes.series.set(id, series)
    }
    return series
  }

  /** All rows for one series-block together are one copy, when none of them is in error or wrong in itself. */
  private onAnswer(shard: number, peer: number, answer: BlocksAnswer): void {
    const came = new Map<SeriesNotes, Array<Uint8Array> | undefined>()
    for (let element = 0; element < answer.elementCount; element++) {
      const id = toHex(
        answer.buffer.subarray(answer.idOffset[element]!, answer.idOffset[element]! + answer.idLength[element]!)
      )
      for (let row = answer.firstBlock[element]!; row < answer.firstBlock[element + 1]!; row++) {
        const notes = this.blocks.get(nameOf(shard, startOf(answer.startHi[row]!, answer.startLo[row]!)))
        const series = notes?.series.get(id)
        if (series === undefined) continue
        const streams = streamsOfRow(answer, row)
        const before = came.has(series) ? came.get(series) : []
        came.set(series, streams === undefined || before === undefined ? undefined : [...before, ...streams])
      }
    }
    for (const [series, streams] of came) {
      if (streams === undefined || streams.length === 0) continue
      const known = series.copies.get(peer) ?? []
      series.copies.set(peer, known)
      const isKnown = known.some((copy) =>
        copy.length === streams.length && copy.every((one, i) => Buffer.compare(one, streams[i]!) === 0)
      )
      if (!isKnown) known.push(streams)
    }
  }

  private onAction(action: StreamAction): void {
    this.note(action._tag)
    switch (action._tag) {
      case "list": {
        const name = `${action.job} ${action.peer}`
        check(!this.lists.has(name), () => `two listings at once: job and peer ${name}`)
        return void this.lists.set(name, action.maxAnswerBytes)
      }
      case "fetch": {
        this.batches.set(action.batch, { peer: action.peer, shard: action.request.shard, bytes: action.maxAnswerBytes })
        let flying = 0
        for (const { peer } of this.batches.values()) if (peer === action.peer) flying++
        check(flying <= this.world.windowBatches, () => `${flying} batches in flight from peer ${action.peer}`)
        return
      }
      case "cancel":
        return this.onCancel(action.call)
      case "deliver":
        return this.onDeliver(action)
      case "commit":
        return this.onCommit(action)
      case "abort": {
        const notes = this.blocks.get(nameOf(action.key.shard, action.key.blockStart))!
        check(notes.state === "open", () => `abort of a block that is ${notes.state}`)
        notes.state = "aborted"
        for (const series of notes.series.values()) series.stored = undefined
        return
      }
      case "note":
        if (action.name === "peer-suspect") this.suspects.add(action.fields["peer"])
        return
      case "finished":
    }
  }

  /** Only what is under way can be cancelled, and at level `all` no listing is. */
  private onCancel(call: Extract<StreamAction, { readonly _tag: "cancel" }>["call"]): void {
    if (call.kind === "fetch") {
      return check(this.batches.delete(call.batch), () => `batch ${call.batch} is not in flight`)
    }
    const name = `${call.job} ${call.peer}`
    check(this.lists.delete(name), () => `listing ${name} is cancelled, but not under way`)
    const isBelieved = this.simulation.run.active.get(call.job)?.listing.distrusted[call.peer] !== true
    check(this.level !== "all" || !isBelieved, () => `listing ${name} is given up at level all`)
  }

  private onDeliver({ batch, delivery }: Extract<StreamAction, { readonly _tag: "deliver" }>): void {
    const block = nameOf(batch.key.shard, batch.key.blockStart)
    const notes = this.blocks.get(block)!
    check(notes.state === "open", () => `delivery for block ${block}, which is ${notes.state}`)
    this.deliveries.set(delivery, { block, bytes: batch.bytes })
    notes.delivered++
    for (let i = 0; i < batch.count; i++) {
      const id = toHex(batch.ids[i]!)
      const series = notes.series.get(id)
      check(series !== undefined, () => `series ${id} of ${block} was delivered, but nobody listed it`)
      check(series.stored === undefined, () => `series ${id} of ${block} was delivered twice`)
      series.stored = new Uint8Array(Buffer.concat(batch.data[i]!))
      series.knownWhenStored = new Set(series.advertised.keys())
      check(adler32(series.stored) === batch.checksums[i], () => `wrong checksum for the sink: ${id} of ${block}`)
      const tags = toHex(batch.tags[i]!)
      const said = this.tags.get(`${notes.job}/${id}`) ?? ""
      check(tags === said, () => `series ${id} of ${block} lost its tags`)
    }
  }

  private onCommit({ job, key }: Extract<StreamAction, { readonly _tag: "commit" }>): void {
    const block = nameOf(key.shard, key.blockStart)
    const notes = this.blocks.get(block)!
    const { finished, levels, stream } = this.jobs[job]!
    check(notes.state === "open", () => `commit of block ${block}, which is ${notes.state}`)
    check(notes.written === notes.delivered, () => `commit of block ${block} before all of it is written`)
    check(stream === undefined || stream.listing.isOver, () => `commit of block ${block} before its listing is over`)
    const peers = this.world.jobs[job]!.peers.length
    const isMet = [...levels].some((level) => finished.size >= required(level, this.world.majorityOf, peers))
    check(isMet, () => `block ${block} is published with ${finished.size} of ${peers} listed, level ${[...levels]}`)
    check(finished.size > 0 || notes.delivered > 0, () => `block ${block} is published empty, though nobody was listed`)
    notes.state = "committing"
  }

  /** A batch that came is proof: nobody is kept away from a peer that delivers. */
  private checkBreaker(): void {
    const { run } = this.simulation
    const peer = this.answeredBy
    this.answeredBy = undefined
    if (peer === undefined) return
    const breaker = run.scope.queues.breaker(peer, run.scope.now)
    check(breaker === "closed", () => `peer ${peer} has just delivered a batch, its breaker is ${breaker}`)
  }

  private onStepped(): void {
    const { run } = this.simulation
    this.checkBreaker()
    const { memoryBytes } = this.world.spec
    this.jobs.forEach((notes, job) => {
      const stream = run.active.get(job)
      if (stream === undefined) return
      if (stream !== notes.stream) this.begin(notes, job, stream)
      stream.listing.distrusted.forEach((distrusted, peer) => {
        if (distrusted) notes.distrusted.add(peer)
      })
      const counted = stream.series.inState.reduce((sum, count) => sum + count, 0)
      check(counted === stream.series.count, () => `job ${job}: ${counted} in states, ${stream.series.count} in all`)
      check(stream.series.inState.every((count) => count >= 0), () => `job ${job}: ${stream.series.inState}`)
    })
    check(
      this.simulation.ledger.used <= memoryBytes,
      () => `${this.simulation.ledger.used} of ${memoryBytes} bytes drawn`
    )
    if (run.isFinished || this.jobs.some(({ stopped }) => stopped)) return
    let held = 0
    for (const bytes of this.lists.values()) held += bytes
    for (const { bytes } of this.batches.values()) held += bytes
    for (const { bytes } of this.deliveries.values()) held += bytes
    check(held <= memoryBytes, () => `${held} bytes may be held, ${memoryBytes} are allowed`)
  }

  /** A job began, or begins again after it had to give its memory back. */
  private begin(notes: JobNotes, job: number, stream: ShardStream): void {
    const again = notes.stream !== undefined
    notes.stream = stream
    notes.levels.add(this.level)
    if (!again) return
    notes.finished.clear()
    notes.distrusted.clear()
    for (const block of this.blocks.values()) {
      if (block.job !== job) continue
      block.series.clear()
      block.delivered = block.written = 0
      block.state = "open"
    }
  }

  /** What must have come out of a run that has ended. */
  checkEnd(): void {
    const { ledger, run } = this.simulation
    const report = run.report()
    check(ledger.used === 0, () => `${ledger.used} bytes are still drawn at the end`)
    check(report.outcome !== "complete" || report.missing.total === 0, () => "complete, but something is missing")
    check(report.outcome !== "incomplete" || report.missing.total > 0, () => "incomplete, but nothing is missing")
    let stored = 0
    for (const [name, notes] of this.blocks) {
      check(
        notes.state !== "open" && notes.state !== "committing" || run.outcome?._tag !== "complete",
        () => `${name} is ${notes.state}`
      )
      for (const [id, series] of notes.series) {
        if (series.stored === undefined) continue
        stored++
        this.checkStored(name, notes, id, series)
      }
    }
    const { _tag } = run.outcome!
    if (_tag === "complete" || _tag === "incomplete") {
      check(
        report.seriesBlocks.stored === stored,
        () => `reported ${report.seriesBlocks.stored} stored, it is ${stored}`
      )
    }
    this.checkMissing()
    this.checkEvidence()
  }

  private checkStored(name: string, notes: BlockNotes, id: string, series: SeriesNotes): void {
    const { immutableEnd, majorityOf, replicas } = this.world
    const { distrusted, levels } = this.jobs[notes.job]!
    const mutable = immutableEnd !== undefined && notes.start >= immutableEnd
    const known = [...series.advertised].filter(([peer]) => series.knownWhenStored.has(peer))
    const witnesses = known.map(([peer, advertised]) => ({
      peer,
      peerId: replicas[peer]!.replica.id,
      advertised,
      copies: series.copies.get(peer) ?? [],
      isCertain: replicas[peer]!.isSteady && !this.suspects.has(replicas[peer]!.replica.id)
    }))
    const question = {
      stored: series.stored!,
      blockStart: notes.start,
      mutable,
      levels: [...levels],
      majority: majorityOf
    }
    const among = (chosen: ReadonlyArray<Witness>): boolean => isAllowed({ ...question, witnesses: chosen })
    const believed = witnesses.filter(({ peer }) => !distrusted.has(peer))
    // Who reports late may come after the decision.
    const inTime = believed.filter(({ peer }) => !series.late.has(peer))
    check(
      among(witnesses) || believed.length < witnesses.length && among(believed) ||
        inTime.length < believed.length && among(inTime),
      () => `series ${id} of ${name} is not what the rules make of its copies`
    )
  }

  /** The report lists exactly what was advertised by peers that are believed and is not stored. */
  private checkMissing(): void {
    const report = this.simulation.run.report()
    const listed = new Set<string>()
    for (const { blockStart, id, shard } of report.missing.entries) {
      const name = `${shard}/${blockStart}${id === undefined ? "" : `/${id}`}`
      check(id === undefined || !listed.has(name), () => `${name} is listed twice as missing`)
      listed.add(name)
    }
    for (const [name, notes] of this.blocks) {
      const { distrusted } = this.jobs[notes.job]!
      for (const [id, { advertised, stored }] of notes.series) {
        const said = listed.has(`${name}/${id}`)
        check(
          !said || stored === undefined || notes.state === "aborted",
          () => `${name}/${id} is stored, and listed as missing`
        )
        const believed = [...advertised.keys()].some((peer) => !distrusted.has(peer))
        if (notes.state !== "committed" || !believed) continue
        check(said || stored !== undefined, () => `${name}/${id} is neither stored nor listed as missing`)
      }
      if (notes.state !== "committed") {
        check(listed.has(name) || this.failed, () => `${name} is ${notes.state}, and not listed`)
      }
    }
    for (const name of listed) {
      const [shard, start, id] = name.split("/")
      if (id === undefined) continue
      const known = this.blocks.get(`${shard}/${start}`)?.series.has(id) ?? false
      check(known, () => `${name} is listed as missing, but nobody advertised it`)
    }
    this.checkUnlisted(listed)
  }

  private get failed(): boolean {
    return this.simulation.run.outcome?._tag === "failed"
  }

  /** A level that was lowered hides nothing: blocks that fewer peers listed than was asked for are named. */
  private checkUnlisted(listed: ReadonlySet<string>): void {
    const { level } = this.world.spec
    for (const [name, { job, state }] of this.blocks) {
      const { finished, stopped } = this.jobs[job]!
      if (state !== "committed" || stopped || this.failed) continue
      const needed = required(
        level === "none" ? "majority" : level,
        this.world.majorityOf,
        this.world.jobs[job]!.peers.length
      )
      const isShort = finished.size < needed
      check(listed.has(name) === isShort, () => `${name}: listed by ${finished.size} of ${needed}, named: ${!isShort}`)
    }
  }

  /** Nobody is blamed without proof. */
  private checkEvidence(): void {
    const { immutableEnd, replicas } = this.world
    const liars = new Set(replicas.filter(({ lies }) => lies !== undefined).map(({ replica }) => replica.id))
    for (const { detail, kind, peer, subject, verdict } of this.simulation.run.book.records()) {
      if (verdict !== "peer" || liars.has(peer)) continue
      const start = /block (\d+)/.exec(subject)?.[1]
      const changed = kind === "delivered-differs-from-advertised" && immutableEnd !== undefined &&
        start !== undefined && BigInt(start) >= immutableEnd
      check(changed, () => `honest ${peer} is blamed: ${kind}, ${subject}, ${detail}`)
    }
  }
}

const streamsOfRow = (answer: BlocksAnswer, row: number): Array<Uint8Array> | undefined => {
  if (answer.errorLength[row]! >= 0) return undefined
  const streams: Array<Uint8Array> = []
  for (let at = answer.firstSegment[row]!; at < answer.firstSegment[row + 1]!; at++) {
    const head = answer.buffer.subarray(answer.headOffset[at]!, answer.headOffset[at]! + answer.headLength[at]!)
    const tail = answer.buffer.subarray(answer.tailOffset[at]!, answer.tailOffset[at]! + answer.tailLength[at]!)
    const stream = new Uint8Array(Buffer.concat([head, tail]))
    if (stream.length > 0) streams.push(stream)
  }
  const announced = answer.checksum[row]!
  return announced === absent || announced === adler32(Buffer.concat(streams)) ? streams : undefined
}
