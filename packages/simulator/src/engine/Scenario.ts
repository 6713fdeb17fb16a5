/** Scenarios by name, run over many seeds; a failure says its seed and the one line that replays it. */

/** What a run leaves behind to compare: the scheduler's hash, and how much happened. */
export interface ScenarioRun {
  readonly hash: string
  readonly events?: number
}

/** A simulation by name. */
export interface Scenario {
  readonly name: string
  /** Runs once; throws (or rejects) when something is wrong. The same seed must give the same hash. */
  readonly run: (seed: number) => ScenarioRun | Promise<ScenarioRun>
}

/** A seed that failed, and how to run it again. */
export interface SeedFailure {
  readonly seed: number
  readonly error: unknown
  /** The command that runs this seed again. */
  readonly replay: string
}

/** How a scenario did over many seeds. */
export interface SeedsReport {
  readonly scenario: string
  /** Seeds run. */
  readonly seeds: number
  /** Seeds that were run twice to compare their hashes. */
  readonly repeated: number
  readonly failures: ReadonlyArray<SeedFailure>
  /** Different runs seen, by hash: 1 of many seeds means that the seed changes nothing. */
  readonly distinct: number
}

/** Which scenario, over which seeds. */
export interface RunSeedsOptions {
  readonly scenario: Scenario
  /** How many seeds, or which. */
  readonly seeds: number | ReadonlyArray<number>
  /** The first seed when `seeds` is a count. Default 1. */
  readonly from?: number
  /** Every n-th seed is run twice; its hashes must be equal. Default 5; 0 never. */
  readonly repeatEvery?: number
  /** Stop after this many failures. Default 3. */
  readonly maxFailures?: number
}

/** The same seed gave two different runs: something in the scenario is not the seed's. */
export class NotDeterministic extends Error {
  override readonly name = "NotDeterministic"
}

/** Names a scenario. The name is what the command line knows it by: lower case, digits, dots and dashes. */
export const scenario = (definition: Scenario): Scenario => {
  if (!/^[a-z0-9][a-z0-9.-]*$/.test(definition.name)) {
    throw new RangeError(`scenario: "${definition.name}" must be lower case letters, digits, dots and dashes`)
  }
  return definition
}

/** The command that runs one seed of a scenario again. */
export const replayLine = (name: string, seed: number): string => `npm run sim -- --scenario ${name} --seed ${seed}`

/** Runs a scenario over seeds, one after the other. */
export const runSeeds = async (options: RunSeedsOptions): Promise<SeedsReport> => {
  const { scenario, seeds, from = 1, maxFailures = 3, repeatEvery = 5 } = options
  const chosen = typeof seeds === "number" ? Array.from({ length: seeds }, (_, i) => from + i) : seeds
  const failures: Array<SeedFailure> = []
  const hashes = new Set<string>()
  let ran = 0
  let repeated = 0
  for (const seed of chosen) {
    if (failures.length >= maxFailures) break
    const twice = repeatEvery > 0 && ran % repeatEvery === 0
    ran++
    try {
      const first = await scenario.run(seed)
      hashes.add(first.hash)
      if (!twice) continue
      repeated++
      const second = await scenario.run(seed)
      if (second.hash !== first.hash) {
        throw new NotDeterministic(`seed ${seed} gave ${first.hash} and then ${second.hash}`)
      }
    } catch (error) {
      failures.push({ seed, error, replay: replayLine(scenario.name, seed) })
    }
  }
  return { scenario: scenario.name, seeds: ran, repeated, failures, distinct: hashes.size }
}

/** What a person wants to read of a report: one line, and two for each failure. */
export const formatReport = (report: SeedsReport): string => {
  const head =
    `${report.scenario}: ${report.seeds} seeds, ${report.repeated} run twice, ${report.distinct} distinct runs, ` +
    `${report.failures.length} failures`
  const lines = report.failures.map(({ error, replay, seed }) =>
    `  seed ${seed}: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}\n    ${replay}`
  )
  return [head, ...lines].join("\n")
}

/** Throws when seeds have failed, with the report as its message; returns the report otherwise. */
export const assertSeeds = (report: SeedsReport): SeedsReport => {
  if (report.failures.length > 0) throw new Error(formatReport(report), { cause: report.failures[0]!.error })
  return report
}
