/** How a command finds a running process: by the directory in which that works, or by its control socket. */
import { resolve } from "node:path"
import type { CheckContext } from "../contract/Command.ts"
import type { Flag, Settings } from "../contract/Flag.ts"
import type { Problem } from "../contract/Problem.ts"
import { derived, optional, withDefault } from "../engine/FlagDefinition.ts"
import * as Type from "../engine/FlagType.ts"

/** How a command's process is found by its directory. */
export interface ControlPlace<K extends string> {
  /** The flag of the directory, e.g. `out`. */
  readonly flag: K
  /** What the directory is to the run, e.g. `directory`. */
  readonly what: string
  /** A directory, for help. */
  readonly directory: string
  /** A socket, for help. */
  readonly socket: string
}

/** The flags that find a running process. */
export type ControlFlags<K extends string> =
  & { readonly [Key in K]: Flag<string | undefined> }
  & { readonly control: Flag<string | undefined>; readonly timeout: Flag<number> }

/** `--DIRECTORY`, `--control` and `--timeout`. */
export const controlFlagsOf = <const K extends string>(place: ControlPlace<K>): ControlFlags<K> => ({
  [place.flag]: optional(Type.path("DIR", place.directory), `The --${place.flag} of the run.`),
  control: derived(
    Type.path("PATH", place.socket),
    `control.sock in --${place.flag}`,
    "The run's control socket."
  ),
  timeout: withDefault(Type.millis("5s"), "5s", "How long to wait for the answer.")
} as unknown as ControlFlags<K>)

/** A check that gives the path of the socket. One of the two flags must say where it is. */
export const planControlOf = <const K extends string>({ directory, flag, what }: ControlPlace<K>) =>
(
  settings: Partial<Settings<ControlFlags<K>>>,
  _operands: ReadonlyArray<string>,
  _context: CheckContext,
  problem: (problem: Problem) => void
): string => {
  const given: Readonly<Record<string, unknown>> = settings
  const { control, [flag as string]: place } = given
  if (typeof control === "string") return resolve(control)
  if (typeof place === "string") return resolve(place, "control.sock")
  if (flag in given && "control" in given) {
    const message = `is missing: give the run's ${what}, e.g. --${flag} ${directory}, or its socket with --control`
    problem({ where: `--${flag}`, message })
  }
  return ""
}
