/**
 * Conformance checks for anything that claims to be an M3DB node on the wire: ours, another implementation, a real node. Over raw
 * bytes and with readers of its own, so that it does not share a codec's mistakes.
 */
import type { Transport } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { blocksChecks } from "./KitBlocksChecks.ts"
import type { NodeFacts } from "./KitCalls.ts"
import { listingChecks } from "./KitListingChecks.ts"
import { protocolChecks } from "./KitProtocolChecks.ts"
import type { Breach } from "./RawPeer.ts"

/** One check of the kit: passes, or fails with a `Breach` that says what was expected and what came. */
export interface NodeCheck {
  readonly name: string
  /** True: sends what crashes a real node's whole process. Only for servers of our own. */
  readonly hostile: boolean
  readonly run: (facts: NodeFacts) => Effect.Effect<void, Breach, Transport | Scope.Scope>
}

/** A check that the server failed. */
export interface Finding {
  readonly check: string
  /** The check had not ended in its time. */
  readonly timedOut: boolean
  readonly message: string
}

/** Which checks run, and for how long each may. */
export interface NodeKitOptions {
  /** Also the checks that would crash a real node. Default false. */
  readonly hostile?: boolean
  /** Run only the checks whose name begins so. */
  readonly only?: string
  /** Time of one check, after which it has failed. Default 5,000. */
  readonly timeoutMillis?: number
}

/** All checks: protocol, listings, blocks, hostile requests. */
export const nodeServerChecks: ReadonlyArray<NodeCheck> = [...protocolChecks, ...listingChecks, ...blocksChecks]

const runCheck = (
  check: NodeCheck,
  facts: NodeFacts,
  timeoutMillis: number
): Effect.Effect<Finding | undefined, never, Transport> =>
  check.run(facts).pipe(
    Effect.scoped,
    Effect.as(""),
    Effect.catch(({ message }) => Effect.succeed(message)),
    Effect.timeoutOption(timeoutMillis),
    Effect.map(Option.match({
      onNone: () => ({ check: check.name, timedOut: true, message: `no end within ${timeoutMillis} ms` }),
      onSome: (message) => message === "" ? undefined : { check: check.name, timedOut: false, message }
    }))
  )

/** Runs all checks, one after the other; what failed comes back. Nothing found: the server conforms. */
export const checkNodeServer = Effect.fnUntraced(
  function*(
    facts: NodeFacts,
    options: NodeKitOptions = {}
  ): Effect.fn.Return<ReadonlyArray<Finding>, never, Transport> {
    const findings: Array<Finding> = []
    for (const check of nodeServerChecks) {
      if ((check.hostile && options.hostile !== true) || !check.name.startsWith(options.only ?? "")) continue
      const finding = yield* runCheck(check, facts, options.timeoutMillis ?? 5_000)
      if (finding !== undefined) findings.push(finding)
    }
    return findings
  }
)
