/** Every bound of this package with its reason. */
export const conformanceLimits = {
  /** Turns of the scheduler after which a check of an implementation within the process counts as hanging: far above what any kit needs. */
  patienceTurns: 20_000,
  /** The first turns of a run, at each of which `atEachStep` interrupts: operations of the contracts within the process take a few dozen. */
  maxSteps: 500,
  /** Further interruptions of a run that takes more turns, as one that waits for disks or processes does: spread evenly over all of it. */
  spreadSteps: 32,
  /** A run that has not ended by itself after so many turns never does: some seconds, which no operation of a contract takes. */
  maxRunTurns: 1_000_000
} as const
