/** Reads the applied chain of a store again, from its bytes alone, and says what is wrong in the words of people. */
import { type ChainRules, type ChainStoreService, verifyStore } from "@peerstrap/chain-bootstrap"
import * as Effect from "effect/Effect"
import { blockText } from "../BlockNames.ts"
import { withBlockNames } from "../sync/ChainStatus.ts"
import { storeFault } from "./OpenStore.ts"

/** What was read again, block by block. */
export interface Verification {
  readonly fromLevel: number
  readonly toLevel: number
  readonly blocks: number
  /** Lists of operations, and their bytes. */
  readonly lists: number
  readonly bytes: number
  /** The first ones, each with its level and what is wrong. */
  readonly problems: ReadonlyArray<string>
  /** All of them. */
  readonly problemCount: number
}

export interface VerifyWanted {
  readonly store: ChainStoreService
  readonly rules: ChainRules
  readonly fromLevel?: number | undefined
  readonly toLevel?: number | undefined
  readonly onProgress: (done: number, total: number) => void
}

export const verifyApplied = Effect.fnUntraced(function*(wanted: VerifyWanted) {
  const { onProgress, rules, store } = wanted
  const first = Math.max(store.identity.base.level + 1, wanted.fromLevel ?? 0)
  const report = yield* verifyStore(store, rules, {
    fromLevel: first,
    ...(wanted.toLevel === undefined ? {} : { toLevel: wanted.toLevel }),
    onProgress: ({ level, toLevel }) => onProgress(level - first + 1, toLevel - first + 1)
  }).pipe(Effect.mapError(storeFault))
  const problems = report.findings.map(({ id, level, problem }) =>
    `level ${level}${id === undefined ? "" : ` ${blockText(id)}`}: ${withBlockNames(problem)}`
  )
  const verification: Verification = {
    fromLevel: report.fromLevel,
    toLevel: report.toLevel,
    blocks: report.blocks,
    lists: report.units,
    bytes: report.bodyBytes,
    problems,
    problemCount: report.problems
  }
  return verification
})
