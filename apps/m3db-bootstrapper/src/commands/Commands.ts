/** Every command of the program, in the order of the help. */
import type { Command } from "../cli/Command.ts"
import { bootstrap } from "./Bootstrap.ts"
import { diff } from "./Diff.ts"
import { digest } from "./Digest.ts"
import { ls } from "./Ls.ts"
import { setLevel } from "./SetLevel.ts"
import { status } from "./Status.ts"
import { verify } from "./Verify.ts"
import { why } from "./Why.ts"

export const commands: ReadonlyArray<Command> = [bootstrap, verify, ls, diff, digest, status, why, setLevel]
