/** Sources of a rate that are wrong in one way each; the kit must reject every one. */
import type { Mutant } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import * as Stream from "effect/Stream"
import type { SettableRate } from "../adapter/SettableRate.ts"
import { PeerRateSource } from "../contract/PeerRateSource.ts"
import { type PeerRatePlace, settableRatePlace } from "./PeerRatePlace.ts"

const initial = { bytesPerSecond: 5000, origin: "flag" } as const

const atFirst = "current is a rate: whole bytes, none or more, with an origin"
const arrives = "each change arrives once, in order, and is current when it arrives"

const mutant = (
  name: string,
  rejectedBy: string,
  because: RegExp | "hangs",
  change: (rate: SettableRate) => Partial<PeerRateSource["Service"]>
): Mutant<PeerRateSource | PeerRatePlace> => ({
  name,
  rejectedBy,
  because,
  // They keep their log lines to themselves.
  layer: Layer.merge(
    Layer.succeed(References.MinimumLogLevel, "None"),
    settableRatePlace(initial, (rate) => ({ ...rate, source: PeerRateSource.of({ ...rate.source, ...change(rate) }) }))
  )
})

const mapped = ({ source }: SettableRate, change: (bytesPerSecond: number) => number) => ({
  current: Effect.map(source.current, (rate) => ({ ...rate, bytesPerSecond: change(rate.bytesPerSecond) })),
  changes: Stream.map(source.changes, (rate) => ({ ...rate, bytesPerSecond: change(rate.bytesPerSecond) }))
})

/** Each has one planted fault. */
export const peerRateMutants: ReadonlyArray<Mutant<PeerRateSource | PeerRatePlace>> = [
  mutant(
    "never says the current rate first",
    "the first element of changes is the current rate",
    "hangs",
    ({ source }) => ({
      changes: Stream.drop(source.changes, 1)
    })
  ),
  mutant("loses where a rate came from", atFirst, /origin is given: saw false/, ({ source }) => ({
    current: Effect.map(source.current, (rate) => ({ ...rate, origin: "" })),
    changes: Stream.map(source.changes, (rate) => ({ ...rate, origin: "" }))
  })),
  mutant(
    "gives fractions of bytes",
    atFirst,
    /not so: 1666\.\d+ is a whole number/,
    (rate) => mapped(rate, (bytes) => bytes / 3)
  ),
  mutant(
    "says minus one where there is no limit",
    atFirst,
    /not so: -1 is at least 0/,
    (rate) => mapped(rate, (bytes) => bytes === 5000 ? -1 : bytes)
  ),
  mutant(
    "ends when it has said the rate",
    "changes stays open, though nothing changes",
    /has ended: saw true/,
    (rate) => ({
      changes: Stream.take(rate.source.changes, 1)
    })
  ),
  mutant("publishes nothing after the first rate", arrives, "hangs", ({ source }) => ({
    changes: Stream.concat(Stream.take(source.changes, 1), Stream.never)
  })),
  mutant("says each change twice", arrives, /element of changes: saw 5000, expected 1$/, ({ source }) => ({
    changes: Stream.flatMap(source.changes, (rate) => Stream.make(rate, rate))
  })),
  mutant("keeps `current` as it was at the start", arrives, /current: saw .*5000/, () => ({
    current: Effect.succeed(initial)
  })),
  mutant(
    "begins with the rate at first instead of the current one",
    "who subscribes late gets the latest rate first and nothing older",
    /first of a late subscriber: saw 5000/,
    ({ source }) => ({ changes: Stream.concat(Stream.succeed(initial), Stream.drop(source.changes, 1)) })
  ),
  mutant(
    "says nothing more to anybody when a subscriber has left",
    "every subscriber gets every change, and one that leaves takes nothing from the others",
    "hangs",
    ({ source }) => {
      let isOver = false
      return {
        changes: Stream.ensuring(Stream.filter(source.changes, () => !isOver), Effect.sync(() => (isOver = true)))
      }
    }
  )
]
