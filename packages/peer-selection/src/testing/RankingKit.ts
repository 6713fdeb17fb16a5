/** What every `Ranking` must hold, and broken rankings that the kit must reject. */
import type { Candidate, Ranking } from "../contract/Ranking.ts"
import { best, leastLoaded } from "../engine/LeastLoaded.ts"
import { seededRandom } from "./SeededRandom.ts"

/** Candidates of N different peers with small value ranges, so that ties are frequent. */
export const randomCandidates = (seed: number, count: number): Array<Candidate> => {
  const random = seededRandom(seed)
  const below = (limit: number): number => Math.floor(random() * limit)
  return Array.from({ length: count }, (_, peer) => ({
    peer,
    id: `${"zyxabc"[below(6)]}${peer}`,
    attempts: below(3),
    outstandingBytes: below(3) * 100_000,
    lastTried: below(3),
    bytesPerSecond: below(3) * 1_000_000
  }))
}

const orderViolations = (ranking: Ranking, of: ReadonlyArray<Candidate>): Array<string> => {
  const violations: Array<string> = []
  const fitted = ranking.over === undefined ? ranking : ranking.over(of)
  const sign = (a: Candidate, b: Candidate): number => Math.sign(fitted.compare(a, b))
  for (const a of of) {
    for (const b of of) {
      if (a !== b && !(Math.abs(sign(a, b)) === 1)) {
        violations.push(`total: ${a.id} and ${b.id} compare as ${fitted.compare(a, b)}`)
      }
      if (a !== b && sign(a, b) !== -sign(b, a)) violations.push(`antisymmetric: ${a.id} and ${b.id}`)
      if (a.attempts < b.attempts && sign(a, b) !== -1) violations.push(`attempts first: ${a.id} before ${b.id}`)
      for (const c of of) {
        if (sign(a, b) < 0 && sign(b, c) < 0 && sign(a, c) >= 0) {
          violations.push(`transitive: ${a.id}, ${b.id}, ${c.id}`)
        }
      }
    }
  }
  return violations
}

const loadViolations = (ranking: Ranking): Array<string> => {
  const idle: Candidate = { peer: 0, id: "a", attempts: 0, outstandingBytes: 0, lastTried: 9, bytesPerSecond: 1000 }
  const busy: Candidate = { ...idle, peer: 1, id: "b", outstandingBytes: 1_000_000, lastTried: 1 }
  const rested: Candidate = { ...idle, peer: 2, id: "c", lastTried: 1 }
  const violations: Array<string> = []
  if (best(ranking, [busy, idle])?.peer !== 0) violations.push("load: the busier of two equal peers is preferred")
  if (best(ranking, [idle, rested])?.peer !== 2) {
    violations.push("turns: the more recently tried of two equal peers is preferred")
  }
  if (best(ranking, [{ ...rested, id: "é" }, { ...rested, id: "z", peer: 3 }])?.id !== "z") {
    violations.push("ids: not compared by code units")
  }
  return violations
}

/** Everything that the ranking breaks, each with the seed of the candidates; empty when it holds. */
export const rankingViolations = (ranking: Ranking, seeds: ReadonlyArray<number>): Array<string> => {
  const violations = loadViolations(ranking)
  for (const seed of seeds) {
    const candidates = randomCandidates(seed, 7)
    for (const violation of orderViolations(ranking, candidates)) violations.push(`seed ${seed}: ${violation}`)
    const first = best(ranking, candidates)
    const again = best(ranking, candidates.toReversed())
    if (first === undefined || first !== again) violations.push(`seed ${seed}: the choice depends on the order given`)
  }
  return violations
}

const mutant = (name: string, compare: Ranking["compare"]): Ranking => ({ name, compare })

/** Rankings with one planted fault each; `rankingViolations` must find all of them. */
export const rankingMutants: ReadonlyArray<Ranking> = [
  mutant("ignores-attempts", (a, b) => leastLoaded.compare({ ...a, attempts: 0 }, { ...b, attempts: 0 })),
  mutant(
    "ties-are-equal",
    (a, b) => a.attempts - b.attempts || a.outstandingBytes - b.outstandingBytes || a.lastTried - b.lastTried
  ),
  mutant("never-equal-not-antisymmetric", (a, b) => leastLoaded.compare(a, b) < 0 || a.peer % 2 === 0 ? -1 : 1),
  mutant(
    "most-loaded",
    (a, b) => a.attempts - b.attempts || b.outstandingBytes - a.outstandingBytes || leastLoaded.compare(a, b)
  ),
  mutant("always-the-lowest-id", (a, b) => a.attempts - b.attempts || (a.id < b.id ? -1 : 1)),
  mutant(
    "locale-order",
    (a, b) =>
      a.attempts - b.attempts || a.outstandingBytes - b.outstandingBytes || a.lastTried - b.lastTried ||
      a.id.localeCompare(b.id, "en") || a.peer - b.peer
  )
]
