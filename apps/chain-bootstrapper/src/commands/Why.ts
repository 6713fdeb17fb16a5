/** `why`: what a running sync waits for, and what would change that. */
import { askRunning, command, ExitCode } from "@peerstrap/command-line"
import type { Wait } from "@peerstrap/progress"
import * as Effect from "effect/Effect"
import { partLines, type TroubledPart } from "../sync/PartStates.ts"
import { whyText } from "../sync/WhyText.ts"
import { controlFlags, planControl, toCommandError } from "./ControlFlags.ts"

export const why = command({
  name: "why",
  summary: "Say what a running sync waits for, why, and what to do about it",
  flags: controlFlags,
  examples: [{ args: "why --store /var/lib/tezos-store", says: "Ask the run that writes there" }],
  check: planControl,
  run: ({ plan, settings }) =>
    askRunning(plan, "why", {}, settings.timeout).pipe(
      Effect.mapError(toCommandError),
      Effect.map((answer) => ({
        exitCode: ExitCode.done,
        text: `${answer["phase"]}${answer["statusReason"] === null ? "" : `: ${answer["statusReason"]}`}\n${
          whyText((answer["waits"] ?? []) as ReadonlyArray<Wait>, Number(answer["nowMillis"]))
        }${
          partLines((answer["plugins"] ?? []) as ReadonlyArray<TroubledPart>, Number(answer["nowMillis"]))
            .map((line) => `${line}\n`).join("")
        }`,
        json: answer
      }))
    )
})
