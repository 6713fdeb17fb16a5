// A bootstrap in this process whose parts are composed in code: those of its flags, and others in their place.
import { type Command, type CommandResult, readSettings, type StopRequest } from "@peerstrap/command-line"
import { type Composition, withOverrides } from "@peerstrap/plugin-host"
import * as Effect from "effect/Effect"
import type { BootstrapSettings } from "../../src/bootstrap/BootstrapFlags.ts"
import type { BootstrapPlan } from "../../src/bootstrap/BootstrapPlan.ts"
import { partsOf } from "../../src/bootstrap/Parts.ts"
import { type BootstrapInput, runBootstrap } from "../../src/bootstrap/RunBootstrap.ts"
import { bootstrap } from "../../src/commands/Bootstrap.ts"

/** The flags of a command line as parts. */
export const partsOfArguments = (argv: ReadonlyArray<string>) => {
  const context = { nowNanos: 1_795_255_200_000_000_000n, read: (path: string) => ({ problem: path }) }
  const { plan, problems, settings } = readSettings(bootstrap as Command, ["bootstrap"], argv, context)
  if (problems.length > 0) throw new Error(JSON.stringify(problems))
  return {
    plan: plan as BootstrapPlan,
    settings: settings as unknown as BootstrapSettings,
    parts: partsOf(plan as BootstrapPlan, settings as unknown as BootstrapSettings)
  }
}

export interface RunWithParts {
  readonly result: CommandResult
  /** Standard error. */
  readonly said: string
}

/** What flags name, with `others` in their place. Nobody asks it to stop unless `stop` does. */
export const runWith = (argv: ReadonlyArray<string>, others: Composition<never>, stop: StopRequest = Effect.never) =>
  Effect.suspend(() => {
    const { parts, plan, settings } = partsOfArguments(argv)
    let said = ""
    const input: BootstrapInput = {
      settings,
      operands: [],
      plan,
      resolved: withOverrides(parts, others),
      json: false,
      stop,
      terminal: {
        out: () => Effect.void,
        error: (text) => void (said += text),
        isLive: false,
        color: false,
        size: () => ({ columns: 80, rows: 24 })
      }
    }
    return Effect.map(Effect.scoped(runBootstrap(input)), (result): RunWithParts => ({ result, said }))
  })
