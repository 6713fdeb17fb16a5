/** `why`: what a run is waiting for, from the shard to the cause, with the option that would change it. */
import { type Level, levels, requiredSuccesses } from "@peerstrap/consistency-policy"
import type { Wait } from "@peerstrap/progress"
import { isHopeless } from "./RunScope.ts"
import { SeriesState } from "./SeriesBlock.ts"
import type { ShardStream } from "./ShardStream.ts"
import type { StreamRun } from "./StreamRun.ts"

const S = SeriesState

const seconds = (millis: number): string => `${(Math.max(0, millis) / 1000).toFixed(1)} s`

/** How much is drawn of how much, as of now, and what changes that while the run goes on. */
const memoryWait = ({ scope: { ledger } }: StreamRun): Pick<Wait, "cause" | "remedy" | "change"> => ({
  cause: `${ledger.used} of ${ledger.capacity} bytes are in use${
    ledger.used > ledger.capacity ? ": the limit was lowered, and more is asked for when enough has come back" : ""
  }`,
  remedy: "lower --jobs-in-flight at the next start, or raise the limit of memory",
  change: { setting: "memory", value: `${Math.ceil(ledger.capacity / 2 ** 19)}MiB` }
})

/** The first of these that is below the run's level and met by those who have listed. `none` is always met, and has nothing below it. */
const levelBelow = (run: StreamRun, job: ShardStream, wanted: ReadonlyArray<Level>): Level | undefined => {
  const electorate = { majority: job.majority, peers: job.peers.length }
  return wanted.find((level) =>
    levels.indexOf(level) < levels.indexOf(run.scope.level) &&
    requiredSuccesses(level, electorate) <= job.listing.successes
  )
}

type Remedy = Pick<Wait, "remedy" | "change">

/** What to do, or else the lower level that would do without it, if there is one. */
const lowered = (act: string, level: Level | undefined): Remedy =>
  level === undefined ? { remedy: act } : {
    remedy: `${act}, or lower the level to ${level}${level === "none" ? " (best effort, lists what is missing)" : ""}`,
    change: { setting: "level", value: level }
  }

const orTakeWhatIs = (run: StreamRun, act: string): Remedy =>
  run.scope.level === "none"
    ? { remedy: act }
    : { remedy: `${act}, or take what there is with level none`, change: { setting: "level", value: "none" } }

/** Of peers that answer, and whose listing only takes its time. */
const answeringRemedy = (run: StreamRun, job: ShardStream): Remedy => {
  if (job.listing.successes === 0) return { remedy: "nothing: the peers are answering" }
  if (job.listing.isMet) {
    return { remedy: "nothing: the level is met without them, and they are given up when all else is done" }
  }
  const level = levelBelow(run, job, ["majority", "one"])
  return level === undefined ? { remedy: "nothing while they answer" } : {
    remedy: `nothing while they answer; with level ${level} the run ends without them`,
    change: { setting: "level", value: level }
  }
}

/** All peers have listed, and they are fewer than the level asks for. */
const electorateWait = (run: StreamRun, job: ShardStream): Wait => ({
  subject: `shard ${job.shard}`,
  waitingFor: `a level that ${job.peers.length} peers can meet`,
  cause: `${job.listing.successes} of ${job.peers.length} peers listed, level ${run.scope.level} needs ${
    requiredSuccesses(run.scope.level, { majority: job.majority, peers: job.peers.length })
  }`,
  peers: [],
  level: run.scope.level,
  ...lowered("give more peers", levelBelow(run, job, ["majority", "one", "none"])),
  sinceMillis: job.lastProgressMillis
})

const listingWait = (run: StreamRun, job: ShardStream): Wait | undefined => {
  if (job.listing.isOver) return job.listing.wasMet ? undefined : electorateWait(run, job)
  const { level, now, queues } = run.scope
  const open = job.listing.listings.flatMap((listing, peer) => (listing.over ? [] : [peer]))
  const failing = open.filter((peer) =>
    job.listing.listings[peer]!.failures > 0 || job.listing.lastReason[peer] !== undefined ||
    job.listing.distrusted[peer] || isHopeless(run.scope, job.peers[peer]!)
  )
  const needed = requiredSuccesses(level, { majority: job.majority, peers: job.peers.length })
  const listed = `${job.listing.successes} of ${job.peers.length} peers listed`
  const reached = job.listing.isMet
    ? `level ${level} is met (${listed})`
    : `${listed}, level ${level} needs ${needed}`
  const subject = `shard ${job.shard}`
  if (failing.length === 0) {
    if (job.listing.paused) {
      return {
        subject,
        waitingFor: "memory for metadata",
        ...memoryWait(run),
        peers: [],
        sinceMillis: job.lastProgressMillis
      }
    }
    const pages = open.map((peer) => `${job.peerId(peer)} (page ${job.listing.listings[peer]!.pages + 1})`)
    return {
      subject,
      waitingFor: `metadata from ${pages.join(", ")}`,
      cause: job.listing.isMet
        ? `${reached}; ${open.map((peer) => job.peerId(peer)).join(", ")} still ${
          open.length === 1 ? "answers" : "answer"
        }`
        : reached,
      peers: open.map((peer) => job.peerId(peer)),
      level,
      ...answeringRemedy(run, job),
      sinceMillis: job.lastProgressMillis
    }
  }
  const causes = failing.map((peer) => {
    const listing = job.listing.listings[peer]!
    const state = queues.state(job.peers[peer]!)
    const next = Math.max(listing.restUntilMillis, state.restUntilMillis) - now
    const tries = Math.max(1, listing.failures, state.failuresInRow)
    return `${job.peerId(peer)}: ${
      listing.lastError || state.lastFailureMessage || "no answer"
    } (${tries} tries, next in ${seconds(next)})`
  })
  const ids = failing.map((peer) => job.peerId(peer))
  return {
    subject,
    waitingFor: `metadata from ${ids.join(", ")}${job.listing.isMet ? ", though" : ":"} ${reached}`,
    cause: causes.join("; "),
    peers: ids,
    level,
    ...lowered(`bring back ${ids.join(" or ")}`, levelBelow(run, job, ["majority", "none"])),
    sinceMillis: job.lastProgressMillis
  }
}

const blockedWait = (run: StreamRun, job: ShardStream): Wait | undefined => {
  const blocked = job.series.inState[S.BLOCKED]!
  if (blocked === 0) return undefined
  const peers = new Set<string>()
  let first: number | undefined
  for (const group of job.blocked) {
    if (job.series.state(group) !== S.BLOCKED) continue
    first ??= group
    job.peers.forEach((_, peer) => {
      if (job.offers(group, peer) && !job.series.held(group, peer)) peers.add(job.peerId(peer))
    })
    if (peers.size === job.peers.length) break
  }
  const ids = [...peers].toSorted()
  const shown = first === undefined ? "" : `, the first is ${job.subject(first)}`
  return {
    subject: `shard ${job.shard}`,
    waitingFor: `${blocked} series-blocks that level ${run.scope.level} does not let go${shown}`,
    cause: `${ids.join(", ")} advertised them, every try failed; next try in ${
      seconds(job.blockedUntilMillis - run.scope.now)
    }`,
    peers: ids,
    level: run.scope.level,
    ...orTakeWhatIs(run, `look after ${ids.join(" and ")}`),
    sinceMillis: job.lastProgressMillis
  }
}

const unreachableWait = (run: StreamRun, job: ShardStream): Wait | undefined => {
  const waiting = job.fetching.waiting
  const resting = job.peers.filter((peer) => isHopeless(run.scope, peer))
  if (waiting === 0 || resting.length === 0 || !job.listing.isOver || run.inFlightBatches > 0) return undefined
  const ids = resting.map((peer) => run.scope.options.peers[peer]!)
  return {
    subject: `shard ${job.shard}`,
    waitingFor: `${waiting} series-blocks that only ${ids.join(", ")} advertised`,
    cause: ids.map((id, i) => `${id}: ${run.scope.queues.state(resting[i]!).lastFailureMessage ?? "no answer"}`).join(
      "; "
    ),
    peers: ids,
    level: run.scope.level,
    ...orTakeWhatIs(run, `bring back ${ids.join(" or ")}`),
    sinceMillis: job.lastProgressMillis
  }
}

/** A sink that took nothing for so long is worth a word; shorter pauses are how disks work. */
const sinkPatienceMillis = 1_000

const sinkWait = (run: StreamRun, job: ShardStream): Wait | undefined => {
  const committing = job.deliveries.blocks.filter((state) => state === "committing").length
  if (!job.listing.isOver || committing + job.deliveries.unwritten === 0) return undefined
  if (run.scope.now - job.lastProgressMillis < sinkPatienceMillis) return undefined
  return {
    subject: `shard ${job.shard}`,
    waitingFor: `the sink: ${job.deliveries.unwritten} writes, ${committing} blocks to publish`,
    cause: `nothing was written for ${seconds(run.scope.now - job.lastProgressMillis)}`,
    peers: [],
    remedy: "look after the disk of the output; everything fetched waits in memory",
    sinceMillis: job.lastProgressMillis
  }
}

export const runWaits = (run: StreamRun): ReadonlyArray<Wait> => {
  const waits: Array<Wait> = []
  for (const job of run.active.values()) {
    for (const wait of [listingWait(run, job), blockedWait(run, job), unreachableWait(run, job), sinkWait(run, job)]) {
      if (wait !== undefined) waits.push(wait)
    }
  }
  if (run.waitsForMemory) {
    waits.push({
      subject: "fetching",
      waitingFor: "memory for answers",
      ...memoryWait(run),
      peers: [],
      sinceMillis: run.scope.now
    })
  }
  return waits.concat(run.scope.queues.waits(run.scope.now))
}
