export * from "./adapter/SettableRate.ts"
export * from "./contract/Evidence.ts"
export * from "./contract/PeerQueues.ts"
export * from "./contract/PeerRanking.ts"
export * from "./contract/PeerRateSource.ts"
export * from "./contract/Ranking.ts"
export { type AdaptivePeerQueues, makePeerQueues, type PeerQueuesOptions } from "./engine/AdaptiveQueues.ts"
export { type EvidenceBookOptions, makeEvidenceBook } from "./engine/EvidenceBook.ts"
export { best, leastLoaded } from "./engine/LeastLoaded.ts"
export { defaultQueueLimits } from "./engine/QueueLimits.ts"
export {
  makeThroughputWeighted,
  throughputWeighted,
  type ThroughputWeightedOptions
} from "./engine/ThroughputWeighted.ts"
