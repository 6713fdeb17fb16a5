/** Answers other nodes from a store at rest, until a signal comes. */
import { ChainProtocol, ChainStore, serveChain } from "@peerstrap/chain-bootstrap"
import { type CommandInput, type CommandResult, ExitCode, makeReporter, type Reporter } from "@peerstrap/command-line"
import { formatCount } from "@peerstrap/progress"
import { makeTezosRules, tezosProtocol } from "@peerstrap/tezos-bootstrap"
import { Crypto } from "@peerstrap/tezos-wire"
import { ByteLedger } from "@peerstrap/transport"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { refJson, refText } from "../BlockNames.ts"
import { openPlanned } from "../commands/StoreFlags.ts"
import { peerIdText } from "../identity/IdentityFile.ts"
import { startIdentity } from "../identity/StartIdentity.ts"
import { storeFault } from "../store/OpenStore.ts"
import { unlessStopped } from "../sync/EarlyEnds.ts"
import { logsOf, reporting } from "../sync/Reporter.ts"
import { runFault } from "../sync/RunFaults.ts"
import { startControl } from "../sync/RunPlace.ts"
import { RunState } from "../sync/RunState.ts"
import type { serveFlags, ServePlan } from "./ServeFlags.ts"

export type ServeInput = CommandInput<typeof serveFlags, ServePlan>

/** Counts of a server's life, for the end of it. */
interface Counts {
  connected: number
  failed: number
}

const steps = Effect.fnUntraced(function*(input: ServeInput, state: RunState, reporter: Reporter) {
  const { plan, settings } = input
  let server: { readonly listening: string; readonly connections: () => number } | undefined
  const opening = openPlanned(plan.store, (done, total) => state.stepTo("opening store", done, total))
  const { network, store } = yield* unlessStopped(opening, input)
  yield* startControl(plan.controlPath, {
    command: "serve",
    state,
    network: network.chainName,
    store: plan.store.directory,
    run: () => undefined,
    listening: () => server?.listening,
    served: () => ({
      base: refJson(store.identity.base),
      head: refJson(store.head),
      connections: server?.connections() ?? 0
    })
  })
  const identity = yield* unlessStopped(
    startIdentity({ path: plan.identityPath, difficulty: network.proofOfWork, state, reporter }),
    input
  )
  const ledger = new ByteLedger(settings.memory)
  const built = yield* Layer.build(tezosProtocol({ network, identity, ledger, ownPort: settings.listen.port }))
  const { base } = store.identity
  const [stored] = yield* Effect.mapError(store.readHeaders([base.id]), storeFault)
  const baseHeader = stored ?? (base.level === 0 ? makeTezosRules(yield* Crypto, network).genesis : undefined)
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
  }).pipe(
    Effect.provideService(ChainProtocol, Context.get(built, ChainProtocol)),
    Effect.provideService(ChainStore, store),
    Effect.mapError(runFault)
  )
  server = serving
  state.enter("serving")
  reporter.event(
    "listening",
    { address: serving.listening, peerId: peerIdText(identity), head: refJson(store.head) },
    `listening on ${serving.listening} as ${peerIdText(identity)}: ${network.chainName} from ${refText(base)} to ${
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
  return yield* steps(input, state, reporter).pipe(Effect.scoped, Effect.provide(logsOf(reporter)))
})
