export { kitLimits, type MakePeerQueues, peerQueuesViolation } from "./PeerQueuesKit.ts"
export { type PeerQueuesMutant, peerQueuesMutants } from "./PeerQueuesMutants.ts"
export { randomCandidates, rankingMutants, rankingViolations } from "./RankingKit.ts"
export { seededRandom } from "./SeededRandom.ts"
