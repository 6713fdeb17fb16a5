/** Which series a rule concerns, and other choices that must be the same on every replica and in every run. */
import { crc32 } from "node:zlib"
import type { BehaviourName } from "./Behaviours.ts"

/** Every K-th series, as `K` or `K/R`. */
export interface EveryRule {
  readonly every: number
  readonly remainder: number
}

/** Reads `K` or `K/R`; undefined when it is neither. */
export const parseEvery = (text: string): EveryRule | undefined => {
  const match = /^(\d{1,9})(?:\/(\d{1,9}))?$/.exec(text)
  if (match === null || Number(match[1]) < 1) return undefined
  return { every: Number(match[1]), remainder: Number(match[2] ?? 0) % Number(match[1]) }
}

/** Whether the rule picks this series: `crc32(id) % every == remainder`. */
export const picksSeries = (id: Uint8Array, every: number, remainder = 0): boolean => crc32(id) % every === remainder

/** Behaviours whose EVERY picks series. */
export type SeriesRuleName = Extract<
  BehaviourName,
  | "missing"
  | "hollow"
  | "block-err"
  | "wrong-id"
  | "wrong-start"
  | "lie-checksum"
  | "lie-data"
  | "unmerged"
  | "duplicate"
  | "meta-err"
>

/** Another order, the same every time for the same list. */
export const shuffled = <A>(items: ReadonlyArray<A>): Array<A> => {
  const out = [...items]
  let state = out.length
  for (let i = out.length - 1; i > 0; i--) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    const j = (state >>> 8) % (i + 1)
    const held = out[i]!
    out[i] = out[j]!
    out[j] = held
  }
  return out
}
