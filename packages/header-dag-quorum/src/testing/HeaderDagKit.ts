/**
 * The kit of `HeaderDag`: examples whose names end with their requirement (specs: chain bootstrap 5.6, 5.6b), and random histories against the naive
 * reference.
 */
import { type Kit, suiteOf } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import { compareHistory } from "./CompareHistories.ts"
import { type HeaderDagCheck, HeaderDagMaker } from "./HeaderDagMaker.ts"
import { headerDagMutants } from "./HeaderDagMutants.ts"
import { makeNaiveHeaderDag } from "./NaiveHeaderDag.ts"
import { quorumChecks } from "./QuorumChecks.ts"
import { removalChecks } from "./RemovalChecks.ts"
import { supportChecks } from "./SupportChecks.ts"

const histories: HeaderDagCheck = {
  name: "answers as the naive header DAG does, after random histories",
  run: (make) => {
    for (let seed = 1; seed <= 6; seed++) {
      const difference = compareHistory(seed, make, makeNaiveHeaderDag)
      if (difference !== undefined) throw new Error(`seed ${seed}: ${difference}`)
    }
  }
}

/** The kit of `HeaderDag`. */
export const headerDagKit: Kit<HeaderDagMaker> = {
  contract: "HeaderDag",
  capabilities: {},
  checks: [...supportChecks, ...quorumChecks, ...removalChecks, histories].map(({ name, run }) => ({
    name,
    run: Effect.flatMap(HeaderDagMaker, (make) => Effect.sync(() => run(make)))
  })),
  mutants: headerDagMutants
}

/** `headerDagSuite("packed", Layer.succeed(HeaderDagMaker)(makeHeaderDag), { capabilities: {}, test: it })`. */
export const headerDagSuite = suiteOf(headerDagKit)
