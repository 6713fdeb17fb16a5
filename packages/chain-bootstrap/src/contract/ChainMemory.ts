/** The one ledger that all large buffers of a run draw from: frames on their way in and out, bodies on their way to the store and the applier. */
import type { ByteLedger } from "@peerstrap/transport"
import * as Context from "effect/Context"

/** Service: the ledger, in bytes, of all large buffers of a run. */
export class ChainMemory
  extends Context.Service<ChainMemory, { readonly ledger: ByteLedger }>()("@peerstrap/chain-bootstrap/ChainMemory")
{}
