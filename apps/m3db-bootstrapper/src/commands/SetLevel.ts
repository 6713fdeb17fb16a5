/** `set-level LEVEL`: changes the consistency level of a running bootstrap. */
import { askRunning, command, ExitCode } from "@peerstrap/command-line"
import { parseLevel, UnknownLevelError } from "@peerstrap/consistency-policy"
import * as Effect from "effect/Effect"
import { controlFlags, planControl, toCommandError } from "./ControlFlags.ts"

export const setLevel = command({
  name: "set-level",
  summary: "Change the consistency level of a running bootstrap",
  operands: {
    name: "LEVEL",
    least: 1,
    most: 1,
    help: "none, one, unstrict_majority, majority, unstrict_all or all. With none the run takes what it can get, " +
      "lists what is missing, and ends with exit code 1."
  },
  flags: controlFlags,
  examples: [
    { args: "set-level none --out /var/lib/m3db", says: "End a run that waits for peers which will not come back" },
    {
      args: "set-level unstrict_majority --control /run/peerstrap.sock",
      says: "Ask for a majority as far as peers can be reached"
    }
  ],
  check: (settings, operands, context, problem) => {
    const level = operands[0] === undefined ? undefined : parseLevel(operands[0])
    if (level instanceof UnknownLevelError) problem({ where: "LEVEL", message: level.message })
    return planControl(settings, operands, context, problem)
  },
  run: ({ operands, plan, settings }) =>
    askRunning(plan, "set-level", { level: operands[0] }, settings.timeout).pipe(
      Effect.mapError(toCommandError),
      Effect.map((answer) => ({
        exitCode: ExitCode.done,
        text: `level ${answer["level"]} (was ${answer["was"]})\n`,
        json: answer
      }))
    )
})
