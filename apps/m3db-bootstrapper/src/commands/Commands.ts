/** Every command of the program, in the order of the help. */
import type { Command } from "../cli/Command.ts"
import { bootstrap } from "./Bootstrap.ts"
import { setLevel } from "./SetLevel.ts"
import { status } from "./Status.ts"
import { why } from "./Why.ts"

export const commands: ReadonlyArray<Command> = [bootstrap, status, why, setLevel]
