/** Where blocks come from: one client a peer. `m3db-wire` clients fit as they are; tests bring their own. */
import type { NodeClient } from "@peerstrap/m3db-wire"
import * as Context from "effect/Context"

/** Service: the clients of all replicas that may be asked. */
export class PeerBlocks extends Context.Service<PeerBlocks, {
  /** Every peer that may be asked, each once; order does not matter. The origin is never among them. */
  readonly peers: ReadonlyArray<NodeClient>
}>()("@peerstrap/m3db-bootstrap/PeerBlocks") {}
