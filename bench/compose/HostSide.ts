/**
 * Our side of S10: the parts of a bootstrap composed, started and metered by the plugin host.
 * Usage: HostSide.ts PORT BYTES COUNT BATCH_ITEMS
 */
import { fixedLevel } from "@peerstrap/consistency-policy/plugin"
import { discardSink, tchannelPeers } from "@peerstrap/m3db-bootstrap/plugin"
import { compose, Host } from "@peerstrap/plugin-host"
import { tcp } from "@peerstrap/transport/plugin"
import * as Effect from "effect/Effect"
import { tell } from "../method/Side.ts"
import { heldStream } from "../runs/HeldRun.ts"

const [port, bytes, count, maxBatchItems] = process.argv.slice(2).map(Number) as [number, number, number, number]

const composition = compose(
  tcp({}),
  tchannelPeers({ peers: [{ id: "peer-0", host: "127.0.0.1", port }] }),
  fixedLevel({ level: "all" }),
  discardSink({})
)

const run = Host.run(composition, () => Effect.scoped(heldStream({ bytes, count, maxBatchItems })))
tell(await Effect.runPromise(run))
