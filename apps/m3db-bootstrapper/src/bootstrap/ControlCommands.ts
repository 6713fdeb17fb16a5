/** What a running bootstrap answers on its control socket. */
import { type Level, LevelSource, parseLevel, UnknownLevelError } from "@peerstrap/consistency-policy"
import { consistencyKind, settableLevel } from "@peerstrap/consistency-policy/plugin"
import { type Graph, type RunningHost, settingsControl } from "@peerstrap/plugin-host"
import { type ControlCommands, ControlError, whyJson } from "@peerstrap/progress"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { RunState } from "./RunState.ts"

export interface ControlledRun {
  readonly state: RunState
  readonly namespace: string
  readonly outPath: string
}

/** Name of the part that says the level. */
export const levelPart = ({ nodes }: Graph): string =>
  nodes.find(({ plugin }) => plugin.provides.some(({ id }) => id === consistencyKind.id))!.name

/** Whether the level can be set while the run goes on. */
export const canSetLevel = ({ graph, settings }: Pick<RunningHost<never>, "graph" | "settings">): boolean =>
  settings.rows.some(({ plugin, setting }) => plugin === levelPart(graph) && setting === "level")

const setLevel = Effect.fnUntraced(function*(host: RunningHost<LevelSource> | undefined, given: unknown) {
  const level = parseLevel(typeof given === "string" ? given : "")
  if (level instanceof UnknownLevelError) {
    return yield* new ControlError({ code: "unknown-level", message: level.message })
  }
  if (host === undefined) {
    return yield* new ControlError({ code: "starting", message: "plugins are still starting: ask again" })
  }
  const plugin = levelPart(host.graph)
  if (!canSetLevel(host)) {
    return yield* new ControlError({
      code: "level-is-fixed",
      message: `the level of this run is that of ${plugin} and cannot change while it goes on; ` +
        `a run with ${settableLevel.id} could: leave ${plugin} out of its plugins`
    })
  }
  const change = yield* host.settings.change({ plugin, setting: "level", value: level, origin: "control socket" }).pipe(
    Effect.mapError(({ message, reason }) => new ControlError({ code: reason, message }))
  )
  return { level, was: change.from }
})

export const controlCommands = ({ namespace, outPath, state }: ControlledRun): ControlCommands => {
  const current = Effect.suspend((): Effect.Effect<{ readonly level: Level | null; readonly origin: string | null }> =>
    state.host === undefined
      ? Effect.succeed({ level: null, origin: null })
      : Context.get(state.host.context, LevelSource).current
  )
  return {
    status: () =>
      Effect.map(current, ({ level, origin }) => ({
        command: "bootstrap",
        pid: process.pid,
        namespace,
        out: outPath,
        level,
        levelOrigin: origin,
        plugins: state.plugins,
        ...state.snapshot()
      })),
    why: () =>
      Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        const { level } = yield* current
        const plugins = state.host?.why() ?? []
        return { phase: state.snapshot().phase, level, ...whyJson(state.waits(), now), plugins }
      }),
    "set-level": (args) => setLevel(state.host, args["level"]),
    ...settingsControl(() => state.host)
  }
}
