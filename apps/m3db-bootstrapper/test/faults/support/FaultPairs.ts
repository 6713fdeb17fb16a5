/** Pairs of behaviours that one replica can show at the same time, all of them or some by a seed. */
import type { Random } from "@peerstrap/m3tsz/testing"
import { behaviourName, faultCases } from "./FaultCases.ts"

/** The single catalogue without variants that only repeat another in a pair. */
const partners: ReadonlyArray<string> = [
  ["slow:20000", "delay:20", "drip", "frame-size:200", "half-open:3000", "cut:3000", "die-after:6"],
  ["hang:fetchBlocksRaw", "hang:fetchBlocksMetadataRawV2", "rate-limit", "not-bootstrapped", "not-bootstrapped:1"],
  ["error:overloaded:3", "error:internal:3", "error:busy:3", "error:timeout:3", "error:fatal:3", "error:bad-token:3"],
  ["bad-crc:3", "chunkless-fragment:3", "huge-length:binary", "huge-length:list", "deep-thrift"],
  ["missing:3", "hollow:3", "block-err:3", "wrong-id:3", "lie-data:3", "lie-data:3:valid", "lie-checksum:3"],
  ["unmerged:3", "no-checksum", "duplicate", "extra", "extra:block", "reorder:meta", "reorder:blocks"],
  ["token-loop", "token-reset", "endless-pages", "empty-pages:3", "empty-pages:0"]
].flat()

const known = new Set(faultCases.map(({ behaviour }) => behaviourName(behaviour)))

/** Every two partners of different names, as `x+y`. */
export const allPairs: ReadonlyArray<string> = partners.flatMap((one, at) => {
  if (!known.has(behaviourName(one))) throw new RangeError(`the catalogue has no ${one}`)
  return partners.slice(at + 1)
    .filter((other) => behaviourName(other) !== behaviourName(one))
    .map((other) => `${one}+${other}`)
})

export const samplePairs = (random: Random, size: number): ReadonlyArray<string> => {
  const left = [...allPairs]
  return Array.from({ length: Math.min(size, left.length) }, () => left.splice(random.below(left.length), 1)[0]!)
}
