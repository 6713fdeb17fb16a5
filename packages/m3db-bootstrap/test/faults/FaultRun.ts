/** Three replicas in virtual time, one of them faulty: plays the run and says what came of it, in what time, and who was blamed. */
import type { Level } from "@peerstrap/consistency-policy"
import { toHex } from "@peerstrap/m3db-wire"
import {
  SeededReplica,
  type SeededSpec,
  seededSpec,
  type SeededVariation,
  streamOf
} from "@peerstrap/m3db-wire/testing"
import type { Verdict } from "@peerstrap/peer-selection"
import { Random } from "@peerstrap/simulator"
import { BehavedReplica } from "../support/BehavedReplica.ts"
import {
  blockSize,
  firstBlock,
  makeReplica,
  Simulation,
  type SimulationSpec,
  writtenOf
} from "../support/SimulatedCluster.ts"
import type { OurPipe } from "../support/SimulatedLink.ts"
import type { FaultRow, TimeBar } from "./FaultRow.ts"

export interface Size {
  readonly shards: number
  readonly series: number
  readonly blocks: number
  readonly points: number
}

/** A hundredth of the measured cluster. */
export const fullSize: Size = { shards: 8, series: 160, blocks: 2, points: 100 }

/** For pairs, of which there are many. */
export const smallSize: Size = { shards: 3, series: 48, blocks: 2, points: 100 }

/** What all replicas should hold, with the variants of it; made once a seed. */
export interface Truth {
  readonly seed: number
  readonly size: Size
  readonly spec: SeededSpec
  /** `shard/block start` → id hex → stream hex. */
  readonly expected: ReadonlyMap<string, ReadonlyMap<string, string>>
  readonly tags: ReadonlyMap<string, string>
  readonly holding: (variation: SeededVariation) => SeededReplica
  /** Simulated ms of the run of three healthy replicas, by level. */
  readonly healthyMillis: (level: Level) => number
}

export const makeTruth = (seed: number, size: Size): Truth => {
  const spec = seededSpec({
    seed,
    numShards: size.shards,
    series: size.series,
    blocks: size.blocks,
    points: size.points,
    start: firstBlock,
    blockSize,
    prefix: `series-${seed}`
  })
  const holdings = new Map<string, SeededReplica>()
  const holding = (variation: SeededVariation): SeededReplica => {
    const name = JSON.stringify(variation)
    const known = holdings.get(name) ?? new SeededReplica(spec, variation)
    holdings.set(name, known)
    return known
  }
  const expected = new Map<string, Map<string, string>>()
  const tags = new Map<string, string>()
  for (const { blockStart, encodedTags, id, points, shard } of holding({}).truth()) {
    const name = `${shard}/${blockStart}`
    const block = expected.get(name) ?? new Map<string, string>()
    expected.set(name, block)
    block.set(toHex(id), toHex(streamOf(points, blockStart, false).head))
    tags.set(toHex(id), encodedTags === undefined ? "" : toHex(encodedTags))
  }
  const healthy = new Map<Level, number>()
  const truth: Truth = {
    seed,
    size,
    spec,
    expected,
    tags,
    holding,
    healthyMillis: (level) => {
      const known = healthy.get(level) ?? playFaults(truth, [], { level }).tookMillis
      healthy.set(level, known)
      return known
    }
  }
  return truth
}

export interface PlayOptions {
  readonly level?: Level
  readonly spec?: Partial<SimulationSpec>
  /** Rows of the two other replicas. */
  readonly others?: ReadonlyArray<ReadonlyArray<FaultRow>>
  readonly maxMillis?: number
  readonly before?: ((played: Played) => void) | undefined
}

export interface Played {
  readonly simulation: Simulation
  readonly faulty: string
  readonly honest: ReadonlyArray<string>
  readonly tookMillis: number
}

/** 15 MB/s of ours, 10 MB/s of each replica, at a hundredth. */
const ourBytesPerSecond = 150_000
const linkShape = { latencyMillis: 1, jitterMillis: 1, bytesPerSecond: 100_000 }

/** Limits of the engine at the scale of the model. */
export const scaledLimits = {
  limits: { pageLimit: 10 },
  queueLimits: { initialBatchBytes: 2_620, minBatchBytes: 164, maxBatchBytes: 42_000, maxBatchItems: 41 }
} satisfies Partial<SimulationSpec>

/** Plays a run in which one replica, drawn by the seed, does all of `rows`. */
export const playFaults = (truth: Truth, rows: ReadonlyArray<FaultRow>, options: PlayOptions = {}): Played => {
  const random = Random.make(truth.seed)
  const ids = random.fork("cast").shuffle(["A", "B", "C"])
  const replicas = ["A", "B", "C"].map((id) => makeReplica(id))
  const simulation = new Simulation({
    seed: truth.seed,
    replicas,
    numShards: truth.size.shards,
    blocks: truth.size.blocks,
    level: options.level ?? "majority",
    ...scaledLimits,
    ...options.spec
  })
  const ours: OurPipe = { bytesPerSecond: ourBytesPerSecond, freeAtMillis: 0 }
  ids.forEach((id, at) => {
    const own = at === 0 ? rows : options.others?.[at - 1] ?? []
    const served = new BehavedReplica({
      data: truth.holding(Object.assign({}, ...own.map(({ variation }) => variation ?? {}))),
      behaviours: own.flatMap(({ behaviours }) => behaviours ?? []).join("+"),
      faults: Object.assign({}, ...own.map(({ faults }) => faults ?? {})),
      shape: linkShape,
      ports: {
        nowMillis: () => simulation.now,
        after: (millis, run) => simulation.after(millis, run),
        random: random.fork(`link ${id}`),
        ours
      }
    })
    replicas.find((one) => one.id === id)!.served = served
    for (const { diesAt, isDown } of own) {
      if (isDown === true) served.link.isDown = true
      if (diesAt !== undefined) {
        simulation.after(diesAt * truth.healthyMillis(options.level ?? "majority"), () => served.link.die())
      }
    }
  })
  const played: { -readonly [K in keyof Played]: Played[K] } = {
    simulation,
    faulty: ids[0]!,
    honest: ids.slice(1),
    tookMillis: 0
  }
  options.before?.(played)
  simulation.play(options.maxMillis ?? 300_000)
  played.tookMillis = simulation.now - simulation.started
  return played
}

const kindsOf = ({ simulation }: Played, peer: string, verdict: Verdict): ReadonlyArray<string> => {
  const { evidence } = simulation.run.report()
  const own = evidence.filter((one) => one.peer === peer && one.verdict === verdict)
  return [...new Set(own.map(({ kind }) => kind))].toSorted()
}

/** Kinds of evidence with verdict `peer` against this peer. */
export const blameOf = (played: Played, peer: string): ReadonlyArray<string> => kindsOf(played, peer, "peer")

export const allowedMillis = (truth: Truth, bar: TimeBar, level: Level = "majority"): number =>
  bar.ratio * truth.healthyMillis(level) + (bar.plusMillis ?? 0)

/** What is not as the data should be, in a few words; empty when all is right. */
export const wrongData = (truth: Truth, { simulation }: Played): ReadonlyArray<string> => {
  const wrong: Array<string> = []
  const written = writtenOf(simulation)
  for (const [name, block] of truth.expected) {
    const own = written.get(name)
    for (const [id, stream] of block) {
      if (own?.get(id) === undefined) wrong.push(`${name} lacks ${id}`)
      else if (own.get(id) !== stream) wrong.push(`${name} has other bytes of ${id}`)
      else if (simulation.tagsOf.get(id) !== truth.tags.get(id)) wrong.push(`${id} has other tags`)
    }
    for (const id of own?.keys() ?? []) if (!block.has(id)) wrong.push(`${name} has ${id}, which nobody holds`)
  }
  return wrong.length > 5 ? [...wrong.slice(0, 5), `… ${wrong.length} in all`] : wrong
}

/** Everything wrong with a run that should have ended complete. */
export const problemsOf = (
  truth: Truth,
  played: Played,
  expect: {
    readonly blame: ReadonlyArray<string>
    readonly unclear?: ReadonlyArray<string>
    readonly mayBlame: ReadonlyArray<string>
    readonly bar: TimeBar
    readonly level?: Level
  }
): ReadonlyArray<string> => {
  const { faulty, honest, simulation, tookMillis } = played
  const problems: Array<string> = []
  const outcome = simulation.run.outcome?._tag
  if (outcome !== "complete") {
    problems.push(`outcome ${outcome ?? "none"}, waits: ${JSON.stringify(simulation.run.waits().slice(0, 2))}`)
  }
  problems.push(...wrongData(truth, played))
  for (const peer of honest) {
    const blame = blameOf(played, peer)
    if (blame.length > 0) problems.push(`the honest ${peer} is blamed for ${blame}`)
  }
  const blame = blameOf(played, faulty)
  const unfair = blame.filter((kind) => !expect.blame.includes(kind) && !expect.mayBlame.includes(kind))
  if (unfair.length > 0) problems.push(`blamed for ${unfair}`)
  const lacking = expect.blame.filter((kind) => !blame.includes(kind))
  if (lacking.length > 0) problems.push(`not blamed for ${lacking}`)
  const known = kindsOf(played, faulty, "unknown")
  const untold = (expect.unclear ?? []).filter((kind) => !known.includes(kind))
  if (untold.length > 0) problems.push(`nothing is told of ${untold}`)
  const allowed = allowedMillis(truth, expect.bar, expect.level)
  if (outcome === "complete" && tookMillis > allowed) {
    const healthy = truth.healthyMillis(expect.level ?? "majority")
    problems.push(
      `took ${Math.round(tookMillis)} ms, ${(tookMillis / healthy).toFixed(2)} × healthy; allowed ${
        Math.round(allowed)
      } ms`
    )
  }
  if (simulation.ledger.used !== 0) problems.push(`${simulation.ledger.used} bytes of the ledger are not given back`)
  return problems
}
