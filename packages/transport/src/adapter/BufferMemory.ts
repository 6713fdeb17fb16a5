/**
 * The one ledger that all large buffers of a run draw from: answers and frames on their way in and out, blocks on their way to a sink, a store
 * or an applier.
 */
import * as Context from "effect/Context"
import type { ByteLedger } from "../engine/ByteLedger.ts"

/** Service: the ledger, in bytes, of all large buffers of a run. */
export class BufferMemory
  extends Context.Service<BufferMemory, { readonly ledger: ByteLedger }>()("@peerstrap/transport/BufferMemory")
{}
