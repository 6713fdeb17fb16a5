/** What a running bootstrap answers on its control socket. */
import { type LevelControl, type LevelSource, parseLevel, UnknownLevelError } from "@peerstrap/consistency-policy"
import { type ControlCommands, ControlError, whyJson } from "@peerstrap/progress"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { RunState } from "./RunState.ts"

export interface ControlledRun {
  readonly state: RunState
  readonly namespace: string
  readonly outPath: string
  readonly levels: LevelSource["Service"]
  readonly levelControl: LevelControl["Service"]
}

export const controlCommands = (
  { levelControl, levels, namespace, outPath, state }: ControlledRun
): ControlCommands => ({
  status: () =>
    Effect.map(levels.current, ({ level, origin }) => ({
      command: "bootstrap",
      pid: process.pid,
      namespace,
      out: outPath,
      level,
      levelOrigin: origin,
      ...state.snapshot()
    })),
  why: () =>
    Effect.gen(function*() {
      const now = yield* Clock.currentTimeMillis
      const { level } = yield* levels.current
      return { phase: state.snapshot().phase, level, ...whyJson(state.waits(), now) }
    }),
  "set-level": (args) =>
    Effect.gen(function*() {
      const given = args["level"]
      const level = parseLevel(typeof given === "string" ? given : "")
      if (level instanceof UnknownLevelError) {
        return yield* new ControlError({ code: "unknown-level", message: level.message })
      }
      const was = (yield* levels.current).level
      yield* levelControl.set(level, "control socket")
      return { level, was }
    })
})
