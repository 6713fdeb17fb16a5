/** Answers other nodes from a store at rest, until a signal comes. */
import { ChainProtocol, ChainStore, findHoles, lostPlaces, serveChain } from "@peerstrap/chain-bootstrap"
import {
  CommandError,
  type CommandInput,
  type CommandResult,
  ExitCode,
  makeReporter,
  type Reporter
} from "@peerstrap/command-line"
import { formatCount } from "@peerstrap/progress"
import { makeTezosRules, type Network } from "@peerstrap/tezos-bootstrap"
import { Crypto } from "@peerstrap/tezos-wire"
import { BufferMemory } from "@peerstrap/transport"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { refJson, refText } from "../BlockNames.ts"
import { counted } from "../Counted.ts"
import { loadNetwork } from "../network/NetworkOfRun.ts"
import { storeFault } from "../store/OpenStore.ts"
import type { ServedStatus } from "../sync/ControlCommands.ts"
import { unlessStopped } from "../sync/EarlyEnds.ts"
import { logsOf, reporting } from "../sync/Reporter.ts"
import { runFault } from "../sync/RunFaults.ts"
import { startControl } from "../sync/RunPlace.ts"
import { RunState } from "../sync/RunState.ts"
import { startParts } from "../sync/StartParts.ts"
import type { ServeParts } from "./Parts.ts"
import type { serveFlags, ServePlan } from "./ServeFlags.ts"

export type ServeInput = CommandInput<typeof serveFlags, ServePlan, ServeParts>

/** Counts of a server's life, for the end of it. */
interface Counts {
  connected: number
  failed: number
}

/** The base's header, which peers may ask for: genesis is no store's, but the network's. */
const baseHeaderOf = Effect.fnUntraced(function*(network: Network) {
  const store = yield* ChainStore
  const { base } = store.identity
  const [stored] = yield* Effect.mapError(store.readHeaders([base.id]), storeFault)
  return stored ?? (base.level === 0 ? makeTezosRules(yield* Crypto, network).genesis : undefined)
})

/** A chain with a hole is not presented to others as if it were whole. */
const refuseHoles = Effect.fnUntraced(function*(directory: string, state: RunState) {
  const store = yield* ChainStore
  if ((yield* lostPlaces(store)).length === 0) return
  const { base } = store.identity
  const onProgress = (level: number) =>
    state.stepTo("looking for damage", level - base.level, store.head.level - base.level)
  const { holes, nextLevel } = yield* findHoles(store, base.level, onProgress)
  const [first] = holes
  if (first === undefined) return
  const count = nextLevel === undefined
    ? counted(holes.length, "block")
    : `${formatCount(holes.length)} and more blocks`
  return yield* new CommandError({
    exitCode: ExitCode.local,
    message: `${directory} is damaged: ${count} of its chain not whole, the lowest at ${refText(first)}`,
    remedy:
      `run peerstrap-chain sync --store ${directory} --until level:${store.head.level}: it fetches them again; then serve`
  })
}, Effect.catchIf((error) => error._tag === "StoreError", (error) => Effect.fail(storeFault(error))))

const steps = Effect.fnUntraced(function*(input: ServeInput, state: RunState, reporter: Reporter) {
  const { plan, resolved, settings } = input
  const network = yield* loadNetwork(plan.store.network)
  let served: (() => ServedStatus) | undefined
  let listening: string | undefined
  yield* startControl(plan.controlPath, {
    command: "serve",
    state,
    network: network.chainName,
    store: plan.store.directory,
    run: () => undefined,
    listening: () => listening,
    served: () => served?.()
  })
  const { context } = yield* unlessStopped(startParts(resolved, { state, reporter }), input)
  const store = Context.get(context, ChainStore)
  const { ownId } = Context.get(context, ChainProtocol)
  const { ledger } = Context.get(context, BufferMemory)
  yield* unlessStopped(Effect.provideContext(refuseHoles(plan.store.directory, state), context), input)
  const baseHeader = yield* Effect.provideContext(baseHeaderOf(network), context)
  const { base } = store.identity
  const counts: Counts = { connected: 0, failed: 0 }
  const serving = yield* serveChain({
    ...settings.listen,
    maxPeers: settings.maxPeers,
    ledger,
    ...(baseHeader === undefined ? {} : { baseHeader }),
    onEvent: (event) => {
      if (event.kind === "connected") counts.connected++
      if (event.kind === "attempt-failed") counts.failed++
      const { kind, ...fields } = event
      reporter.event(`peer-${kind}`, fields)
    }
  }).pipe(Effect.provideContext(context), Effect.mapError(runFault))
  listening = serving.listening
  served = () => ({ base: refJson(base), head: refJson(store.head), connections: serving.connections() })
  state.enter("serving")
  reporter.event(
    "listening",
    { address: serving.listening, peerId: ownId, head: refJson(store.head) },
    `listening on ${serving.listening} as ${ownId}: ${network.chainName} from ${refText(base)} to ${
      refText(store.head)
    }`
  )
  const signal = yield* input.stop
  reporter.say(`${signal}: closing connections. A second signal ends the process at once.`)
  const result: CommandResult = {
    exitCode: signal === "SIGTERM" ? ExitCode.terminated : ExitCode.interrupted,
    text: `stopped by ${signal}: served levels ${formatCount(base.level)} to ${formatCount(store.head.level)} to ` +
      `${formatCount(counts.connected)} connections, ${formatCount(counts.failed)} handshakes failed\n`,
    json: {
      listened: serving.listening,
      base: refJson(base),
      head: refJson(store.head),
      connections: counts.connected,
      failedHandshakes: counts.failed
    }
  }
  return result
})

export const runServe = Effect.fnUntraced(function*(input: ServeInput) {
  const clock = yield* Clock.Clock
  const state = new RunState(() => clock.currentTimeMillisUnsafe())
  const reporter = yield* makeReporter(reporting({ terminal: input.terminal, json: input.json, state }))
  return yield* steps(input, state, reporter).pipe(Effect.scoped, Effect.provide(logsOf(reporter, state)))
})
