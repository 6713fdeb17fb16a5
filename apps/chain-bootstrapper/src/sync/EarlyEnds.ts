/** Ends of a run that has not begun: a signal or the deadline while it is prepared. Nothing has to be drained then. */
import { CommandError, ExitCode, type StopRequest, type StopSignal } from "@peerstrap/command-line"
import { formatDuration } from "@peerstrap/progress"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { RunState } from "./RunState.ts"

interface Bounded {
  readonly stop: StopRequest
  readonly settings: { readonly deadline: number | undefined }
}

const stoppedEarly = (signal: StopSignal): CommandError =>
  new CommandError({
    exitCode: signal === "SIGINT" ? ExitCode.interrupted : ExitCode.terminated,
    message: `stopped by ${signal} before the run began`,
    remedy: ""
  })

const lateEarly = (deadline: number): CommandError =>
  new CommandError({
    exitCode: ExitCode.peers,
    message: `the deadline of ${formatDuration(deadline)} came before the run began`,
    remedy: "give a longer --deadline, or leave it out"
  })

/** What is left of `--deadline`, which counts from the start of the process. */
export const leftOf = (deadline: number, { startedMillis }: Pick<RunState, "startedMillis">): Effect.Effect<number> =>
  Effect.map(Clock.currentTimeMillis, (now) => Math.max(0, deadline - (now - startedMillis)))

/** Ends `effect` at the first signal: for the time in which there is nothing to drain. */
export const unlessStopped = <A, E, R>(effect: Effect.Effect<A, E, R>, { stop }: { readonly stop: StopRequest }) =>
  Effect.raceFirst(effect, Effect.flatMap(stop, (signal) => Effect.fail(stoppedEarly(signal))))

/** The same, and at the deadline. */
export const inTime = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  { input, state }: { readonly input: Bounded; readonly state: Pick<RunState, "startedMillis"> }
) => {
  const { deadline } = input.settings
  const stoppable = unlessStopped(effect, input)
  return deadline === undefined
    ? stoppable
    : Effect.raceFirst(
      stoppable,
      Effect.flatMap(leftOf(deadline, state), Effect.sleep).pipe(Effect.andThen(Effect.fail(lateEarly(deadline))))
    )
}
