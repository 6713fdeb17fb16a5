/** The score table that a run uses when it is given none (specs: chain bootstrap 5.7.1, A39). */
import type { OffenceRule, ScoreTable } from "../../contract/Standing.ts"

const small = (points: number): OffenceRule => ({ points, serious: false, atOnce: false })
const serious = (points: number): OffenceRule => ({ points, serious: true, atOnce: false })
const atOnce: OffenceRule = { points: 100, serious: true, atOnce: true }

/** Rewards for bulk replies are small, so that easy answers do not wash out penalties; two serious offences are too many, whenever they were. */
export const defaultScoreTable: ScoreTable = {
  maximum: 100,
  credits: { branch: 10, head: 10, header: 1, unit: 1 },
  offences: {
    "branch-unanswered": small(10),
    "never-asked": small(10),
    "pruned-support": small(20),
    "dead-hash": small(20),
    "bad-body-proof": serious(50),
    "bad-header": serious(50),
    "invalid-block": small(100),
    equivocation: serious(100),
    "base-mismatch": atOnce,
    "bogus-branch": atOnce,
    malformed: atOnce
  },
  seriousLimit: 2
}

const check = (name: string, value: number, least: number): void => {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new RangeError(`score table: ${name} must be an integer from ${least}, got ${value}`)
  }
}

/** Throws a RangeError when a number of the table makes no sense. */
export const checkScoreTable = (table: ScoreTable): ScoreTable => {
  check("maximum", table.maximum, 1)
  check("seriousLimit", table.seriousLimit, 1)
  for (const [name, points] of Object.entries(table.credits)) check(`credit ${name}`, points, 0)
  for (const [name, rule] of Object.entries(table.offences)) check(`offence ${name}`, rule.points, 0)
  return table
}
