/** The conformance kit of `Ranking`, through the tag `PeerRanking`. */
import { type Kit, suiteOf, type SuiteOptions, type SuitePlan } from "@peerstrap/conformance"
import type * as Layer from "effect/Layer"
import type { PeerRanking } from "../contract/PeerRanking.ts"
import { rankingChecks } from "./RankingChecks.ts"
import { rankingMutants } from "./RankingMutants.ts"

const kitOf = (ids: ReadonlyArray<string>): Kit<PeerRanking> => ({
  contract: "Ranking",
  capabilities: {},
  checks: rankingChecks(ids),
  mutants: rankingMutants
})

/** The kit: 10 checks, 10 mutants. Nothing of the contract is optional, so there are no capabilities. */
export const rankingKit: Kit<PeerRanking> = kitOf([])

/** How the kit is run on a ranking. */
export interface RankingSuiteOptions extends SuiteOptions<never> {
  /**
   * Ids of peers that the ranking tells apart by their ids, at least one of each sort: `["ap-1/a", "eu-1/b"]`. The candidates have these beside the
   * kit's own, `a`, `b`, `c`, and `a0` … `z6`; without them the kit never sees what a ranking does with ids that it knows.
   */
  readonly ids?: ReadonlyArray<string>
}

/** `rankingSuite("Mine", Layer.succeed(PeerRanking, mine), { capabilities: {}, test: it, ids: ["ap-1/a", "eu-1/b"] })`. */
export const rankingSuite = <E>(
  name: string,
  layer: Layer.Layer<PeerRanking, E>,
  { ids = [], ...options }: RankingSuiteOptions
): SuitePlan => suiteOf(kitOf(ids))(name, layer, options)
