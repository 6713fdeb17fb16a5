/** The composition of a command whose flags name the default parts: what its `resolve` is made of. */
import type { Flags, FoundSettings, Problem as FlagProblem } from "@peerstrap/command-line"
import * as Effect from "effect/Effect"
import type { Composition } from "../contract/Composition.ts"
import type { FlagTargets } from "../contract/FlagTarget.ts"
import type { AnyKind } from "../contract/Kind.ts"
import type { AnyPlugin } from "../contract/Plugin.ts"
import type { Problem } from "../contract/Problem.ts"
import { flagsInVain } from "../engine/FlagsInVain.ts"
import { fromConfig } from "./FromConfig.ts"
import { machineBudgets } from "./MachineBudgets.ts"

/** A problem as a command line tells it: with its remedy. What is wrong with the YAML itself, who reads the flags tells in the same words. */
export const toldProblem = ({ message, remedy, where }: Problem): FlagProblem => ({
  where,
  message: remedy === "" ? message : `${message}; ${remedy}`
})

/** What a command's composition is made of: default parts, what may replace them, what the program needs. */
export interface PartsOfFlagsOptions<Provided> {
  /** What may be named in the file without `from`. */
  readonly registry: ReadonlyArray<AnyPlugin>
  /** Kinds that the program itself uses. */
  readonly needs: ReadonlyArray<AnyKind>
  /** The flags and the file, as `resolve` of a command finds them. */
  readonly found: Pick<FoundSettings<Flags, unknown>, "file" | "given" | "settings">
  /** Undefined when flags are wrong. */
  readonly defaults: Composition<Provided> | undefined
  /** The flags that describe parts and nothing else: given in vain beside another part in the file, they are problems. */
  readonly targets: FlagTargets
}

/** The parts that flags name, with those that `plugins:` of the file puts in their place; or all that is wrong with these. */
export const partsOfFlags = <Provided>(
  { defaults, found, needs, registry, targets }: PartsOfFlagsOptions<Provided>
): Effect.Effect<Composition<Provided>, ReadonlyArray<FlagProblem>> =>
  fromConfig(registry, found.file?.text ?? "", {
    path: found.file?.path ?? "the config",
    needs,
    defaults: defaults ?? "unknown",
    keysAreTold: true,
    machine: machineBudgets(),
    check: (named) => flagsInVain({ targets, defaults, given: found.given, settings: found.settings }, named)
  }).pipe(
    Effect.mapBoth({
      onSuccess: (parts) => parts as Composition<Provided>,
      onFailure: ({ problems }) => problems.map(toldProblem)
    })
  )
