/** The engine in seeded worlds: clusters, faults, lies, levels and stops as each seed draws them. */
import { describe, it } from "@effect/vitest"
import { assertSeeds, runSeeds, scenario, seedsFor } from "@peerstrap/simulator"
import { playWorld } from "./support/StreamScenario.ts"

const worlds = scenario({ name: "stream-run-worlds", run: (seed) => playWorld(seed) })

describe("streaming runs", () => {
  it("keep their promises in every world", { timeout: 3_600_000 }, async () => {
    assertSeeds(await runSeeds({ scenario: worlds, seeds: seedsFor("stream-run-worlds", 200) }))
  })
})
