/** Every command of the program, in the order of the help. */
import type { Command } from "../cli/Command.ts"

export const commands: ReadonlyArray<Command> = []
