/** What a running sync or serve answers on its control socket. */
import type { SyncRun } from "@peerstrap/chain-bootstrap"
import { settingsControl } from "@peerstrap/plugin-host"
import { type ControlCommands, ControlError, whyJson } from "@peerstrap/progress"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { chainStatus, peerRows } from "./ChainStatus.ts"
import type { RunState } from "./RunState.ts"

export interface ControlledRun {
  readonly command: "sync" | "serve"
  readonly state: RunState
  readonly network: string
  readonly store: string
  /** Undefined until the run has begun. */
  readonly run: () => Pick<SyncRun, "ban" | "unban"> | undefined
  readonly listening: () => string | undefined
  /** What a server says of itself in `status`. */
  readonly served?: () => ServedStatus | undefined
}

export interface ServedStatus {
  readonly base: { readonly level: number; readonly hash: string }
  readonly head: { readonly level: number; readonly hash: string }
  readonly connections: number
}

/** Characters of a reason; longer ones are cut. */
const maxReason = 200

const begun = <A>(value: A | undefined): Effect.Effect<A, ControlError> =>
  value === undefined
    ? Effect.fail(new ControlError({ code: "not-yet", message: "the run has not begun yet: try again in a moment" }))
    : Effect.succeed(value)

/** A server knows nobody but those who are connected. */
const syncOnly = ({ command }: ControlledRun): Effect.Effect<void, ControlError> =>
  command === "sync"
    ? Effect.void
    : Effect.fail(new ControlError({ code: "no-peers", message: "serve keeps no list of peers; sync does" }))

const peerOf = (args: Readonly<Record<string, unknown>>): Effect.Effect<string, ControlError> => {
  const peer = args["peer"]
  return typeof peer === "string" && peer !== ""
    ? Effect.succeed(peer)
    : Effect.fail(new ControlError({ code: "bad-request", message: "takes peer: a point HOST:PORT or an id" }))
}

const done = (is: boolean, peer: string, verb: string): Effect.Effect<unknown, ControlError> =>
  is
    ? Effect.succeed({ peer, done: true })
    : Effect.fail(
      new ControlError({
        code: "unknown-peer",
        message: `${peer} ${verb}: see peerstrap-chain peers list for ids and points`
      })
    )

export const controlCommands = (controlled: ControlledRun): ControlCommands => {
  const { state } = controlled
  return {
    ...settingsControl(() => state.host),
    status: () =>
      Effect.sync(() => {
        const sync = state.sync()
        return {
          command: controlled.command,
          pid: process.pid,
          network: controlled.network,
          store: controlled.store,
          listening: controlled.listening() ?? null,
          ...state.snapshot(),
          step: state.phase,
          chain: sync === undefined ? null : chainStatus(sync),
          served: controlled.served?.() ?? null,
          plugins: state.troubledParts()
        }
      }),
    why: () =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const { phase } = state.snapshot()
        const sync = state.sync()
        return {
          phase,
          status: sync?.status ?? null,
          statusReason: sync?.statusReason ?? null,
          ...whyJson(state.waits(), now),
          plugins: state.troubledParts()
        }
      }),
    peers: () =>
      Effect.andThen(syncOnly(controlled), Effect.map(begun(state.sync()), (sync) => ({ peers: peerRows(sync) }))),
    ban: (args) =>
      Effect.gen(function*() {
        yield* syncOnly(controlled)
        const peer = yield* peerOf(args)
        const run = yield* begun(controlled.run())
        const reason = typeof args["reason"] === "string" ? args["reason"].slice(0, maxReason) : "by the operator"
        return yield* done(run.ban(peer, reason), peer, "is no known peer, or is banned already")
      }),
    unban: (args) =>
      Effect.gen(function*() {
        yield* syncOnly(controlled)
        const peer = yield* peerOf(args)
        const run = yield* begun(controlled.run())
        return yield* done(run.unban(peer), peer, "was neither banned nor greylisted")
      })
  }
}
