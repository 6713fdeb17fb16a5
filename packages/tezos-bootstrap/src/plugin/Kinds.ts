/** What the Tezos side knows beyond the contracts of every chain. */
import { one } from "@peerstrap/plugin-host"
import { TezosNetwork } from "../contract/Network.ts"

/** Kind `tezos.network`: the network's facts. */
export const networkKind = one("tezos.network", TezosNetwork, {
  summary: "The network's facts: genesis, entry points, pace.",
  metered: false
})
