export * from "./contract/Evidence.ts"
export * from "./contract/PeerQueues.ts"
export * from "./contract/Ranking.ts"
