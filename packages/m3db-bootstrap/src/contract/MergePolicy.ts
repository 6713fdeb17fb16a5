/** The merge rule that a run uses, as a service: a policy of plain functions. */
import type { MergeRule } from "@peerstrap/m3tsz"
import * as Context from "effect/Context"

/** Service: which point wins where replicas differ at the same time. */
export class MergePolicy extends Context.Service<MergePolicy, MergeRule>()("@peerstrap/m3db-bootstrap/MergePolicy") {}
