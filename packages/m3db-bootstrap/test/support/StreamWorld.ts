/**
 * Draws a cluster and everything that goes wrong in it from a seed: who holds what, who is down when, who lies how, how much
 * memory there is, when the level changes or the run is told to stop.
 */
import { type Level, levels } from "@peerstrap/consistency-policy"
import { type CallErrorReason, encodeTags, shardOf } from "@peerstrap/m3db-wire"
import { keepPoints, raiseValues } from "@peerstrap/m3db-wire/testing"
import { type Datapoints, encodeBlock } from "@peerstrap/m3tsz"
import { generateDatapoints } from "@peerstrap/m3tsz/testing"
import { Random } from "@peerstrap/simulator"
import type { StreamEvent, StreamJob } from "../../src/contract/StreamRun.ts"
import { drawLies, type Lies, tellLies } from "./Lies.ts"
import { blockSize, type Failure, firstBlock, type Held, makeReplica, type Replica } from "./SimulatedCluster.ts"
import type { SimulationSpec } from "./SimulatedCluster.ts"

export interface WorldReplica {
  readonly replica: Replica
  /** Undefined for an honest one. */
  readonly lies: Lies | undefined
  /** Never fails a call. */
  readonly isSteady: boolean
  /** Whether it answers listings, block requests, once all passing trouble is over. */
  readonly lists: boolean
  readonly delivers: boolean
}

export interface World {
  readonly seed: number
  readonly spec: SimulationSpec & { readonly level: Level; readonly memoryBytes: number }
  readonly jobs: ReadonlyArray<StreamJob>
  readonly replicas: ReadonlyArray<WorldReplica>
  readonly majorityOf: number
  readonly windowBatches: number
  readonly immutableEnd: bigint | undefined
  /** What happens beside answers. */
  readonly events: ReadonlyArray<{ readonly atMillis: number; readonly event: StreamEvent }>
  /** Blocks that honest replicas change in mid-run. */
  readonly changes: ReadonlyArray<{ readonly atMillis: number; readonly change: () => void }>
  /** By then a run that can end has ended. */
  readonly deadlineMillis: number
}

const text = new TextEncoder()

const passing: ReadonlyArray<CallErrorReason> = [
  "unreachable",
  "closed",
  "timeout",
  "overloaded",
  "not-bootstrapped",
  "internal",
  "too-large"
]

const failureOf = (reason: CallErrorReason, random: Random): Failure => ({
  reason,
  message: `simulated ${reason}`,
  afterMillis: reason === "timeout" ? 15_000 : random.int(0, 20)
})

interface Trouble {
  readonly kinds: ReadonlyArray<"list" | "fetch">
  readonly reason: CallErrorReason
  readonly fromMillis: number
  readonly toMillis: number
}

const drawTrouble = (random: Random, healMillis: number): ReadonlyArray<Trouble> =>
  Array.from({ length: random.int(0, 3) }, () => {
    const fromMillis = random.chance(0.5) ? 0 : random.int(0, 400)
    return {
      kinds: random.pick([["list"], ["fetch"], ["list", "fetch"]] as const),
      reason: random.pick(passing.slice(0, 6)),
      fromMillis,
      toMillis: Math.min(healMillis, fromMillis + random.pick([10, 500, 5_000, 40_000]))
    }
  })

/** A fault that lasts for ever, of listings, of blocks, or of both. */
const drawEnd = (random: Random): Trouble | undefined =>
  random.chance(0.15)
    ? {
      kinds: random.pick([["list", "fetch"], ["list", "fetch"], ["fetch"], ["list"]] as const),
      reason: random.pick(["unreachable", "closed", "timeout", "not-bootstrapped", "internal"] as const),
      fromMillis: random.pick([0, 0, 20, 100]),
      toMillis: Number.POSITIVE_INFINITY
    }
    : undefined

const pointsOf = (seed: number, start: bigint, count: number): Datapoints =>
  generateDatapoints({ seed, blockStart: start, blockSize, points: count, shape: "mixed", unit: 1 })

const streamOf = (points: Datapoints, start: bigint): Uint8Array => {
  const encoded = encodeBlock(points, start)
  if ("_tag" in encoded) throw new Error(encoded.message)
  return encoded.bytes
}

/** How one honest replica holds a series-block: mostly as the others, sometimes less, otherwise, in two streams, or not at all. */
const heldBy = (random: Random, held: Omit<Held, "streams">, points: Datapoints, same: Held): Held | undefined => {
  switch (random.pick(["lacks", "points", "values", "unmerged"] as const)) {
    case "lacks":
      return undefined
    case "points": {
      const every = random.int(2, 4)
      const kept = keepPoints(points, (at) => at % every !== 1)
      return { ...same, streams: [streamOf(kept, held.start)] }
    }
    case "values":
      return { ...same, streams: [streamOf(raiseValues(points), held.start)] }
    case "unmerged": {
      const parts = [0, 1].map((half) => streamOf(keepPoints(points, (at) => at % 2 === half), held.start))
      return { ...same, streams: points.count < 2 ? same.streams : parts }
    }
  }
}

interface Shape {
  readonly numShards: number
  readonly blocks: number
  readonly series: number
  readonly replicas: number
  /** Of series-blocks that an honest replica holds in its own way. */
  readonly divergence: number
}

const drawHoldings = (random: Random, shape: Shape): Array<Map<number, Array<Held>>> => {
  const holdings = Array.from({ length: shape.replicas }, () => new Map<number, Array<Held>>())
  for (let series = 0; series < shape.series; series++) {
    const id = text.encode(`series-${series}`)
    const tags = encodeTags([[text.encode("n"), text.encode(String(series))]])
    const shard = shardOf(id, 0, shape.numShards)
    for (let block = 0; block < shape.blocks; block++) {
      const start = firstBlock + BigInt(block) * blockSize
      const points = pointsOf(random.bits(), start, random.int(1, 9))
      const same: Held = { id, tags, start, streams: [streamOf(points, start)] }
      for (const own of holdings) {
        const held = random.chance(shape.divergence) ? heldBy(random, same, points, same) : same
        if (held === undefined) continue
        const list = own.get(shard)
        if (list === undefined) own.set(shard, [held])
        else list.push(held)
      }
    }
  }
  return holdings.map((own) => new Map([...own].map(([shard, list]) => [shard, random.shuffle(list)])))
}

const drawJobs = (random: Random, shape: Shape): ReadonlyArray<StreamJob> => {
  const most = random.int(1, shape.blocks)
  const jobs: Array<StreamJob> = []
  for (let shard = 0; shard < shape.numShards; shard++) {
    for (let first = 0; first < shape.blocks; first += most) {
      const blockStarts = Array.from(
        { length: Math.min(most, shape.blocks - first) },
        (_, i) => firstBlock + BigInt(first + i) * blockSize
      )
      jobs.push({ shard, peers: Array.from({ length: shape.replicas }, (_, peer) => peer), blockStarts })
    }
  }
  return jobs
}

interface Circumstances {
  readonly random: Random
  readonly id: string
  readonly held: Map<number, Array<Held>>
  readonly healMillis: number
  readonly startedMillis: number
  readonly numShards: number
  readonly canLie: boolean
}

const drawReplica = (given: Circumstances): WorldReplica => {
  const { healMillis, id, random, startedMillis } = given
  const replica = makeReplica(id, given.held)
  const calls = random.fork("calls")
  const [least, most] = random.pick([[0, 0], [1, 3], [5, 60], [300, 900]] as const)
  replica.delay = () => calls.int(least, most)
  replica.millisPerByte = random.pick([0, 0, 0.01, 0.5])
  replica.pageSize = random.pick([3, 20, 100, 100])
  const isFlaky = random.chance(0.5)
  const trouble = isFlaky ? drawTrouble(random, healMillis) : []
  const lies = given.canLie ? drawLies(random.fork("lies")) : undefined
  const end = lies?.token === undefined ? drawEnd(random) : undefined
  const chance = isFlaky && random.chance(0.5) ? random.pick([0.05, 0.3, 0.6]) : 0
  replica.fault = (kind, _nth, nowMillis) => {
    const at = nowMillis - startedMillis
    for (const one of end === undefined ? trouble : [...trouble, end]) {
      if (one.kinds.includes(kind) && at >= one.fromMillis && at < one.toMillis) return failureOf(one.reason, calls)
    }
    if (at >= healMillis || !calls.chance(chance)) return undefined
    const reason = calls.pick(passing)
    // Pages that are asked for smaller and smaller tell nothing about a listing that never ends.
    return failureOf(
      reason === "too-large" && kind === "list" && lies?.token !== undefined ? "internal" : reason,
      calls
    )
  }
  // Whoever floods fast enough fills any memory before the others have listed.
  if (lies?.token !== undefined) replica.delay = () => calls.int(100, 150)
  if (lies === undefined) beOdd(replica, random.fork("oddities"))
  else tellLies(replica, lies, { random: random.fork("telling"), numShards: given.numShards })
  return {
    replica,
    lies,
    isSteady: lies === undefined && end === undefined && trouble.length === 0 && chance === 0,
    lists: !(end?.kinds.includes("list") ?? false),
    delivers: !(end?.kinds.includes("fetch") ?? false)
  }
}

/** What is legal though unusual: an empty first page, a token that comes twice, rows twice, answers in another order. */
const beOdd = (replica: Replica, random: Random): void => {
  const emptyFirst = random.chance(0.5)
  const repeats = random.chance(0.3)
  const twice = random.chance(0.3)
  const shuffles = random.chance(0.3)
  const repeated = new Set<string>()
  replica.tamperPage = (elements, { pageToken }) => {
    if (emptyFirst && pageToken === undefined) return []
    return twice && elements.length > 1 ? [...elements, elements[0]!] : elements
  }
  replica.nextToken = (next, asked, { pageToken, shard }) => {
    if (emptyFirst && pageToken === undefined) return 0
    const name = `${shard}/${asked}`
    if (!repeats || next === undefined || repeated.has(name)) return next
    repeated.add(name)
    return asked
  }
  if (shuffles) replica.tamper = (elements) => random.shuffle(elements)
}

const drawEvents = (random: Random): World["events"] => {
  const events: Array<World["events"][number]> = []
  if (random.chance(0.3)) {
    for (let change = random.int(1, 2); change > 0; change--) {
      const atMillis = random.pick([0, 5, 100, 2_000, 60_000])
      const level = random.pick([...levels, "none", "none"] as const)
      events.push({ atMillis, event: { _tag: "level", level, origin: "simulation" } })
    }
  }
  if (random.chance(0.12)) {
    const why = random.pick(["stopped", "deadline"] as const)
    events.push({ atMillis: random.pick([0, 8, 40, 150, 1_000, 20_000]), event: { _tag: "stop", why } })
  }
  return events
}

/** Honest replicas get more points into blocks that still change. */
const drawChanges = (
  random: Random,
  holdings: ReadonlyArray<Map<number, Array<Held>>>,
  from: bigint | undefined
): World["changes"] => {
  if (from === undefined) return []
  return holdings.map((own) => ({
    atMillis: random.int(1, 200),
    change: () => {
      for (const list of own.values()) {
        for (const [index, held] of list.entries()) {
          if (held.start < from || random.chance(0.7)) continue
          list[index] = { ...held, streams: [streamOf(pointsOf(random.bits(), held.start, 10), held.start)] }
        }
      }
    }
  }))
}

const startedMillis = 1_795_250_000_000

export const drawWorld = (seed: number): World => {
  const random = Random.make(seed)
  const replicas = random.int(2, 5)
  const numShards = random.int(1, 8)
  const shape: Shape = {
    replicas,
    numShards,
    blocks: random.int(1, 4),
    series: random.int(1, random.pick([3, 10, 30])),
    divergence: random.pick([0, 0.02, 0.1, 0.4])
  }
  const healMillis = random.pick([0, 300, 3_000, 40_000])
  const holdings = drawHoldings(random.fork("holdings"), shape)
  const liars = random.chance(0.5) ? 0 : random.chance(0.7) ? 1 : random.int(1, replicas - 1)
  const ids = random.shuffle(["A", "B", "C", "D", "E"].slice(0, replicas))
  const cast = holdings.map((held, index) =>
    drawReplica({
      random: random.fork(`replica ${index}`),
      id: ids[index]!,
      held,
      healMillis,
      startedMillis,
      numShards,
      canLie: index < liars
    })
  )
  const immutableEnd = random.chance(0.2) ? firstBlock + BigInt(shape.blocks - 1) * blockSize : undefined
  const replicationFactor = random.chance(0.8) ? replicas : random.int(1, 5)
  const windowBatches = random.int(1, 4)
  // Made-up series, and sizes that are taken for true, fill a small memory.
  const fills = cast.some(({ lies }) => lies?.token === "endless" || (lies?.metadata.includes("huge-size") ?? false))
  const tight = !fills && random.chance(0.3)
  const minBatchBytes = random.pick([64, 1024, 16_384])
  return {
    seed,
    jobs: drawJobs(random, shape),
    replicas: cast,
    majorityOf: Math.floor(replicationFactor / 2) + 1,
    windowBatches,
    immutableEnd,
    events: drawEvents(random.fork("events")),
    changes: drawChanges(random.fork("changes"), holdings.slice(liars), immutableEnd),
    deadlineMillis: 400_000,
    spec: {
      seed,
      replicas: cast.map(({ replica }) => replica),
      numShards,
      blocks: shape.blocks,
      level: random.pick(levels),
      replicationFactor,
      memoryBytes: tight ?
        random.pick([600_000, 900_000, 2 << 20])
        : 64 << 20,
      sinkDelay: random.pick([0, 1, 20, 700]),
      limits: {
        jobsInFlight: random.int(1, 8),
        pageLimit: random.pick([16, 256, 4096]),
        attemptsPerPeer: random.int(1, 3),
        mergeSliceBytes: random.pick([1, 1000, 1 << 17])
      },
      queueLimits: {
        windowBatches,
        maxBatchItems: random.pick([1, 4, 64, 4096]),
        minBatchBytes,
        initialBatchBytes: minBatchBytes * random.int(1, 8)
      },
      options: immutableEnd === undefined ? {} : { immutableEnd }
    }
  }
}
