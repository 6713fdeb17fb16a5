/** The kits of `Ranking`, `PeerQueues` and `PeerRateSource`, and their mutants. */
export { peerQueuesKit, peerQueuesSuite } from "./PeerQueuesKit.ts"
export { kitLimits, type MakePeerQueues, PeerQueuesMaker } from "./PeerQueuesMaker.ts"
export { peerRateKit, peerRateSuite } from "./PeerRateKit.ts"
export {
  type PeerRateCapability,
  PeerRatePlace,
  peerRatePlace,
  type PeerRatePlaceShape,
  settableRatePlace
} from "./PeerRatePlace.ts"
export { rankingKit, rankingSuite, type RankingSuiteOptions } from "./RankingKit.ts"
