/** Every bound of this package with its reason. */
export const conformanceLimits = {
  /** Turns of the scheduler after which a check of an implementation within the process counts as hanging: far above what any kit needs. */
  patienceTurns: 20_000,
  /** Turns at which `atEachStep` interrupts at most: operations of the contracts take a few dozen. */
  maxSteps: 500
} as const
