/** One seed from the drawn world to the verdict: plays it, and judges runs that end and runs that do not. */
import type { ScenarioRun } from "@peerstrap/simulator"
import type { ByteLedger } from "@peerstrap/transport"
import { required } from "./NaiveSettlement.ts"
import { Simulation, type SimulationSpec } from "./SimulatedCluster.ts"
import { type SeriesNotes, StreamObserver, Violation } from "./StreamObserver.ts"
import { drawWorld, type World } from "./StreamWorld.ts"

export interface Played extends ScenarioRun {
  readonly simulation: Simulation
  readonly world: World
}

/** Parts of a run that a planted bug replaces. */
export interface Replacements {
  readonly ledger?: (capacity: number) => ByteLedger
  readonly spec?: Partial<SimulationSpec>
}

export const playWorld = (seed: number, replacements: Replacements = {}): Played => {
  const world = drawWorld(seed)
  const ledger = replacements.ledger?.(world.spec.memoryBytes)
  const simulation = new Simulation({
    ...world.spec,
    jobs: world.jobs,
    ...(ledger === undefined ? {} : { ledger }),
    ...replacements.spec
  })
  const observer = new StreamObserver(world, simulation)
  for (const { atMillis, event } of world.events) simulation.after(atMillis, () => simulation.send(event))
  for (const { atMillis, change } of world.changes) simulation.after(atMillis, change)
  simulation.play(world.deadlineMillis)
  // Between two tries there are moments at which everything is on its way.
  for (let moment = 0; moment < 100 && simulation.run.waits().length === 0; moment++) simulation.play(500)
  if (simulation.run.isFinished) {
    observer.checkEnd()
    checkFailure(world, simulation)
  } else checkStuck(world, simulation, observer)
  const hash = (observer.hash >>> 0).toString(16).padStart(8, "0")
  return { hash: `${hash} ${simulation.run.outcome?._tag}`, events: observer.events, simulation, world }
}

/** Only liars, or memory that is too small, may make a run fail. */
const checkFailure = (world: World, { run }: Simulation): void => {
  if (run.outcome?._tag !== "failed") return
  const { fault, message } = run.outcome
  const liars = world.replicas.filter(({ lies }) => lies !== undefined).length
  const excused = fault === "self"
    ? world.spec.memoryBytes < 1 << 20
    : liars >= Math.min(world.majorityOf, world.replicas.length)
  if (!excused) throw new Violation(`failed without a reason (${fault}): ${message}`)
}

/** Whether replica copies that can still come do not suffice for this series-block. */
const isShort = (
  world: World,
  series: SeriesNotes,
  distrusted: ReadonlySet<number>,
  level: StreamObserver["level"]
): boolean => {
  const advertisers = [...series.advertised.keys()].filter((peer) => !distrusted.has(peer))
  const able = advertisers.filter((peer) => {
    const { delivers, lies } = world.replicas[peer]!
    return delivers && lies === undefined
  })
  return able.length < Math.max(1, Math.min(advertisers.length, required(level, world.majorityOf, advertisers.length)))
}

/** A listing that never ends is told from a long one by those of others: alone it goes on. */
const floods = (world: World, observer: StreamObserver): boolean =>
  world.replicas.some(({ lies }) => lies?.token === "endless") &&
  observer.jobs.some(({ finished }) => finished.size === 0)

/** A run may only wait for what cannot come, and it says for whom and why. */
const checkStuck = (world: World, { run }: Simulation, observer: StreamObserver): void => {
  const waits = run.waits()
  if (observer.level === "none" && !floods(world, observer)) {
    throw new Violation(`best effort did not end: ${JSON.stringify(waits)}`)
  }
  if (waits.length === 0) throw new Violation("the run waits and does not say for what")
  if (floods(world, observer)) return
  for (const [job, stream] of run.active) {
    const { distrusted, finished } = observer.jobs[job]!
    const able = world.replicas.filter(({ lies, lists }) =>
      lists && lies?.reason === undefined && lies?.token === undefined
    )
    const needed = required(observer.level, world.majorityOf, world.replicas.length)
    const own = waits.filter(({ subject }) => subject === `shard ${stream.shard}`)
    if (!stream.listing.isConfirmed) {
      if (able.length >= needed) {
        throw new Violation(`shard ${stream.shard} is not listed, though ${able.length} can be`)
      }
      const silent = world.replicas.flatMap(({ replica }, peer) => finished.has(peer) ? [] : [replica.id])
      if (silent.length === 0 && own.some(({ level }) => level === observer.level)) continue
      const names = own.some(({ level, peers }) =>
        level === observer.level && peers.length > 0 && peers.every((id) => silent.includes(id))
      )
      if (!names) {
        throw new Violation(`shard ${stream.shard} waits for ${silent}, but says ${JSON.stringify(own)}`)
      }
      continue
    }
    const open = [...observer.blocks.values()].filter((block) => block.job === job)
      .flatMap(({ series }) => [...series.values()]).filter(({ stored }) => stored === undefined)
    const short = open.filter((series) => isShort(world, series, distrusted, observer.level))
    if (short.length === 0) throw new Violation(`shard ${stream.shard} waits, though all it needs can come`)
    const guilty = world.replicas.filter(({ delivers, lies }) => !delivers || lies !== undefined).map(({ replica }) =>
      replica.id
    )
    if (!waits.some(({ peers }) => peers.some((id) => guilty.includes(id)))) {
      throw new Violation(`shard ${stream.shard} waits for one of ${guilty}, but says ${JSON.stringify(waits)}`)
    }
  }
}
