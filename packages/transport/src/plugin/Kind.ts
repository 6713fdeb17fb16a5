/** The contract that transports implement as plugins. */
import { one } from "@peerstrap/plugin-host"
import { Transport } from "../contract/Transport.ts"

/** Kind `transport`: duplex byte connections. */
export const transportKind = one("transport", Transport, { summary: "Duplex byte connections: dial and listen." })
