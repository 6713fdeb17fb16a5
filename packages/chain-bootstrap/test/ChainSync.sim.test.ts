/** The sync engine in seeded worlds: peers, lies, local faults and restarts as each seed draws them. */
import { describe, it } from "@effect/vitest"
import { assertSeeds, formatReport, Random, runSeeds, scenario, seedsFor } from "@peerstrap/simulator"
import { families, playWorld } from "../src/testing/world/index.ts"

const named = process.env["PEERSTRAP_SCENARIO"]
const chosen = families.filter((family) => named === `chain-sync-${family}`)

describe("chain sync", () => {
  for (const family of chosen.length > 0 ? chosen : families) {
    const name = `chain-sync-${family}`
    const worlds = scenario({ name, run: (seed) => playWorld(family, seed, Random.make(seed)) })
    it(`${family} worlds keep every promise`, { timeout: 3_600_000 }, async () => {
      const report = await runSeeds({ scenario: worlds, seeds: seedsFor(name, 25) })
      console.log(formatReport(report))
      assertSeeds(report)
    })
  }
})
