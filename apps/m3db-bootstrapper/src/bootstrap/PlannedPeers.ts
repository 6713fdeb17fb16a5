/** The clients of the peers that a plan names, in its order, whatever part brings them. */
import { CommandError, ExitCode } from "@peerstrap/command-line"
import { PeerBlocks } from "@peerstrap/m3db-bootstrap"
import * as Effect from "effect/Effect"
import type { BootstrapPlan } from "./BootstrapPlan.ts"

/** Jobs name peers by their index in the plan. Peers that the plan does not name are not asked. */
export const plannedPeers = Effect.fnUntraced(function*(plan: Pick<BootstrapPlan, "peers">) {
  const { peers } = yield* PeerBlocks
  const byId = new Map(peers.map((client) => [client.peer, client]))
  const missing = plan.peers.filter(({ id }) => !byId.has(id)).map(({ id }) => id)
  if (missing.length === 0) return plan.peers.map(({ id }) => byId.get(id)!)
  return yield* new CommandError({
    exitCode: ExitCode.usage,
    message: `the part that brings the peers has ${[...byId.keys()].join(", ") || "none"}, and not ${
      missing.join(", ")
    }`,
    remedy: "name the same ids in --peer or the placement and in the part's config"
  })
})
