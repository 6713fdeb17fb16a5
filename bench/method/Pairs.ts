/**
 * Two sides measured in turns, each in fresh processes: A B, B A, A B, … so that what else the machine does weighs on both, and
 * neither is always the second.
 */
import type { Measured } from "./Side.ts"
import { median, type Ratio, ratioOfPairs } from "./Statistics.ts"

export interface Contender {
  readonly name: string
  readonly run: () => Promise<Measured>
}

export interface Comparison {
  readonly ours: Summary
  readonly rival: Summary
  /** Speed of ours over speed of the rival, by wall time. */
  readonly speed: Ratio
  /** The same by CPU time of the two processes; absent where it was not measured (not a number). */
  readonly cpu: Ratio | undefined
}

export interface Summary {
  readonly name: string
  readonly seconds: number
  readonly cpuSeconds: number
  /** Of the median run. */
  readonly megabytesPerSecond: number
  readonly itemsPerSecond: number
  readonly runs: ReadonlyArray<Measured>
}

const summaryOf = (name: string, runs: ReadonlyArray<Measured>): Summary => ({
  name,
  seconds: median(runs.map((run) => run.seconds)),
  cpuSeconds: median(runs.map((run) => run.cpuSeconds)),
  megabytesPerSecond: median(runs.map((run) => run.bytes / run.seconds / 1e6)),
  itemsPerSecond: median(runs.map((run) => run.items / run.seconds)),
  runs
})

/** Each contender once per round, in an order that turns from round to round; one unmeasured run of each comes first. */
export const runRounds = async (
  contenders: ReadonlyArray<Contender>,
  rounds: number,
  onRound: (round: number) => void = () => undefined
): Promise<ReadonlyArray<ReadonlyArray<Measured>>> => {
  const runs = contenders.map((): Array<Measured> => [])
  for (const contender of contenders) await contender.run()
  for (let round = 0; round < rounds; round++) {
    const order = contenders.map((_, index) => index)
    for (const index of round % 2 === 0 ? order : order.toReversed()) runs[index]!.push(await contenders[index]!.run())
    onRound(round)
  }
  return runs
}

/** How much faster ours was than the rival, over runs of the same rounds. */
export const compare = (
  ours: { readonly name: string; readonly runs: ReadonlyArray<Measured> },
  rival: { readonly name: string; readonly runs: ReadonlyArray<Measured> }
): Comparison => {
  const pairs = (of: (run: Measured) => number) =>
    ours.runs.map((run, round): readonly [number, number] => [of(rival.runs[round]!), of(run)])
  return {
    ours: summaryOf(ours.name, ours.runs),
    rival: summaryOf(rival.name, rival.runs),
    speed: ratioOfPairs(pairs((run) => run.seconds)),
    cpu: [...ours.runs, ...rival.runs].some((run) => Number.isNaN(run.cpuSeconds))
      ? undefined
      : ratioOfPairs(pairs((run) => run.cpuSeconds))
  }
}
