/** What every `Ranking` is: a total order of different peers in which retries are spread and load is, that remembers nothing. */
import { type Check, expectSame, expectTrue, SeededRandom } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import { PeerRanking } from "../contract/PeerRanking.ts"
import type { Candidate, Ranking } from "../contract/Ranking.ts"
import { best } from "../engine/LeastLoaded.ts"

const seeds = Array.from({ length: 60 }, (_, seed) => seed + 1)

/** Candidates of different peers with small ranges of values, so that ties are frequent. Half of them have one of `ids`, each once. */
const randomCandidates = (ids: ReadonlyArray<string>, seed: number, count = 7): ReadonlyArray<Candidate> => {
  const random = new SeededRandom(seed).next
  const below = (limit: number): number => Math.floor(random() * limit)
  const left = [...new Set(ids)]
  const ownId = (peer: number): string => `${"zyxabc"[below(6)]}${peer}`
  return Array.from({ length: count }, (_, peer) =>
    Object.freeze({
      peer,
      id: left.length > 0 && below(2) === 0 ? left.splice(below(left.length), 1)[0]! : ownId(peer),
      attempts: below(3),
      outstandingBytes: below(3) * 100_000,
      lastTried: below(3),
      bytesPerSecond: below(3) * 1_000_000
    }))
}

const idle: Candidate = { peer: 0, id: "a", attempts: 0, outstandingBytes: 0, lastTried: 9, bytesPerSecond: 1000 }

/** What a pair of candidates is compared as: -1, 0, 1, or NaN. */
type Sign = (a: Candidate, b: Candidate) => number

const fitted = (ranking: Ranking, candidates: ReadonlyArray<Candidate>): Sign => {
  const over = ranking.over === undefined ? ranking : ranking.over(candidates)
  return (a, b) => Math.sign(over.compare(a, b))
}

type CandidatesOf = (seed: number, count?: number) => ReadonlyArray<Candidate>

/** A law of all pairs of different candidates, for candidates of many seeds. */
const ofPairs = (
  candidatesOf: CandidatesOf,
  name: string,
  violation: (sign: Sign, a: Candidate, b: Candidate, all: ReadonlyArray<Candidate>) => string | undefined
): Check<PeerRanking> => ({
  name,
  run: Effect.gen(function*() {
    const ranking = yield* PeerRanking
    for (const seed of seeds) {
      const all = candidatesOf(seed)
      const sign = fitted(ranking, all)
      for (const a of all) {
        for (const b of all) {
          if (a === b) continue
          const found = violation(sign, a, b, all)
          yield* expectTrue(`seed ${seed}: ${found}`, found === undefined)
        }
      }
    }
  })
})

const chosenId = (ranking: Ranking, candidates: ReadonlyArray<Candidate>) => best(ranking, candidates)?.id

const laws = (candidatesOf: CandidatesOf): ReadonlyArray<Check<PeerRanking>> => [
  ofPairs(
    candidatesOf,
    "never finds two peers equal",
    (sign, a, b) => Math.abs(sign(a, b)) === 1 ? undefined : `${a.id} and ${b.id} compare as ${sign(a, b)}`
  ),
  ofPairs(
    candidatesOf,
    "says the opposite the other way round",
    (sign, a, b) =>
      sign(a, b) === -sign(b, a) ? undefined : `${a.id} and ${b.id} compare as ${sign(a, b)} and ${sign(b, a)}`
  ),
  ofPairs(candidatesOf, "agrees with itself about three", (sign, a, b, all) => {
    const bad = sign(a, b) < 0 ? all.find((c) => sign(b, c) < 0 && sign(a, c) >= 0) : undefined
    return bad && `${a.id} before ${b.id} before ${bad.id}, which is not behind ${a.id}`
  }),
  ofPairs(candidatesOf, "puts fewer attempts first", (sign, a, b) =>
    a.attempts >= b.attempts || sign(a, b) === -1
      ? undefined
      : `${b.id} with ${b.attempts} attempts before ${a.id} with ${a.attempts}`),
  {
    name: "chooses the same of any order of candidates",
    run: Effect.gen(function*() {
      const ranking = yield* PeerRanking
      for (const seed of seeds) {
        const all = candidatesOf(seed)
        const chosen = chosenId(ranking, all)
        for (let turned = 1; turned < all.length; turned++) {
          const other = chosenId(ranking, [...all.slice(turned), ...all.slice(0, turned)])
          yield* expectSame(`seed ${seed}: choice of the candidates from ${turned} on`, other, chosen)
        }
      }
    })
  }
]

/** Peers of the kit's own, which a ranking by id has to take for equals. */
const examples: ReadonlyArray<Check<PeerRanking>> = [
  {
    name: "prefers the less busy of two equal peers",
    run: PeerRanking.use((ranking) => {
      const busy = { ...idle, peer: 1, id: "b", outstandingBytes: 1_000_000, lastTried: 1 }
      return expectSame("choice", chosenId(ranking, [busy, idle]), "a")
    })
  },
  {
    name: "prefers the less recently tried of two equal peers",
    run: PeerRanking.use((ranking) =>
      expectSame("choice", chosenId(ranking, [idle, { ...idle, peer: 2, id: "c", lastTried: 1 }]), "c")
    )
  },
  {
    name: "ends ties by id, by code units",
    run: PeerRanking.use((ranking) =>
      expectSame("choice", chosenId(ranking, [{ ...idle, id: "é" }, { ...idle, id: "z", peer: 3 }]), "z")
    )
  }
]

const memories = (candidatesOf: CandidatesOf): ReadonlyArray<Check<PeerRanking>> => [
  {
    name: "remembers nothing: the same candidates give the same choice, whatever was asked in between",
    run: Effect.gen(function*() {
      const ranking = yield* PeerRanking
      for (const seed of seeds) {
        const all = candidatesOf(seed)
        const others = candidatesOf(seed + 1000).map((each) => ({ ...each, bytesPerSecond: 10 ** (each.peer + 1) }))
        const sign = fitted(ranking, all)
        const order = () => all.toSorted(sign).map(({ id }) => id)
        const before = order()
        fitted(ranking, others)(others[0]!, others[1]!)
        yield* expectSame(`seed ${seed}: order after others were ranked`, order(), before)
        yield* expectSame(
          `seed ${seed}: order when asked anew`,
          all.toSorted(fitted(ranking, all)).map(({ id }) => id),
          before
        )
      }
    })
  },
  {
    name: "bears the largest and the smallest values, and a thousand candidates",
    run: Effect.gen(function*() {
      const ranking = yield* PeerRanking
      const values = [0, 1, Number.MAX_SAFE_INTEGER]
      const extreme = values.flatMap((outstandingBytes) =>
        values.flatMap((bytesPerSecond) => values.map((lastTried) => ({ outstandingBytes, bytesPerSecond, lastTried })))
      ).map((each, peer) => ({ ...each, peer, id: `p${peer}`, attempts: 0 }))
      const sign = fitted(ranking, extreme)
      for (const a of extreme) {
        for (const b of extreme) {
          if (a !== b) yield* expectSame(`${a.id} against ${b.id}, without its sign`, Math.abs(sign(a, b)), 1)
        }
      }
      const many = candidatesOf(1, 1000)
      const chosen = chosenId(ranking, many)
      yield* expectSame("choice of a thousand, backwards", chosenId(ranking, many.toReversed()), chosen)
      yield* expectSame("choice of nobody", best(ranking, []), undefined)
    })
  }
]

/** Pairs, examples, and what must not be remembered. `ids`: see `RankingSuiteOptions`. */
export const rankingChecks = (ids: ReadonlyArray<string>): ReadonlyArray<Check<PeerRanking>> => {
  const candidatesOf: CandidatesOf = (seed, count) => randomCandidates(ids, seed, count)
  return [...laws(candidatesOf), ...examples, ...memories(candidatesOf)]
}
