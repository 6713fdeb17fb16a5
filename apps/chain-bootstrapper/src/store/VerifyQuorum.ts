/** Counts the quorums again that a store recorded for its applied chain: who supported which levels when they were chosen. */
import type { ChainStoreService, ChosenSegment } from "@peerstrap/chain-bootstrap"
import { checkEvidence } from "@peerstrap/header-dag-quorum"
import * as Effect from "effect/Effect"
import { withBlockNames } from "../sync/ChainStatus.ts"
import { storeFault } from "./OpenStore.ts"

export interface QuorumVerification {
  readonly segments: number
  /** Applied levels that lie in a segment whose evidence holds. */
  readonly levels: number
  /** Applied levels without any: chosen before a damage, or applied as a side branch. */
  readonly levelsWithout: number
  readonly problems: ReadonlyArray<string>
}

type Store = ChainStoreService

/** Levels looked at together; segments have thousands of blocks at most. */
const levelsAtOnce = 8192
/** A witness stands above the segment, by a branch's length at most. */
const aboveTop = 4096

const parentsOf = Effect.fnUntraced(function*(store: Store, fromLevel: number, toLevel: number) {
  const ids: Array<string> = []
  for (let level = fromLevel; level <= toLevel; level++) {
    const id = store.appliedAt(level) ?? store.pending.ids[level - store.pending.firstLevel]
    if (id !== undefined) ids.push(id)
  }
  const parents = new Map<string, string>()
  for (const header of yield* store.readHeaders(ids)) if (header !== undefined) parents.set(header.id, header.parent)
  return parents
})

/** A segment that lies on the applied chain as far as it goes. */
const onChain = (store: Store, { firstLevel, ids }: ChosenSegment): boolean =>
  ids.every((id, at) => firstLevel + at > store.head.level || store.appliedAt(firstLevel + at) === id)

/** That a header above the segment is not held any more says nothing against it. */
const counts = (problem: string): boolean => !problem.includes("is unknown")

export const verifyQuorum = Effect.fnUntraced(function*(store: Store) {
  const { base } = store.identity
  const problems: Array<string> = []
  const seen = new Set<string>()
  let levels = 0
  let next = base.level + 1
  for (let from = base.level + 1; from <= store.head.level; from += levelsAtOnce) {
    const to = Math.min(store.head.level, from + levelsAtOnce - 1)
    for (const segment of yield* store.evidence(from, to)) {
      const { evidence, firstLevel, ids } = segment
      const name = `${firstLevel} ${evidence.topId}`
      if (seen.has(name) || !onChain(store, segment)) continue
      seen.add(name)
      const last = firstLevel + ids.length - 1
      const highest = Math.min(
        Math.max(last, ...evidence.runs.map(({ witnessLevel }) => witnessLevel)),
        last + aboveTop
      )
      const parents = yield* parentsOf(store, firstLevel, highest)
      const wrong = checkEvidence(evidence, (id) => parents.get(id)).filter(counts)
      problems.push(...wrong.map((problem) => `quorum of levels ${firstLevel} to ${last}: ${withBlockNames(problem)}`))
      if (wrong.length > 0) continue
      const end = Math.min(last, store.head.level)
      levels += Math.max(0, end - Math.max(next, firstLevel) + 1)
      next = Math.max(next, end + 1)
    }
  }
  const verification: QuorumVerification = {
    segments: seen.size,
    levels,
    levelsWithout: store.head.level - base.level - levels,
    problems
  }
  return verification
}, Effect.mapError(storeFault))
