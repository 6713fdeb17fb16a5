/** The process: this program on its arguments. */
import { runProcess } from "@peerstrap/command-line"
import { program } from "./commands/Commands.ts"

await runProcess(program)
