/** The conformance kit of `Grouping`, a pure engine: nothing in it can be interrupted, leak or be simulated, and it has no capabilities. */
import { CheckFailed, type Kit, plainText, suiteOf } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import { AssertionError } from "node:assert"
import { CheckedGrouping, type GroupingCheck } from "./GroupingCheck.ts"
import { groupingChecks } from "./GroupingChecks.ts"
import { groupingMutants } from "./Mutants.ts"

/** What an assertion saw, in one line. */
const words = (cause: unknown): CheckFailed =>
  new CheckFailed({
    message: cause instanceof AssertionError
      ? `saw ${plainText(cause.actual)}, expected ${plainText(cause.expected)}`
      : `threw ${String(cause)}`
  })

const checked = ({ name, run }: GroupingCheck) => ({
  name,
  run: CheckedGrouping.use(({ make }) => Effect.try({ try: () => run(make), catch: words }))
})

/** The kit of groupings. */
export const groupingKit: Kit<CheckedGrouping> = {
  contract: "Grouping",
  capabilities: {},
  checks: groupingChecks.map(checked),
  mutants: groupingMutants
}

/** Registers a test for each check: `groupingSuite("mine", groupingLayer(make), { capabilities: {}, test: it })`. */
export const groupingSuite = suiteOf(groupingKit)
