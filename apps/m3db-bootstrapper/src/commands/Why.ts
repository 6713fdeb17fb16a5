/** `why`: what a running bootstrap waits for, and what would change that. */
import { askRunning, command, ExitCode } from "@peerstrap/command-line"
import type { Wait } from "@peerstrap/progress"
import * as Effect from "effect/Effect"
import { whyText } from "../bootstrap/WhyText.ts"
import { controlFlags, planControl, toCommandError } from "./ControlFlags.ts"

export const why = command({
  name: "why",
  summary: "Say what a running bootstrap waits for, why, and what to do about it",
  flags: controlFlags,
  examples: [{ args: "why --out /var/lib/m3db", says: "Ask the run that writes there" }],
  check: planControl,
  run: ({ plan, settings }) =>
    askRunning(plan, "why", {}, settings.timeout).pipe(
      Effect.mapError(toCommandError),
      Effect.map((answer) => ({
        exitCode: ExitCode.done,
        text: `${answer["phase"]}, level ${answer["level"] ?? "not known yet"}\n${
          whyText((answer["waits"] ?? []) as ReadonlyArray<Wait>, Number(answer["nowMillis"]))
        }`,
        json: answer
      }))
    )
})
