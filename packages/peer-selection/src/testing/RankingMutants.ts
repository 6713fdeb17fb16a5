/** Rankings that are wrong in one way each; the kit must reject every one. */
import type { Mutant } from "@peerstrap/conformance"
import * as Layer from "effect/Layer"
import { PeerRanking } from "../contract/PeerRanking.ts"
import type { Ranking } from "../contract/Ranking.ts"
import { leastLoaded } from "../engine/LeastLoaded.ts"
import { makeThroughputWeighted } from "../engine/ThroughputWeighted.ts"

type Compare = Ranking["compare"]

const mutant = (
  name: string,
  rejectedBy: string,
  because: RegExp,
  make: () => Compare | Ranking
): Mutant<PeerRanking> => ({
  name,
  rejectedBy,
  because,
  layer: Layer.sync(PeerRanking, () => {
    const made = make()
    return typeof made === "function" ? { name: "mutant", compare: made } : made
  })
})

const byLoad: Compare = (a, b) => a.attempts - b.attempts || a.outstandingBytes - b.outstandingBytes

/** Remembers the rates that it was last fitted to. */
const forgetful = (): Ranking => {
  let rate = 1
  const compare: Compare = (a, b) =>
    a.attempts - b.attempts || (a.outstandingBytes + 1) / (a.bytesPerSecond || rate) -
      (b.outstandingBytes + 1) / (b.bytesPerSecond || rate) ||
    leastLoaded.compare(a, b)
  return {
    name: "mutant",
    compare,
    over: (candidates) => {
      rate = candidates.reduce((most, { bytesPerSecond }) => Math.max(most, bytesPerSecond), 1)
      return { name: "mutant", compare }
    }
  }
}

/** Infinite where no rate is known, and two infinities have no difference. */
const seconds = (bytes: number, rate: number): number => rate === 0 ? bytes / rate : 0

/** Each has one planted fault. */
export const rankingMutants: ReadonlyArray<Mutant<PeerRanking>> = [
  mutant(
    "ignores attempts",
    "puts fewer attempts first",
    /^not so: seed \d+: .* attempts before/,
    () => (a, b) => leastLoaded.compare({ ...a, attempts: 0 }, { ...b, attempts: 0 })
  ),
  mutant(
    "leaves ties as they are",
    "never finds two peers equal",
    /compare as 0$/,
    () => (a, b) => byLoad(a, b) || a.lastTried - b.lastTried
  ),
  mutant(
    "prefers both of two",
    "says the opposite the other way round",
    /compare as -1 and -1$/,
    () => (a, b) => leastLoaded.compare(a, b) < 0 || a.peer % 2 === 0 ? -1 : 1
  ),
  mutant(
    "goes round in circles",
    "agrees with itself about three",
    /which is not behind/,
    () => (a, b) => a.attempts - b.attempts || ((b.peer - a.peer + 7) % 7 <= 3 ? -1 : 1)
  ),
  mutant(
    "prefers the most loaded",
    "prefers the less busy of two equal peers",
    /choice: saw "b", expected "a"/,
    () => (a, b) => a.attempts - b.attempts || b.outstandingBytes - a.outstandingBytes || leastLoaded.compare(a, b)
  ),
  mutant(
    "always takes the lowest id",
    "prefers the less recently tried of two equal peers",
    /choice: saw "a", expected "c"/,
    () => (a, b) => a.attempts - b.attempts || (a.id < b.id ? -1 : 1)
  ),
  mutant(
    "compares ids as a language does",
    "ends ties by id, by code units",
    /choice: saw "é", expected "z"/,
    () => (a, b) => byLoad(a, b) || a.lastTried - b.lastTried || a.id.localeCompare(b.id, "en") || a.peer - b.peer
  ),
  mutant(
    "takes the first that it is given of two equals",
    "chooses the same of any order of candidates",
    /^seed \d+: choice of the candidates from \d on: saw/,
    () => (a, b) => byLoad(a, b) || 1
  ),
  mutant(
    "remembers what it was fitted to last",
    "remembers nothing: the same candidates give the same choice, whatever was asked in between",
    /^seed \d+: order after others were ranked/,
    forgetful
  ),
  mutant(
    "divides by a rate that is not known",
    "bears the largest and the smallest values, and a thousand candidates",
    /p\d+ against p\d+, without its sign: saw NaN/,
    () => {
      const sound = makeThroughputWeighted()
      return {
        name: "mutant",
        compare: (a, b) =>
          a.attempts - b.attempts ||
          (a.outstandingBytes > 2 ** 40 && b.outstandingBytes > 2 ** 40
            ? seconds(a.outstandingBytes, a.bytesPerSecond) - seconds(b.outstandingBytes, b.bytesPerSecond)
            : sound.compare(a, b))
      }
    }
  )
]
