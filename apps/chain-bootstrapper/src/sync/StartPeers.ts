/** Whom a run dials first: what the operator and the network named, resolved to addresses. */
import { CommandError, ExitCode } from "@peerstrap/command-line"
import { type Network, resolvePeers } from "@peerstrap/tezos-bootstrap"
import * as Effect from "effect/Effect"
import type { PeerFacts } from "./SyncOptions.ts"

export interface StartPeers {
  /** Points of the operator, `address:port`. */
  readonly named: ReadonlyArray<string>
  /** How many addresses are known at the start. */
  readonly facts: PeerFacts
  /** The store remembers peers, or others may dial us. */
  readonly othersKnown: boolean
  /** Names that gave no address, one sentence each. */
  readonly problems: ReadonlyArray<string>
  /** Looks the network's names up again. */
  readonly resolveNames: Effect.Effect<ReadonlyArray<string>>
}

const nobody = (problems: ReadonlyArray<string>, given: boolean): CommandError =>
  new CommandError({
    exitCode: given ? ExitCode.peers : ExitCode.usage,
    message: given
      ? `no peer has an address: ${problems.join("; ")}`
      : "nobody to ask: the network names no peers, and there is no --peer",
    remedy: given
      ? "look at the name service of this machine, or name peers by address: --peer 203.0.113.7:9732"
      : "name at least one peer, e.g. --peer 127.0.0.1:9732"
  })

/** `othersKnown`: the store remembers peers, or we are dialled, so that none need be named. */
export const startPeers = Effect.fnUntraced(
  function*(named: ReadonlyArray<string>, network: Network, othersKnown: boolean) {
    const [own, entries] = yield* Effect.all([resolvePeers(named), resolvePeers(network.peers)], { concurrency: 2 })
    const problems = [...own.problems, ...entries.problems]
    const addresses = new Set([...own.points, ...entries.points]).size
    if (addresses === 0 && !othersKnown) {
      return yield* nobody(problems, named.length + network.peers.length > 0)
    }
    const start: StartPeers = {
      named: own.points,
      facts: { addresses, unresolved: entries.problems.length > 0 },
      othersKnown,
      problems,
      resolveNames: Effect.map(resolvePeers(network.peers), ({ points }) => points)
    }
    return start
  }
)
