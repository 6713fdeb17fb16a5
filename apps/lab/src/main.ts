/** The process: its streams and signals given to the program, its exit code to the caller. */
import { runProcess, runProgram } from "./cli/Program.ts"
import { processTerminal } from "./cli/Terminal.ts"
import { commands } from "./commands/Commands.ts"

runProcess(runProgram(commands, process.argv.slice(2), processTerminal()))
