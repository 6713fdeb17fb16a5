/** Everything that a run needs before it begins: peers to dial, its parts started, and the engine's options. */
import {
  type BlockRef,
  ChainBase,
  ChainProtocol,
  ChainStore,
  type HeaderFacts,
  ReorganisationStrategy,
  type RepairReport,
  type SyncOptions
} from "@peerstrap/chain-bootstrap"
import type { CommandError, CommandInput, Reporter } from "@peerstrap/command-line"
import type { Composition, RunningHost } from "@peerstrap/plugin-host"
import type { Network } from "@peerstrap/tezos-bootstrap"
import { BufferMemory, Transport } from "@peerstrap/transport"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { clockFault, keepNetwork } from "../network/NetworkOfRun.ts"
import { storeFault } from "../store/OpenStore.ts"
import { remembersPeers } from "../store/StoredPeers.ts"
import { inTime } from "./EarlyEnds.ts"
import { type PartNames, partNames, type SyncParts } from "./Parts.ts"
import { PeerTrouble } from "./PeerTrouble.ts"
import { announcePlan, foreseenProblems } from "./PlanText.ts"
import { repairOfRun } from "./Repair.ts"
import type { RunState } from "./RunState.ts"
import { startParts } from "./StartParts.ts"
import { type StartPeers, startPeers } from "./StartPeers.ts"
import type { syncFlags } from "./SyncFlags.ts"
import { misfitOf, syncOptions } from "./SyncOptions.ts"
import type { SyncPlan } from "./SyncPlan.ts"

export type SyncInput = CommandInput<typeof syncFlags, SyncPlan, SyncParts>

export interface Running {
  readonly input: SyncInput
  readonly state: RunState
  readonly reporter: Reporter
}

type ServicesOf<Parts> = Parts extends Composition<infer Services> ? Services : never

/** What the parts of a run provide. */
export type SyncServices = ServicesOf<SyncParts>

export interface Prepared {
  readonly host: RunningHost<SyncServices>
  readonly names: PartNames
  /** The services of the host; failed dials and handshakes are noted by `trouble` on the way. */
  readonly context: Context.Context<SyncServices>
  readonly trouble: PeerTrouble
  readonly peers: StartPeers
  readonly head: BlockRef
  /** What was fetched again for a damaged store, if it was one. */
  readonly repair: RepairReport | undefined
  readonly baseHeader: HeaderFacts | undefined
  readonly options: SyncOptions
  /** Warnings of what may keep the run from its end: not true any more of one that got there. */
  readonly feared: ReadonlyArray<string>
}

/** Ends with an error when our clock is before the block's time. */
const checkClock = Effect.fnUntraced(function*(network: Network, block: string, timeSeconds: number | undefined) {
  const now = yield* Clock.currentTimeMillis
  const fault: CommandError | undefined = timeSeconds === undefined
    ? undefined
    : clockFault(now, block, timeSeconds, network.limits.clockDriftSeconds)
  if (fault !== undefined) return yield* fault
})

/** The same services, of which the transport and the protocol are watched. */
const watched = (context: Context.Context<SyncServices>, trouble: PeerTrouble): Context.Context<SyncServices> =>
  context.pipe(
    Context.add(Transport, trouble.watchTransport(Context.get(context, Transport))),
    Context.add(ChainProtocol, trouble.watchProtocol(Context.get(context, ChainProtocol)))
  )

/** Where the store stands. A header of level 0 is a constant, so that no store keeps it under its hash. */
const standing = Effect.fnUntraced(function*() {
  const store = yield* ChainStore
  const { genesis } = yield* ChainBase
  const { base } = store.identity
  const [head, stored] = yield* Effect.mapError(store.readHeaders([store.head.id, base.id]), storeFault)
  const baseHeader = stored ?? (base.level === 0 ? genesis : undefined)
  return { base, baseHeader, head: store.head, headTimeSeconds: head?.timeSeconds }
})

const firstLine = (text: string): string => text.split("\n")[0]!

export const prepareSync = Effect.fnUntraced(function*(running: Running, network: Network) {
  const { input, reporter, state } = running
  const { plan, resolved, settings } = input
  const misfit = misfitOf(settings, network)
  if (misfit !== undefined) return yield* misfit
  yield* checkClock(network, "genesis", network.genesis.timeSeconds)
  const othersKnown = settings.listen !== undefined || (yield* remembersPeers(plan.storePath))
  const peers = yield* inTime(startPeers(settings.peer, network, othersKnown), running)
  const host = yield* inTime(startParts(resolved, running), running)
  state.enter("starting")
  const clock = yield* Clock.Clock
  const trouble = new PeerTrouble(() => clock.currentTimeMillisUnsafe())
  const context = watched(host.context, trouble)
  const repair = yield* inTime(Effect.provideContext(repairOfRun(running, peers), context), running)
  state.enter("starting")
  const { base, baseHeader, head, headTimeSeconds } = yield* Effect.provideContext(standing(), context)
  yield* checkClock(network, `the last applied block, level ${head.level},`, headTimeSeconds)
  yield* keepNetwork(plan.storePath, network)
  const options = syncOptions(settings, network, peers.facts, (yield* Clock.currentTimeMillis) >>> 0)
  const names = partNames(host.graph)
  const announced = {
    names,
    strategy: Context.get(context, ReorganisationStrategy).name,
    memoryBytes: Context.get(context, BufferMemory).ledger.capacity,
    peerId: Context.get(context, ChainProtocol).ownId
  }
  announcePlan({ plan, network, peers, options, base, head, ...announced }, reporter)
  const unresolved = peers.problems.length
  const problems = foreseenProblems({ base, head, network, options, peers })
  // The first ones are facts, the others what may come.
  const feared = problems.slice(unresolved).map(firstLine)
  for (const warning of problems) {
    state.warnings.push(firstLine(warning))
    reporter.say(`warning: ${warning}`)
  }
  const prepared: Prepared = { host, names, context, trouble, peers, head, repair, baseHeader, options, feared }
  return prepared
})
