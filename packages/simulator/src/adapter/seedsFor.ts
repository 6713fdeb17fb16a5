/** Which seeds a test runs: few by default, more or exactly one by the environment. */
import { Limits } from "../contract/Limits.ts"
import { Random } from "../engine/Random.ts"

const countOf = (text: string | undefined): number | undefined => {
  if (text === undefined || text === "") return undefined
  const count = Number(text)
  if (!Number.isSafeInteger(count) || count < 0) throw new RangeError(`expected a whole number, got "${text}"`)
  return count
}

/**
 * The seeds for a scenario or test of this name: `PEERSTRAP_SEEDS` of them (default `Limits.seeds`, or `count`), starting at a
 * number that depends on the name, so that scenarios do not all try the same ones; or the one in `PEERSTRAP_SEED`.
 */
export const seedsFor = (
  name: string,
  count: number = Limits.seeds,
  environment: Readonly<Record<string, string | undefined>> = process.env
): ReadonlyArray<number> => {
  const one = countOf(environment["PEERSTRAP_SEED"])
  if (one !== undefined) return [one]
  const first = Random.make(name).int(1, 999) * 1_000
  return Array.from({ length: countOf(environment["PEERSTRAP_SEEDS"]) ?? count }, (_, i) => first + i)
}
