export {
  IdentityUnusable,
  type LoadedIdentity,
  loadIdentity,
  makeIdentity,
  type NewIdentity
} from "./adapter/NodeIdentity.ts"
export { octezRpc, octezRpcLayer, type OctezRpcOptions } from "./adapter/OctezRpcApplier.ts"
export { tezosProtocol, type TezosProtocolOptions } from "./adapter/TezosProtocol.ts"
export * from "./contract/Network.ts"
export * from "./contract/TezosLimits.ts"
export * from "./engine/OctezAnswer.ts"
export { type ChainFacts, makeTezosRules, type TezosRules } from "./engine/TezosRules.ts"
export { checkNetwork, parseNetwork } from "./network/ParseNetwork.ts"
export { defaultPort, parsePeerName, type PeerName } from "./network/PeerName.ts"
export * from "./network/Presets.ts"
export * from "./network/ResolveNetwork.ts"
export * from "./network/ResolvePeers.ts"
