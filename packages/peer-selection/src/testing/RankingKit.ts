/** The conformance kit of `Ranking`, through the tag `PeerRanking`. */
import { type Kit, suiteOf } from "@peerstrap/conformance"
import type { PeerRanking } from "../contract/PeerRanking.ts"
import { rankingChecks } from "./RankingChecks.ts"
import { rankingMutants } from "./RankingMutants.ts"

/** The kit: 10 checks, 10 mutants. Nothing of the contract is optional, so there are no capabilities. */
export const rankingKit: Kit<PeerRanking> = {
  contract: "Ranking",
  capabilities: {},
  checks: rankingChecks,
  mutants: rankingMutants
}

/** `rankingSuite("Mine", Layer.succeed(PeerRanking, mine), { capabilities: {}, test: it })`. */
export const rankingSuite = suiteOf(rankingKit)
