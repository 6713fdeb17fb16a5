/** Kinds of the replica side, and the plugins of this package: peers over TChannel, merge rules, a sink that counts and drops. */
export * from "./DiscardSink.ts"
export * from "./Kinds.ts"
export * from "./MergeRules.ts"
export * from "./TChannelPeers.ts"
