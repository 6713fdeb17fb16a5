/** A replica of Hoard catches up: lists what everybody holds, then copies what is newer elsewhere into its own store. */
import { type Level, LevelSource, majority, readConsistencyAchieved } from "@peerstrap/consistency-policy"
import { best, makePeerQueues, PeerRanking, type WorkBatch } from "@peerstrap/peer-selection"
import type { Wait } from "@peerstrap/progress"
import { KeyValue, type KeyValueChange } from "@peerstrap/storage"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { crc32 } from "node:zlib"
import { type HoardPeer, HoardPeers, listAll, type Listed } from "../10-own-kind/HoardPeers.ts"

/** The newest version of a key, and which peers hold it. */
interface Newest extends Listed {
  readonly holders: Set<number>
}

/** Told of what is waited for, and of how many entries are durable. */
export interface Watcher {
  readonly onWait: (wait: Wait) => Effect.Effect<void>
  readonly onCopied: (copied: number) => Effect.Effect<void>
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const versionOf = (stored: Uint8Array | undefined): number =>
  stored === undefined ? 0 : JSON.parse(new TextDecoder().decode(stored)).version

/** Lists everybody. Goes on once the level is met, which may change meanwhile. */
const newestOf = Effect.fnUntraced(function*(peers: ReadonlyArray<HoardPeer>, onWait: Watcher["onWait"]) {
  const levels = yield* LevelSource
  const listings = yield* Effect.forEach(peers, (peer) => Effect.result(listAll(peer)), { concurrency: "unbounded" })
  const failed = peers.filter((_, at) => Result.isFailure(listings[at]!)).map(({ id }) => id)
  const successes = peers.length - failed.length
  const isMet = (level: Level) => readConsistencyAchieved(level, majority(peers.length), peers.length, successes)
  const { level } = yield* levels.current
  if (!isMet(level)) {
    const sinceMillis = yield* Clock.currentTimeMillis
    const waitingFor = `the keys of ${failed.join(", ")}`
    const cause = listings.filter(Result.isFailure).map(({ failure }) => failure.message).join(", ")
    const remedy = `mend ${failed.join(", ")}, or set a level that ${successes} of ${peers.length} meet`
    yield* onWait({ subject: "the store", waitingFor, cause, peers: failed, level, remedy, sinceMillis })
  }
  yield* Stream.runHead(Stream.filter(levels.changes, (change) => isMet(change.level)))
  const newest = new Map<string, Newest>()
  for (const [peer, listing] of listings.entries()) {
    for (const one of Result.getOrElse(listing, () => [])) {
      const known = newest.get(one.key)
      if (one.version > (known?.version ?? 0)) newest.set(one.key, { ...one, holders: new Set([peer]) })
      else if (one.version === known?.version && one.checksum === known.checksum) known.holders.add(peer)
    }
  }
  return [...newest.values()]
})

/** Goes on from what the store holds: run again after a kill, it copies what is missing. `lost`: what nobody has whole. */
export const catchUp = Effect.fnUntraced(function*({ onCopied, onWait }: Watcher) {
  const [peers, store, ranking] = [yield* HoardPeers, yield* KeyValue, yield* PeerRanking]
  const newest = yield* newestOf(peers, onWait)
  const held = yield* store.get(newest.map(({ key }) => bytesOf(key)))
  const wanted = newest.filter(({ version }, at) => versionOf(held[at]) < version)
  // Hoard does not list lengths: every entry counts as one byte, and batches are bounded by number.
  const limits = { maxBatchItems: 32 }
  const queues = makePeerQueues({ peers: peers.map(({ id }) => id), random: Math.random, limits })
  let [copied, lost] = [0, 0]
  /** Copies what is sound; gives back the rest, which this peer is not asked for again. */
  const copy = Effect.fnUntraced(function*({ batch, bytes, items, peer }: WorkBatch) {
    const answer = yield* Effect.result(peers[peer]!.fetch(items.map((item) => wanted[item]!.key)))
    const now = yield* Clock.currentTimeMillis
    if (Result.isFailure(answer)) {
      queues.failed(batch, "unreachable", answer.failure.message, now)
      return items
    }
    queues.succeeded(batch, bytes, now)
    const entries = new Map(answer.success.map((entry) => [entry.key, entry]))
    const changes: Array<KeyValueChange> = []
    const rest: Array<number> = []
    for (const item of items) {
      const { checksum, holders, key, version } = wanted[item]!
      const entry = entries.get(key)
      const isSound = entry?.version === version && crc32(entry.value) === checksum
      if (isSound) changes.push({ key: bytesOf(key), value: bytesOf(JSON.stringify(entry)) })
      else if (holders.delete(peer)) rest.push(item)
    }
    yield* store.write(changes)
    yield* onCopied(copied += changes.length)
    return rest
  })
  let waiting = [...wanted.keys()]
  while (copied + lost < wanted.length) {
    const now = yield* Clock.currentTimeMillis
    for (const item of waiting.splice(0)) {
      const { holders } = wanted[item]!
      const open = [...holders].filter((peer) => queues.hasRoom(peer, now))
      const chosen = best(ranking, open.map((peer) => queues.candidate(peer, 0)))
      if (chosen !== undefined) queues.enqueue(chosen.peer, 0, item, 1)
      else if (holders.size > 0) waiting.push(item)
      else lost++
    }
    const batches: Array<WorkBatch> = []
    for (let work = queues.next(now); work !== undefined; work = queues.next(now)) batches.push(work)
    if (batches.length === 0) yield* Effect.sleep(queues.wakeAt(now) - now)
    waiting.push(...(yield* Effect.forEach(batches, copy, { concurrency: "unbounded" })).flat())
  }
  return { copied, lost }
})
