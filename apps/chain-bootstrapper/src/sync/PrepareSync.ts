/** Everything that a run needs before it begins: identity, peers, protocol, base and store, and the engine's options. */
import {
  type BlockRef,
  ChainProtocol,
  type FileChainStore,
  type HeaderFacts,
  type SyncOptions
} from "@peerstrap/chain-bootstrap"
import type { CommandError, CommandInput, Reporter } from "@peerstrap/command-line"
import { makeTezosRules, type Network, tezosProtocol } from "@peerstrap/tezos-bootstrap"
import { Crypto, type Identity } from "@peerstrap/tezos-wire"
import { ByteLedger, Transport } from "@peerstrap/transport"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { peerIdText } from "../identity/IdentityFile.ts"
import { startIdentity } from "../identity/StartIdentity.ts"
import { clockFault, keepNetwork } from "../network/NetworkOfRun.ts"
import { remembersPeers } from "../store/StoredPeers.ts"
import { baseAndStore } from "./BaseAndStore.ts"
import { inTime } from "./EarlyEnds.ts"
import { PeerTrouble } from "./PeerTrouble.ts"
import { announcePlan, foreseenProblems } from "./PlanText.ts"
import type { RunState } from "./RunState.ts"
import { type StartPeers, startPeers } from "./StartPeers.ts"
import type { syncFlags } from "./SyncFlags.ts"
import { misfitOf, syncOptions } from "./SyncOptions.ts"
import type { SyncPlan } from "./SyncPlan.ts"

export type SyncInput = CommandInput<typeof syncFlags, SyncPlan>

export interface Running {
  readonly input: SyncInput
  readonly state: RunState
  readonly reporter: Reporter
}

/** Failed dials and handshakes are noted by `trouble` on the way. */
interface Wire {
  readonly trouble: PeerTrouble
  readonly protocol: ChainProtocol["Service"]
  readonly transport: Transport["Service"]
  readonly ledger: ByteLedger
}

export interface Prepared extends Wire {
  readonly network: Network
  readonly peers: StartPeers
  readonly store: FileChainStore.FileChainStore
  readonly head: BlockRef
  readonly baseHeader: HeaderFacts | undefined
  readonly options: SyncOptions
}

const makeWire = Effect.fnUntraced(function*({ settings }: SyncInput, network: Network, identity: Identity) {
  const clock = yield* Clock.Clock
  const ledger = new ByteLedger(settings.memory)
  const ownPort = settings.listen?.port
  const built = yield* Layer.build(
    tezosProtocol({ network, identity, ledger, ...(ownPort === undefined ? {} : { ownPort }) })
  )
  const trouble = new PeerTrouble(() => clock.currentTimeMillisUnsafe())
  const wire: Wire = {
    trouble,
    protocol: trouble.watchProtocol(Context.get(built, ChainProtocol)),
    transport: trouble.watchTransport(yield* Transport),
    ledger
  }
  return wire
})

/** Ends with an error when our clock is before the block's time. */
const checkClock = Effect.fnUntraced(function*(network: Network, block: string, timeSeconds: number | undefined) {
  const now = yield* Clock.currentTimeMillis
  const fault: CommandError | undefined = timeSeconds === undefined
    ? undefined
    : clockFault(now, block, timeSeconds, network.limits.clockDriftSeconds)
  if (fault !== undefined) return yield* fault
})

export const prepareSync = Effect.fnUntraced(function*(running: Running, network: Network) {
  const { input, reporter, state } = running
  const { plan, settings } = input
  const misfit = misfitOf(settings, network)
  if (misfit !== undefined) return yield* misfit
  yield* checkClock(network, "genesis", network.genesis.timeSeconds)
  const identity = yield* inTime(
    startIdentity({ path: plan.identityPath, difficulty: network.proofOfWork, state, reporter }),
    running
  )
  state.enter("starting")
  const othersKnown = settings.listen !== undefined || (yield* remembersPeers(plan.storePath))
  const peers = yield* inTime(startPeers(settings.peer, network, othersKnown), running)
  const wire = yield* makeWire(input, network, identity)
  const { baseHeader, head, headTimeSeconds, store } = yield* inTime(
    baseAndStore({
      directory: plan.storePath,
      base: settings.base,
      baseTimeoutMillis: settings.baseTimeout,
      network,
      genesis: makeTezosRules(yield* Crypto, network).genesis,
      protocol: wire.protocol,
      peers,
      state,
      reporter
    }),
    running
  )
  yield* checkClock(network, `the last applied block, level ${head.level},`, headTimeSeconds)
  yield* keepNetwork(plan.storePath, network)
  const options = syncOptions(settings, network, peers.facts, (yield* Clock.currentTimeMillis) >>> 0)
  const { base } = store.identity
  announcePlan({ plan, settings, network, peers, options, base, head, peerId: peerIdText(identity) }, reporter)
  for (const warning of foreseenProblems({ base, head, network, options, peers })) {
    state.warnings.push(warning.split("\n")[0]!)
    reporter.say(`warning: ${warning}`)
  }
  const prepared: Prepared = { ...wire, network, peers, store, head, baseHeader, options }
  return prepared
})
