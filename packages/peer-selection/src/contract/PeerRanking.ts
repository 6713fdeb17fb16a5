/** The ranking that a run uses, as a service: a policy of plain functions. */
import * as Context from "effect/Context"
import type { Ranking } from "./Ranking.ts"

/** Service: which of several peers gets a piece of work. */
export class PeerRanking extends Context.Service<PeerRanking, Ranking>()("@peerstrap/peer-selection/PeerRanking") {}
