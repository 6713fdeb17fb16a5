/** Both strategies pass one kit, and the kit rejects every strategy with a known fault, for the right reason. */
import { describe, it } from "@effect/vitest"
import { appliedBranches, cachedTail, ReorganisationStrategy } from "@peerstrap/chain-bootstrap"
import { reorganisationKit, reorganisationSuite } from "@peerstrap/chain-bootstrap/testing"
import { mutantSuiteOf } from "@peerstrap/conformance"
import * as Layer from "effect/Layer"

describe("ReorganisationStrategy", () => {
  reorganisationSuite("cached-tail", Layer.succeed(ReorganisationStrategy)(cachedTail), {
    capabilities: { branches: false },
    test: it
  })
  reorganisationSuite("applied-branches", Layer.succeed(ReorganisationStrategy)(appliedBranches), {
    capabilities: { branches: true },
    test: it
  })

  mutantSuiteOf(reorganisationKit, it)
})
