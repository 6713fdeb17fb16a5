/** The Tezos side as plugins: its wire, where its chain begins, injection into a node. */
import { tezosBase } from "./Base.ts"
import { octezRpcApplier } from "./OctezRpc.ts"
import { tezosProtocol } from "./Protocol.ts"

export * from "./Base.ts"
export * from "./ConfigTypes.ts"
export * from "./Kinds.ts"
export * from "./OctezRpc.ts"
export * from "./Protocol.ts"

/** All plugins of this package. */
export const tezosPlugins = [tezosProtocol, tezosBase, octezRpcApplier]
