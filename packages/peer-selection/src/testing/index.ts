/** The kits of `Ranking` and `PeerQueues`, and their mutants. */
export { peerQueuesKit, peerQueuesSuite } from "./PeerQueuesKit.ts"
export { kitLimits, type MakePeerQueues, PeerQueuesMaker } from "./PeerQueuesMaker.ts"
export { rankingKit, rankingSuite, type RankingSuiteOptions } from "./RankingKit.ts"
